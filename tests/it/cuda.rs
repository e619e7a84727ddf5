//! The processor and the GPU give the same scores. Runs where a GPU is: `make check-cuda`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::detect::{drawn, is_shipped};
use crate::support::daemon::PROGRAM;

fn asked_for() -> bool {
    let asked = std::env::var_os("OVERHEARD_TEST_CUDA").is_some();
    if !asked {
        eprintln!("SKIPPED: no GPU asked for; where there is one, run `make check-cuda`");
    }
    asked
}

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".runtime/onnxruntime-cuda/libonnxruntime.so")
}

/// Polarity of each text on a device, padded among texts of other lengths.
fn polarities(device: &str, library: &Path, texts: &[String]) -> Vec<f64> {
    let mut process = Command::new(PROGRAM)
        .args(["score", "--config", "/dev/null"])
        .env("OVERHEARD__INFERENCE__DEVICE", device)
        .env("OVERHEARD__INFERENCE__LIBRARY", library)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = texts.join("\n") + "\n";
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{device} can't be had");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["polarity"].as_f64().unwrap())
        .collect()
}

#[test]
fn cuda_scores_like_the_processor() {
    if !asked_for() {
        return;
    }
    let library = library();
    let text = |number: usize| {
        let mood = ["I love it", "I hate it", "It arrived on Monday"][number % 3];
        format!("{mood} {}", "and so on ".repeat(number * 7 % 50))
    };
    let texts: Vec<String> = (0..500).map(text).collect();
    let on_cpu = polarities("cpu", &library, &texts);
    let on_cuda = polarities("cuda", &library, &texts);
    assert_eq!(on_cpu.len(), texts.len());
    for (text, (cpu, cuda)) in texts.iter().zip(on_cpu.iter().zip(&on_cuda)) {
        assert!((cpu - cuda).abs() < 1e-3, "{text}: {cpu} on the processor, {cuda} on the GPU");
    }
}

/// What is seen in each picture on a device.
fn sightings(device: &str, model: &str, pictures: &[PathBuf]) -> Vec<Vec<Value>> {
    let output = Command::new(PROGRAM)
        .args(["detect", "--config", "/dev/null", "--model", model])
        .args(pictures)
        .env("OVERHEARD__INFERENCE__DEVICE", device)
        .env("OVERHEARD__INFERENCE__LIBRARY", library())
        .output()
        .unwrap();
    assert!(output.status.success(), "{device}: {}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| line["sightings"].as_array().unwrap().clone()).collect()
}

/// Of what is sure on one device, all is seen on the other in the same place. Pictures of several
/// shapes, so that batches of every canvas are padded.
#[test]
fn cuda_sees_what_the_processor_sees() {
    if !asked_for() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut pictures: Vec<PathBuf> = [(640, 480), (480, 640), (500, 500), (1920, 1080), (90, 60)]
        .iter()
        .map(|(width, height)| drawn(folder.path(), &format!("{width}x{height}.png"), *width, *height))
        .collect();
    for (model, name) in [("detector", "logo-detector"), ("dense", "logo-windows")] {
        if !is_shipped(name) {
            continue;
        }
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name);
        let own = std::fs::read_dir(models).unwrap().map(|entry| entry.unwrap().path());
        pictures.extend(own.filter(|path| path.extension().is_some_and(|extension| extension == "png")));
        let (on_cpu, on_cuda) = (sightings("cpu", model, &pictures), sightings("cuda", model, &pictures));
        for (picture, (cpu, cuda)) in pictures.iter().zip(on_cpu.iter().zip(&on_cuda)) {
            for (seen, other) in [(cpu, cuda), (cuda, cpu)] {
                for sighting in seen.iter().filter(|sighting| sighting["reported"] == true) {
                    let same = |candidate: &&Value| {
                        let near = |key: &str, limit: f64| {
                            (candidate[key].as_f64().unwrap() - sighting[key].as_f64().unwrap()).abs() < limit
                        };
                        candidate["brand"] == sighting["brand"]
                            && near("score", 0.02)
                            && ["x", "y", "width", "height"].iter().all(|key| near(key, 4.0))
                    };
                    assert!(
                        other.iter().any(|candidate| same(&candidate)),
                        "{}: {sighting} in {seen:?}, not in {other:?}",
                        picture.display()
                    );
                }
            }
        }
    }
}
