//! `overheard query import`, with the real program.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::support::daemon::PROGRAM;

fn import(arguments: &[&str], source: &str) -> Output {
    let mut process = Command::new(PROGRAM)
        .args(["query", "import"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    process.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_query_of_another_tool_is_printed_in_our_language() {
    let output = import(&["--from", "brandwatch"], "(\"red bull\" NEAR/3f can*) NOT #f1\n");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(&output.stdout), "\"red bull\" ONEAR/4 can* AND NOT #f1\n");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn what_was_left_out_fails_the_import_unless_that_is_allowed() {
    let source = "bmw\nAND sourcecountry:de AND title:recall";
    for (arguments, code) in [(&["--from", "talkwalker"][..], 1), (&["--from", "talkwalker", "--lenient"], 0)]
    {
        let output = import(arguments, source);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert_eq!(text(&output.stdout), "bmw AND in:text(recall)\n");
        let told: Vec<&str> = text(&output.stderr).lines().collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].starts_with("line 2, column 5: `sourcecountry:de` left out, so more posts are found: ")
        );
        assert!(told[1].starts_with("line 2, column 26: `title:recall` widened, so more posts are found: "));
    }
}

#[test]
fn what_is_no_query_there_is_pointed_at() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.txt");
    std::fs::write(&file, "bmw AND (audi").unwrap();
    let output = import(&["--from", "talkwalker", file.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert_eq!(text(&output.stderr), "column 9: this parenthesis is not closed\nbmw AND (audi\n        ^\n");
}
