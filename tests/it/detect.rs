//! `overheard detect` with the real program. The pictures are drawn here, so no model need see
//! anything in them: what is tested is the command.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{Rgb, RgbImage};
use serde_json::Value;

use crate::support::daemon::PROGRAM;

/// Whether a model is there; where it is not, its tests say that they were skipped.
pub fn is_shipped(model: &str) -> bool {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(model).join("manifest.json");
    if !manifest.is_file() {
        eprintln!("SKIPPED: there is no {}", manifest.display());
    }
    manifest.is_file()
}

/// A picture of stripes and blocks in a folder.
pub fn drawn(folder: &Path, name: &str, width: u32, height: u32) -> PathBuf {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let block = if (x / 40 + y / 30).is_multiple_of(3) { 190 } else { 30 };
        let shade = |value: u32| u8::try_from(value % 256).unwrap();
        Rgb([shade(block + x / 8), shade(block + y / 6), shade(x * y / 97)])
    });
    let path = folder.join(name);
    picture.save(&path).unwrap();
    path
}

fn detect(arguments: &[&str], pictures: &[&Path]) -> (Output, Vec<Value>) {
    let output = Command::new(PROGRAM)
        .args(["detect", "--config", "/dev/null"])
        .args(arguments)
        .args(pictures)
        .env("OVERHEARD__INFERENCE__DEVICE", "cpu")
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output, lines)
}

#[test]
fn detect_answers_every_picture_in_order_and_says_what_is_wrong_with_one() {
    if !is_shipped("logo-detector") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let good = [drawn(folder, "wide.png", 640, 480), drawn(folder, "high.jpg", 300, 900)];
    std::fs::write(folder.join("lie.jpg"), "no picture").unwrap();
    std::fs::write(folder.join("broken.png"), &std::fs::read(&good[0]).unwrap()[..900]).unwrap();
    let bad = ["missing.png", "lie.jpg", "broken.png", ""].map(|name| folder.join(name));
    let pictures = [&good[0], &bad[0], &bad[1], &good[1], &bad[2], &bad[3]].map(PathBuf::as_path);

    let (output, lines) = detect(&[], &pictures);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines.len(), pictures.len());
    for (line, picture) in lines.iter().zip(pictures) {
        assert_eq!(line["path"], picture.to_str().unwrap());
        assert_eq!(line["error"].is_string(), !good.iter().any(|good| good == picture), "{line}");
    }
    assert_eq!((&lines[0]["width"], &lines[0]["height"]), (&640.into(), &480.into()));
    assert_eq!((&lines[3]["width"], &lines[3]["height"]), (&300.into(), &900.into()));
    for line in [&lines[0], &lines[3]] {
        assert!(line["model"].as_str().unwrap().starts_with("logo-detector@"));
        let scores: Vec<f64> = line["sightings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|sighting| {
                for key in ["x", "y", "width", "height"] {
                    assert!(sighting[key].as_f64().unwrap() >= 0.0, "{sighting}");
                }
                assert!(sighting["reported"].is_boolean() && sighting["brand"].is_string());
                sighting["score"].as_f64().unwrap()
            })
            .collect();
        assert!(scores.is_sorted_by(|one, other| one >= other), "{scores:?}");
    }
}

#[test]
fn annotated_copies_neither_collide_nor_overwrite() {
    if !is_shipped("logo-detector") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    std::fs::create_dir_all(&one).unwrap();
    std::fs::create_dir_all(&other).unwrap();
    let pictures = [drawn(&one, "same.png", 200, 100), drawn(&other, "same.jpg", 120, 90)];
    let copies = folder.path().join("copies/here");
    let arguments = ["--annotate", copies.to_str().unwrap()];
    let pictures = [pictures[0].as_path(), pictures[1].as_path()];
    let mut written = Vec::new();
    for _ in 0..2 {
        let (output, lines) = detect(&arguments, &pictures);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        written.extend(lines.iter().map(|line| line["annotated"].as_str().unwrap().to_owned()));
    }
    let names = ["same.png", "same-2.png", "same-3.png", "same-4.png"];
    let expected: Vec<_> = names.iter().map(|name| copies.join(name).to_str().unwrap().to_owned()).collect();
    assert_eq!(written, expected);
    assert_eq!(image::image_dimensions(&written[3]).unwrap(), (120, 90));
}

/// The two ways of the window classifier see the same.
#[test]
fn windows_and_dense_find_the_same() {
    if !is_shipped("logo-windows") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let picture = drawn(folder.path(), "small.png", 80, 30);
    let found = ["windows", "dense"].map(|model| {
        let (output, lines) = detect(&["--model", model], &[&picture]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(lines[0]["model"].as_str().unwrap().starts_with("logo-windows@"));
        lines[0]["sightings"].as_array().unwrap().clone()
    });
    assert_eq!(found[0].len(), found[1].len());
    for (one, other) in found[0].iter().zip(&found[1]) {
        let score = |sighting: &Value| sighting["score"].as_f64().unwrap();
        assert!((score(one) - score(other)).abs() < 1e-3, "{one} and {other}");
    }
}
