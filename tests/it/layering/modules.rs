//! The modules of the library and who imports whom, read from the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A module's path from the crate's root, such as `["store", "posts"]`.
pub type Module = Vec<String>;

/// All modules that are compiled without tests.
pub struct Modules {
    files: BTreeMap<Module, PathBuf>,
    tokens: BTreeMap<Module, Vec<String>>,
    /// Names that a module re-exports, with what they stand for.
    re_exports: BTreeMap<(Module, String), Vec<String>>,
}

impl Modules {
    /// Reads `lib.rs` in that folder and every module that is declared from there.
    pub fn read(source: &Path) -> Self {
        let mut modules =
            Self { files: BTreeMap::new(), tokens: BTreeMap::new(), re_exports: BTreeMap::new() };
        modules.read_file(Vec::new(), source.join("lib.rs"), source);
        modules
    }

    fn read_file(&mut self, module: Module, file: PathBuf, folder: &Path) {
        let tokens = without_tests(&tokens(&std::fs::read_to_string(&file).unwrap()));
        for declared in tokens.windows(3).filter(|window| window[0] == "mod" && window[2] == ";") {
            let name = &declared[1];
            let child = [module.clone(), vec![name.clone()]].concat();
            let (flat, nested) = (folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs"));
            let file = if flat.exists() { flat } else { nested };
            self.read_file(child, file, &folder.join(name));
        }
        for (at, _) in tokens.windows(2).enumerate().filter(|(_, window)| window[1] == "use") {
            if ["pub", ")"].contains(&tokens[at].as_str()) {
                for path in expand(&tokens[at + 2..]) {
                    let path = Self::absolute(&module, &path.segments).unwrap_or_else(|| {
                        // `pub use child::Item`.
                        [module.clone(), path.segments.clone()].concat()
                    });
                    let name = path.last().unwrap().clone();
                    self.re_exports.insert((module.clone(), name), path);
                }
            }
        }
        self.files.insert(module.clone(), file);
        self.tokens.insert(module, tokens);
    }

    /// A module's file.
    pub fn file(&self, module: &[String]) -> &Path {
        &self.files[module]
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// Every module with the modules that it imports from, not counting re-exports.
    pub fn imports(&self) -> BTreeSet<(Module, Module)> {
        let mut imports = BTreeSet::new();
        for (module, tokens) in &self.tokens {
            for path in paths(tokens) {
                if let Some(path) = Self::absolute(module, &path) {
                    imports.insert((module.clone(), self.owner(&path)));
                }
            }
        }
        imports
    }

    /// A path that begins with `crate`, `self` or `super`, from the crate's root.
    fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut base = match path.first()?.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => module.to_vec(),
            _ => return None,
        };
        let mut rest = path;
        while let Some((first, others)) = rest.split_first()
            && ["crate", "self", "super"].contains(&first.as_str())
        {
            if first == "super" {
                base.pop();
            }
            rest = others;
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    /// The module that a path's item is written in: re-exports are followed.
    fn owner(&self, path: &[String]) -> Module {
        let mut module = Module::new();
        for (at, segment) in path.iter().enumerate() {
            let child = [module.clone(), vec![segment.clone()]].concat();
            if self.files.contains_key(&child) {
                module = child;
                continue;
            }
            return match self.re_exports.get(&(module.clone(), segment.clone())) {
                Some(target) => self.owner(&[target.as_slice(), &path[at + 1..]].concat()),
                None => module,
            };
        }
        module
    }
}

/// Between the modules of one room (a folder, or the whole crate): which imports from which, with
/// an import that shows it. What a room's own file defines belongs to none of them.
pub fn arrows(imports: &BTreeSet<(Module, Module)>) -> BTreeMap<Module, BTreeMap<(String, String), String>> {
    let mut rooms: BTreeMap<Module, BTreeMap<(String, String), String>> = BTreeMap::new();
    for (from, to) in imports {
        let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        if let (Some(importer), Some(imported)) = (from.get(shared), to.get(shared)) {
            let shown = format!("{} imports {}", from.join("::"), to.join("::"));
            let arrow = (importer.clone(), imported.clone());
            rooms.entry(from[..shared].to_vec()).or_default().entry(arrow).or_insert(shown);
        }
    }
    rooms
}

/// Some modules that import each other in a circle, each once.
pub fn circle<'a>(arrows: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Option<Vec<&'a str>> {
    /// Goes on from the last of the way, until it comes to one that it has been to.
    fn walk<'a>(
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
        next: &BTreeMap<&'a str, Vec<&'a str>>,
    ) -> Option<Vec<&'a str>> {
        let here = *way.last()?;
        for there in next.get(here).into_iter().flatten() {
            if let Some(at) = way.iter().position(|been| been == there) {
                return Some(way[at..].to_vec());
            }
            if !done.contains(there) {
                way.push(there);
                if let Some(found) = walk(way, done, next) {
                    return Some(found);
                }
                way.pop();
            }
        }
        done.insert(here);
        None
    }
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in arrows {
        next.entry(from).or_default().push(to);
    }
    let mut done = BTreeSet::new();
    next.keys().find_map(|start| walk(&mut vec![*start], &mut done, &next))
}

