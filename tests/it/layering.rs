//! The arrows of ARCHITECTURE.md: a module imports only from layers above its own, and no modules
//! of one room import each other in a circle.

mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use modules::{Module, Modules, arrows, circle, paths, tokens};

/// Layers from the top of `src/lib.rs` to its bottom; a module may import from its own layer only
/// where that is `true`.
const LAYERS: [(&str, &[&str], bool); 7] = [
    ("vocabulary", &["clock", "domain", "health", "metrics"], true),
    ("spelling", &["folding"], false),
    ("queries", &["query"], false),
    ("decisions", &["alerting", "decode", "geometry", "language", "matching", "offsets", "privacy"], false),
    ("adapters", &["feeds", "inference", "media", "publish", "source", "store"], false),
    ("composition", &["admin", "ingest", "pipeline"], false),
    ("shell", &["assembly", "cli", "config", "environment", "telemetry"], true),
];

/// Crates that only one adapter knows, with the places that may name them.
const OWNED: [(&str, &[&str]); 9] = [
    ("rdkafka", &["source", "publish", "cli/version.rs"]),
    ("sqlx", &["store"]),
    ("ort", &["inference", "cli/version.rs"]),
    ("reqwest", &["feeds", "media"]),
    ("tokio_tungstenite", &["feeds"]),
    ("feed_rs", &["decode"]),
    ("whatlang", &["language"]),
    ("whichlang", &["language"]),
    // The commands write pictures, too.
    ("image", &["media", "cli"]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn module(path: &str) -> Module {
    path.split("::").map(str::to_owned).collect()
}

#[test]
fn modules_import_only_from_the_layers_above() {
    let layer_of: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(level, (_, modules, _))| modules.iter().map(move |module| (*module, level)))
        .collect();
    let level =
        |name: &str| *layer_of.get(name).unwrap_or_else(|| panic!("{name} stands in no layer of this test"));
    let rooms = arrows(&Modules::read(&source()).imports());
    let top = &rooms[&Module::new()];
    assert!(top.len() > 40, "only {} arrows were found: the test no longer sees them", top.len());
    for ((from, to), shown) in top {
        let (own, other) = (level(from), level(to));
        let allowed = other < own || (other == own && LAYERS[own].2);
        assert!(allowed, "{shown}, from {} to {}", LAYERS[own].0, LAYERS[other].0);
    }
}

#[test]
fn no_modules_of_a_room_import_each_other_in_a_circle() {
    let rooms = arrows(&Modules::read(&source()).imports());
    let mut circles = Vec::new();
    for (room, arrows) in &rooms {
        let ends = arrows.keys().map(|(from, to)| (from.as_str(), to.as_str()));
        if let Some(circle) = circle(ends) {
            let steps = circle.iter().zip(circle.iter().cycle().skip(1));
            let shown = steps.map(|(from, to)| &arrows[&((*from).to_owned(), (*to).to_owned())]);
            circles.push(format!("{}: {:?}", room.join("::"), shown.collect::<Vec<_>>()));
        }
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

/// Layers alone would let an adapter find the language itself, as the text models once did.
#[test]
fn the_language_of_a_text_is_found_only_where_texts_are_judged() {
    let imports = Modules::read(&source()).imports();
    let importers: BTreeSet<String> = imports
        .iter()
        .filter(|(from, to)| {
            let is_room = |module: &Module| module.first().is_some_and(|room| room == "language");
            is_room(to) && !is_room(from)
        })
        .map(|(from, _)| from.join("::"))
        .collect();
    assert_eq!(importers.iter().map(String::as_str).collect::<Vec<_>>(), ["pipeline::judge"]);
}

/// So that the two tests above can't pass by seeing nothing.
#[test]
fn imports_are_seen_as_they_are_written() {
    let text = r##"
        //! Not [`crate::comment`].
        use crate::a::{self, B, c::{D, E as F}, g};
        use super::super::h;
        pub use crate::re_exported::X;
        pub(crate) use self::re_exported::Y;
        const TEXT: &str = "crate::text" + r#"" crate::raw"# /* crate::block */;
        fn f<'a>(quote: char) -> crate::i::J<'a> { match quote { '"' | '\'' => self.k(), _ => metrics!(crate::l) } }
        #[cfg(test)]
        mod tests { use crate::test::{Only}; fn t() {} }
        struct S(crate::m::N);
    "##;
    let tokens = tokens(text);
    let found: BTreeSet<String> = paths(&tokens).iter().map(|path| path.join("::")).collect();
    let expected = [
        "crate::a",
        "crate::a::B",
        "crate::a::c::D",
        "crate::a::c::E",
        "crate::a::g",
        "crate::i::J",
        "crate::l",
        "crate::m::N",
        "crate::test::Only",
        "super::super::h",
    ];
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);

    assert_eq!(circle([("a", "b"), ("b", "c"), ("a", "c")].into_iter()), None);
    assert_eq!(
        circle([("a", "b"), ("b", "c"), ("c", "d"), ("d", "b")].into_iter()),
        Some(vec!["b", "c", "d"])
    );

    let modules = Modules::read(&source());
    let imports = modules.imports();
    let mut files = Vec::new();
    source_files(&source(), &mut files);
    // All but main.rs and files of tests.
    assert!(modules.count() > files.len() * 9 / 10, "{} of {} files", modules.count(), files.len());
    assert_eq!(modules.file(&module("store::posts")), source().join("store/posts.rs"));
    for (from, to) in [
        ("store::batch", "store::posts"),
        // By a name that its parent re-exports, from near and from afar.
        ("domain::alert", "domain::brand"),
        ("pipeline::evaluator", "store::advisory_lock"),
        ("pipeline", "store::client"),
    ] {
        assert!(imports.contains(&(module(from), module(to))), "{from} imports {to}, and it is not seen");
    }
    assert!(!imports.contains(&(module("store"), module("store::batch"))), "a re-export is no import");
    assert!(imports.iter().all(|(from, _)| !from.contains(&"tests".to_owned())), "tests are left out");
}

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
    let source = source();
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
fn only_a_commit_and_an_acknowledged_dead_letter_attest_that_something_is_durable() {
    let source = source();
    let mut files = Vec::new();
    source_files(&source, &mut files);
    let callers = |call: &str| {
        let mut callers = Vec::new();
        for file in &files {
            let text = std::fs::read_to_string(file).unwrap();
            // Tests at a file's end may pretend.
            if text.split("#[cfg(test)]").next().unwrap().contains(call) {
                callers.push(file.strip_prefix(&source).unwrap().to_str().unwrap().to_owned());
            }
        }
        callers.sort();
        callers
    };
    assert_eq!(callers("Durable::attest("), ["publish/dead_letter.rs", "store/batch.rs"]);
    assert_eq!(callers("Durable::nothing_to_store("), ["pipeline/writer.rs"]);
    assert_eq!(callers(".into_acks("), ["offsets.rs"]);
}
