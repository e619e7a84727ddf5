//! The arrows of ARCHITECTURE.md: a module imports only from layers above its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Layers from the top of `src/lib.rs` to its bottom; a module may import from its own layer only
/// where that is `true`.
const LAYERS: [(&str, &[&str], bool); 5] = [
    ("vocabulary", &["clock", "domain", "health", "metrics"], true),
    ("decisions", &["alerting", "decode", "geometry", "language", "matching", "offsets"], false),
    ("adapters", &["inference", "media", "publish", "source", "store"], false),
    ("composition", &["admin", "pipeline"], false),
    ("shell", &["cli", "config", "telemetry"], true),
];

fn source_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Crates that only one adapter knows, with the places that may name them.
const OWNED: [(&str, &[&str]); 7] = [
    ("rdkafka", &["source", "publish", "cli"]),
    ("sqlx", &["store"]),
    ("ort", &["inference", "cli/version.rs"]),
    ("reqwest", &["media"]),
    ("whatlang", &["language.rs"]),
    ("whichlang", &["language.rs"]),
    // The commands write pictures, too.
    ("image", &["media", "cli"]),
];

/// Every module named after `crate::`, also inside braces: `crate::{a, b::c}`.
fn imports(text: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for rest in text.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let inner = &group[..group.find(['}', ';']).unwrap_or(group.len())];
            modules
                .extend(inner.split(',').map(|part| part.trim().split("::").next().unwrap_or("").to_owned()));
        } else {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            modules.push(rest[..end].to_owned());
        }
    }
    modules
}

#[test]
fn modules_import_only_from_the_layers_above() {
    let layer_of: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(level, (_, modules, _))| modules.iter().map(move |module| (*module, level)))
        .collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&source, &mut files);
    let mut arrows = 0;
    for file in files {
        let relative = file.strip_prefix(&source).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = first.trim_end_matches(".rs");
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let own = layer_of.get(module).unwrap_or_else(|| panic!("{module} stands in no layer of this test"));
        for imported in imports(&std::fs::read_to_string(&file).unwrap()) {
            let Some(level) = layer_of.get(imported.as_str()) else { continue };
            arrows += 1;
            let allowed = imported == module || level < own || (level == own && LAYERS[*own].2);
            assert!(
                allowed,
                "{} ({}) imports crate::{imported} ({})",
                relative.display(),
                LAYERS[*own].0,
                LAYERS[*level].0
            );
        }
    }
    assert!(arrows > 50, "only {arrows} imports were found: the test no longer reads them");
}

/// Whether a text names a crate in a path, such as `ort::Session`, and not merely `sort::by`.
fn names_crate(text: &str, name: &str) -> bool {
    text.match_indices(&format!("{name}::")).any(|(at, _)| {
        !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
    })
}

#[test]
fn each_outside_world_is_known_to_its_adapter_alone() {
    assert!(names_crate("use ort::Session;", "ort") && names_crate("&ort::Value", "ort"));
    assert!(!names_crate("report::print()", "ort") && !names_crate("librdkafka", "rdkafka"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&source, &mut files);
    let mut found = [0; OWNED.len()];
    for file in files {
        let relative = file.strip_prefix(&source).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        for ((name, places), count) in OWNED.iter().zip(&mut found) {
            if names_crate(&text, name) {
                *count += 1;
                let allowed = places.iter().any(|place| relative.starts_with(place));
                assert!(allowed, "{} names {name}, which only {places:?} may", relative.display());
            }
        }
    }
    assert!(found.iter().all(|count| *count > 0), "{found:?}: the test no longer finds what it looks for");
}

#[test]
fn only_the_store_attests_that_something_is_durable() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&source, &mut files);
    let mut attesting = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // Tests at a file's end may pretend.
        let code = text.split("#[cfg(test)]").next().unwrap();
        if code.contains("Durable::attest()") {
            attesting.push(file.strip_prefix(&source).unwrap().to_owned());
        }
    }
    assert_eq!(attesting, [Path::new("store/write.rs")]);
}
