//! The training code and the daemon give a text the same token ids, each with its own build of the
//! tokenizers library and the one `tokenizer.json`.

use std::path::{Path, PathBuf};
use std::process::Command;

use overheard::inference::{Manifest, TextKind, TextTokenizer};
use serde::Deserialize;

const LINES: usize = 10_000;

#[derive(Deserialize)]
struct Line {
    text: String,
    ids: Vec<i64>,
}

/// The lines come from the data folder, and their ids from Python: the environment that `make test`
/// makes for the tests of training/.
#[test]
fn real_lines_get_the_ids_that_training_gives_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data =
        std::env::var_os("OVERHEARD_TEST_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let python = root.join(".runtime/python/training/bin/python");
    for (path, remedy) in [
        (data.join("text"), "OVERHEARD_TEST_DATA names the folder that has it"),
        (python.clone(), "`make test ARGS=\"--only training-tests\"` makes it"),
    ] {
        if !path.exists() {
            eprintln!("SKIPPED: {} is not there; {remedy}", path.display());
            return;
        }
    }
    let output = Command::new(python)
        .current_dir(root)
        .args(["-m", "training.measure.text.token_ids", "--lines", &LINES.to_string(), "--data"])
        .arg(data)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let manifest = Manifest::<TextKind>::read(&root.join("models/sentiment")).unwrap();
    let tokenizer = TextTokenizer::load(&manifest).unwrap();
    let mut compared = 0;
    for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line: Line = serde_json::from_slice(line).unwrap();
        assert_eq!(tokenizer.encode(&line.text).unwrap(), line.ids, "{:?}", line.text);
        compared += 1;
    }
    assert_eq!(compared, LINES);
}
