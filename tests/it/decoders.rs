//! Decoding in child processes: the real program's, and programs that end, hang and burn time.

use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use overheard::media::{DecodeOutcome, Decoders, DecodersOptions, decode, perceptual_hash};

use crate::support::daemon::PROGRAM;
use crate::support::picture_files::{jpeg, picture, png_bomb};

const MAX_PIXELS: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();

fn options() -> DecodersOptions {
    DecodersOptions {
        children: NonZeroUsize::new(2).unwrap(),
        memory: NonZeroUsize::new(64 << 20).unwrap(),
        timeout: Duration::from_secs(10),
        max_bytes: NonZeroUsize::new(1 << 20).unwrap(),
        max_pixels: MAX_PIXELS,
        longest_side: None,
    }
}

/// A program that stands in for a child.
fn script(folder: &Path, lines: &str) -> PathBuf {
    let path = folder.join("decoder");
    std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn undecodable(outcome: DecodeOutcome) -> String {
    match outcome {
        DecodeOutcome::Undecodable(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_decodes_and_hashes_as_this_process_would() {
    let decoders = Decoders::with_program(options(), PROGRAM.into());
    let file = jpeg(&picture(400, 300));
    let expected = decode(&file, MAX_PIXELS, None).unwrap().picture;
    for _ in 0..3 {
        let DecodeOutcome::Decoded(decoded) = decoders.decode(&file).await else { panic!("it is a picture") };
        assert!(decoded.picture == expected, "the pixels differ");
        assert_eq!(decoded.hash, perceptual_hash(&expected));
    }
    for bytes in [b"no picture".to_vec(), png_bomb(60_000, 60_000), file[..500].to_vec()] {
        let reason = decode(&bytes, MAX_PIXELS, None).unwrap_err().to_string();
        assert_eq!(undecodable(decoders.decode(&bytes).await), reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_child_ended_gets_another_child() {
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("first");
    let lines = format!("mkdir {} 2>/dev/null && exit 3\nexec {PROGRAM} \"$@\"", first.display());
    let decoders = Decoders::with_program(options(), script(folder.path(), &lines));
    let outcome = decoders.decode(&jpeg(&picture(40, 30))).await;
    assert!(matches!(outcome, DecodeOutcome::Decoded(_)), "{outcome:?}");
    assert!(first.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_ends_every_child_or_takes_too_long_is_undecodable() {
    let file = jpeg(&picture(40, 30));
    for (lines, timeout, reason) in [
        ("exit 3", 10_000, "Decoding it ends the decoder: exit status: 3"),
        ("exec sleep 1000", 100, "Decoding it ends the decoder: it did not answer in time"),
        ("ulimit -S -t 1; while :; do :; done", 10_000, "Decoding it takes longer than 10s"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let options = DecodersOptions { timeout: Duration::from_millis(timeout), ..options() };
        let decoders = Decoders::with_program(options, script(folder.path(), lines));
        assert_eq!(undecodable(decoders.decode(&file).await), reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_starts_no_child_blames_no_file() {
    let decoders = Decoders::with_program(options(), "/nowhere/at/all".into());
    let outcome = decoders.decode(&jpeg(&picture(40, 30))).await;
    assert!(matches!(outcome, DecodeOutcome::Unavailable(_)), "{outcome:?}");
}
