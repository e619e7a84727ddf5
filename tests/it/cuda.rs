//! The processor and the GPU give the same scores. Runs where a GPU is: `make check-cuda`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::daemon::PROGRAM;

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
    let input: String = texts.iter().map(|text| format!("{text}\n")).collect();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{device} can't be had");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["polarity"].as_f64().unwrap()).collect()
}

#[test]
fn cuda_scores_like_the_processor() {
    if std::env::var_os("OVERHEARD_TEST_CUDA").is_none() {
        eprintln!("SKIPPED: no GPU asked for; where there is one, run `make check-cuda`");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = root.join(".runtime/onnxruntime-cuda/libonnxruntime.so");
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
