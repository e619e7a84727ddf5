//! ARCHITECTURE.md names files that exist.

use std::path::{Path, PathBuf};

/// Words in backticks that are files or folders of the sources, wherever they stand.
fn named(text: &str) -> Vec<&str> {
    let words = text.split('`').skip(1).step_by(2).filter(|word| !word.contains(' '));
    words
        .filter(|word| word.ends_with('/') || Path::new(word).extension().is_some_and(|end| end == "rs"))
        .collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        }
        found.push(path);
    }
}

#[test]
fn every_file_that_the_map_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let mut there = Vec::new();
    for folder in ["src", "tests", "demo/src"] {
        files(&root.join(folder), &mut there);
    }
    let named = named(&text);
    assert!(named.len() > 60, "only {} files are named: the test no longer sees them", named.len());
    for name in named {
        let ends = |path: &PathBuf| path.ends_with(name.trim_end_matches('/'));
        assert!(root.join(name).exists() || there.iter().any(ends), "ARCHITECTURE.md names {name}");
    }
}