/// Identifiers, `::` and single characters of punctuation. Comments and literals are left out.
pub fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let raw = rest
            .strip_prefix('r')
            .map(|after| after.trim_start_matches('#'))
            .filter(|after| after.starts_with('"') && !rest.starts_with("r_"));
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(raw) = raw {
            let hashes = rest.len() - raw.len() - 1;
            let end = format!("\"{}", "#".repeat(hashes));
            raw[1..].find(&end).map_or(rest.len(), |at| hashes + 2 + at + end.len())
        } else if first == '"' {
            literal(rest, '"')
        } else if first == '\'' {
            // A lifetime has no quote behind it.
            let mut behind = rest[1..].chars();
            match (behind.next(), behind.next()) {
                (Some('\\'), _) | (_, Some('\'')) => literal(rest, '\''),
                _ => 1,
            }
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(rest[..end].to_owned());
            end
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// Bytes of a literal that begins and ends with a quote.
fn literal(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Leaves out whatever `#[cfg(test)]` stands before.
fn without_tests(tokens: &[String]) -> Vec<String> {
    const ATTRIBUTE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !tokens[at..].starts_with(&ATTRIBUTE.map(str::to_owned)) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let mut depth = 0_u32;
        loop {
            let token = tokens.get(at).map_or("", String::as_str);
            at += 1;
            match token {
                "{" => depth += 1,
                "}" if depth == 1 => break,
                "}" => depth -= 1,
                ";" if depth == 0 => break,
                "" => break,
                _ => {}
            }
        }
    }
    kept
}

/// Every path that begins with `crate`, `self` or `super`, but for those that are re-exported.
pub fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + 1 < tokens.len() {
        let is_start = ["crate", "self", "super"].contains(&tokens[at].as_str())
            && tokens[at + 1] == "::"
            && (at == 0 || tokens[at - 1] != "::");
        if !is_start {
            at += 1;
            continue;
        }
        let is_re_export =
            at > 1 && tokens[at - 1] == "use" && ["pub", ")"].contains(&tokens[at - 2].as_str());
        let tree = expand(&tokens[at..]);
        at += tree.iter().map(|path| path.tokens).max().unwrap_or(1);
        if !is_re_export {
            found.extend(tree.into_iter().map(|path| path.segments));
        }
    }
    found
}

struct Expanded {
    segments: Vec<String>,
    /// Tokens up to its end.
    tokens: usize,
}

/// The paths at the beginning: one, or more where it has braces.
fn expand(tokens: &[String]) -> Vec<Expanded> {
    let mut segments = Vec::new();
    let mut at = 0;
    loop {
        match tokens.get(at).map_or("", String::as_str) {
            "{" => {
                let mut inner = Vec::new();
                at += 1;
                while !["}", ""].contains(&tokens.get(at).map_or("", String::as_str)) {
                    if tokens[at] == "," || tokens[at] == "as" {
                        at += if tokens[at] == "as" { 2 } else { 1 };
                        continue;
                    }
                    let branch = expand(&tokens[at..]);
                    let length = branch.iter().map(|path| path.tokens).max().unwrap_or(1).max(1);
                    for path in branch {
                        let mut whole = segments.clone();
                        whole.extend(path.segments.into_iter().filter(|segment| segment != "self"));
                        inner.push(Expanded { segments: whole, tokens: at + path.tokens });
                    }
                    at += length;
                }
                if let Some(last) = inner.last_mut() {
                    last.tokens = at + 1;
                }
                return inner;
            }
            segment => segments.push(segment.to_owned()),
        }
        at += 1;
        if tokens.get(at).is_none_or(|token| token != "::") {
            return vec![Expanded { segments, tokens: at }];
        }
        at += 1;
    }
}
