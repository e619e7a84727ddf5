//! What a person types, with the real program.

use std::io::{BufRead, Write};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::daemon::PROGRAM;
use crate::support::database::TestDatabase;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

fn score(input: &[u8]) -> (Output, Vec<Value>) {
    let mut process = Command::new(PROGRAM)
        .args(["score", "--config", "/dev/null"])
        .env("OVERHEARD__INFERENCE__DEVICE", "cpu")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap();
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output, lines)
}

#[test]
fn score_answers_every_line_in_order() {
    let line = |number: usize| {
        let mood = if number.is_multiple_of(2) { "I love it, wonderful" } else { "I hate it, awful" };
        format!("{mood} {}\n", "really ".repeat(number % 23))
    };
    let input: String = (0..12_000).map(line).collect::<Vec<_>>().concat();
    let (output, lines) = score(input.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(lines.len(), 12_000);
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["id"], index + 1);
        assert_eq!(line["language"], "en");
        let polarity = line["polarity"].as_f64().unwrap();
        assert_eq!(polarity > 0.0, index % 2 == 0, "{line}");
        let sum: f64 =
            ["negative", "neutral", "positive"].iter().map(|key| line[key].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-4);
        assert!(line["model"].as_str().unwrap().starts_with("sentiment@"));
    }
}

#[test]
fn score_says_what_is_wrong_with_a_line_and_goes_on() {
    let input = b"{\"id\": \"a\", \"text\": \"It is great\", \"target\": \"it\"}\n{broken\n\xff\xfe\nfine\n{\"id\": 9}\n";
    let (output, lines) = score(input);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0]["id"], "a");
    assert_eq!(lines[0]["label"], "positive");
    assert!(lines[1]["error"].as_str().unwrap().contains("JSON"));
    assert!(lines[2]["error"].as_str().unwrap().contains("UTF-8"));
    assert_eq!(lines[3]["id"], 4);
    assert!(lines[3]["label"].is_string());
    assert_eq!(lines[4]["id"], 9);
    assert!(lines[4]["error"].as_str().unwrap().contains("text is missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_what_is_there_and_what_is_not() {
    let topics = TestTopics::names_only(1);
    topics.make(&["posts", "jetstream", "alerts"]).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url).with_pictures();
    let sick = setup.command(&["doctor"]).output().unwrap();
    let findings = String::from_utf8(sick.stdout).unwrap();
    assert_eq!(sick.status.code(), Some(1), "{findings}");
    for words in [
        "good  broker: 1 in the cluster",
        "good  text model: sentiment@",
        "good  device: cpu",
        "good  vision model: colours@",
        "good  Postgres: 18",
        "run `overheard migrate`",
        "dead-letters: it does not exist; create it, or correct kafka.dead_letter_topic",
        "2 to mend",
    ] {
        assert!(findings.contains(words), "no {words:?} in\n{findings}");
    }

    topics.make(&["dead-letters"]).await;
    assert!(setup.command(&["migrate"]).status().unwrap().success());
    let well = setup.command(&["doctor"]).output().unwrap();
    assert!(well.status.success(), "{}", String::from_utf8_lossy(&well.stdout));

    let nowhere =
        Setup::new(&topics, "postgres://nobody@127.0.0.1:1/none").with("KAFKA__BROKERS", "127.0.0.1:1");
    let nowhere = nowhere.with("POSTGRES__CONNECT_TIMEOUT", "2s").command(&["doctor"]).output().unwrap();
    let findings = String::from_utf8(nowhere.stdout).unwrap();
    assert!(findings.contains("BAD   broker"), "{findings}");
    assert!(findings.contains("BAD   Postgres"), "{findings}");
}

#[test]
fn version_names_the_libraries_and_nothing_is_reported() {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(PROGRAM)
        .args(["--version", "--config", "/dev/null"])
        .env("HOME", home.path())
        .env_remove("ORT_DISABLE_TELEMETRY")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for words in [concat!("overheard ", env!("CARGO_PKG_VERSION")), "librdkafka 2.", "ONNX Runtime 1."] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    // ONNX Runtime keeps what it means to report in the home folder.
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn score_answers_while_its_input_is_still_open() {
    let mut process = Command::new(PROGRAM)
        .args(["score", "--config", "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let mut answers = std::io::BufReader::new(process.stdout.take().unwrap());
    for number in 1..=3 {
        writeln!(stdin, "I love it").unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["id"], number);
    }
    // Whoever read has gone: the next answer finds nobody, and the program ends though its input
    // is open.
    drop(answers);
    writeln!(stdin, "I love it").unwrap();
    assert!(process.wait().unwrap().success());
}

/// The commands that `--help` lists, but for `help` itself.
fn listed_commands() -> Vec<String> {
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let lines =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

#[test]
fn shells_get_completions_for_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let output = Command::new(PROGRAM).args(["completions", shell]).output().unwrap();
        assert!(output.status.success());
        let script = String::from_utf8(output.stdout).unwrap();
        for command in listed_commands() {
            assert!(script.contains(&command), "no {command} in\n{script}");
        }
    }
    // What bash itself makes of it, where a word is begun.
    let script = "source <(\"$1\" completions bash); COMP_WORDS=(overheard resc); COMP_CWORD=1; \
                  _overheard overheard resc overheard; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["-c", script, "bash", PROGRAM]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "rescore", "{output:?}");
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let written = Command::new(PROGRAM).args(["man", "--out"]).arg(&pages).status().unwrap();
    assert!(written.success());
    let page = |name: &str| std::fs::read_to_string(pages.join(name)).unwrap();
    let commands = listed_commands();
    assert!(commands.len() >= 9, "{commands:?}");
    for command in &commands {
        assert!(
            page("overheard.1").contains(&format!("overheard\\-{}", command.replace('-', "\\-"))),
            "{command}"
        );
        assert!(page(&format!("overheard-{command}.1")).contains(".SH SYNOPSIS"), "{command}");
    }
}
