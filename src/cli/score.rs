//! `overheard score`: texts from standard input, scores to standard output, in the same order.

use std::io::{BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;

use super::assemble;
use crate::config::Settings;
use crate::inference::{InferenceError, PendingScore, TextScorer};
use crate::telemetry;

/// What `score` takes.
#[derive(Debug, Args)]
#[command(long_about = "Score texts from standard input, one JSON object a line.

A line that begins with { is a JSON object with the keys text, id (a text or number; the line's \
number without it) and target; any other line is a text. target is accepted but this model scores \
the text as a whole. A line that can't be scored gives an object with error, and the exit code is 1 \
at the end.")]
pub(super) struct Arguments {
    /// Model to score with, instead of the one that the configuration names
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

/// One line of output.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Scored {
        id: Value,
        language: Option<&'a str>,
        label: &'static str,
        negative: f64,
        neutral: f64,
        positive: f64,
        polarity: f64,
        model: &'a str,
    },
    Failed {
        id: Value,
        error: String,
    },
}

struct Job {
    id: Value,
    score: Result<PendingScore, String>,
}

/// Scores every line; exit code 1 if one of them could not be.
pub(super) async fn run(settings: Settings, arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&telemetry::Options { filter: "warn".to_owned(), ..settings.log.clone() });
    let mut options = settings.inference()?;
    if let Some(model) = arguments.model {
        options.text_model = model;
    }
    let scorer = tokio::task::spawn_blocking({
        let options = options.clone();
        move || assemble::text_scorer(&assemble::runtime(&options)?, &options)
    })
    .await??;
    let model = scorer.model().to_string();
    let (jobs, mut pending) = mpsc::channel(options.queue.get());
    let reader = tokio::spawn(read_lines(scorer, jobs));

    let mut output = BufWriter::new(std::io::stdout());
    let mut failed = false;
    let answered = answer(&mut pending, &model, &mut output, &mut failed).await;
    match answered {
        // Whoever read the output has seen enough, and the rest of the input is of no interest.
        Err(error) if is_broken_pipe(&error) => return Ok(ExitCode::SUCCESS),
        result => result?,
    }
    reader.await??;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Writes an answer for every line, in order.
async fn answer(
    pending: &mut mpsc::Receiver<Job>,
    model: &str,
    output: &mut impl Write,
    failed: &mut bool,
) -> anyhow::Result<()> {
    loop {
        let next = if let Ok(job) = pending.try_recv() {
            Some(job)
        } else {
            // Nothing is waiting: whoever reads along line by line gets what there is.
            output.flush()?;
            pending.recv().await
        };
        let Some(Job { id, score }) = next else { return Ok(()) };
        let score = match score {
            Ok(score) => match score.await {
                Err(error @ InferenceError::Stopped) => return Err(error.into()),
                other => other.map_err(|error| error.to_string()),
            },
            Err(error) => Err(error),
        };
        *failed |= score.is_err();
        let line = match score {
            Ok(sentiment) => Line::Scored {
                id,
                language: None,
                label: sentiment.label().as_str(),
                negative: rounded(sentiment.negative()),
                neutral: rounded(sentiment.neutral()),
                positive: rounded(sentiment.positive()),
                polarity: rounded(sentiment.polarity()),
                model,
            },
            Err(error) => Line::Failed { id, error },
        };
        write_line(output, &line)?;
    }
}

fn write_line(output: &mut impl Write, line: &Line<'_>) -> std::io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}

/// Six digits say all that a probability of a network is worth.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1e6).round() / 1e6
}

async fn read_lines(scorer: TextScorer, jobs: mpsc::Sender<Job>) -> anyhow::Result<()> {
    let mut input = BufReader::new(tokio::io::stdin());
    let mut bytes = Vec::new();
    for number in 1u64.. {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes).await.context("Standard input can't be read")? == 0 {
            break;
        }
        let (id, text) = read_line(number, &bytes);
        let score = match text {
            Ok(text) => scorer.submit(&text).await.map_err(|error| error.to_string()),
            Err(error) => Err(error),
        };
        if jobs.send(Job { id, score }).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// The identifier and the text of a line, or what is wrong with it.
fn read_line(number: u64, bytes: &[u8]) -> (Value, Result<String, String>) {
    let by_number = Value::from(number);
    let Ok(line) = std::str::from_utf8(bytes) else {
        return (by_number, Err("the line is not UTF-8".to_owned()));
    };
    let line = line.trim_end_matches(['\r', '\n']);
    if !line.trim_start().starts_with('{') {
        return (by_number, Ok(line.to_owned()));
    }
    let mut object: serde_json::Map<String, Value> = match serde_json::from_str(line) {
        Ok(object) => object,
        Err(error) => {
            return (by_number, Err(format!("the line begins with {{ but is no JSON object: {error}")));
        }
    };
    let id = match object.remove("id") {
        None | Some(Value::Null) => by_number,
        Some(id @ (Value::String(_) | Value::Number(_))) => id,
        Some(_) => return (by_number, Err("id must be a text or a number".to_owned())),
    };
    if !matches!(object.remove("target"), None | Some(Value::Null | Value::String(_))) {
        return (id, Err("target must be a text".to_owned()));
    }
    match object.remove("text") {
        Some(Value::String(text)) => (id, Ok(text)),
        Some(_) => (id, Err("text must be a text".to_owned())),
        None => (id, Err("text is missing".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_texts_or_objects() {
        assert_eq!(read_line(3, b"I love it\r\n"), (3.into(), Ok("I love it".to_owned())));
        let object = br#"{"id":"a","text":"ok","target":"it"}"#;
        assert_eq!(read_line(1, object), ("a".into(), Ok("ok".to_owned())));
        assert_eq!(read_line(4, br#"{"text":"ok"}"#), (4.into(), Ok("ok".to_owned())));
    }

    #[test]
    fn bad_lines_keep_their_id_and_say_what_is_wrong() {
        for (line, id, word) in [
            (&b"\xff\xfe"[..], Value::from(9), "UTF-8"),
            (b"{broken", 9.into(), "JSON"),
            (br#"{"id":7}"#, 7.into(), "missing"),
            (br#"{"id":7,"text":[]}"#, 7.into(), "text"),
            (br#"{"id":{},"text":"x"}"#, 9.into(), "id"),
            (br#"{"id":7,"text":"x","target":3}"#, 7.into(), "target"),
        ] {
            let (found, result) = read_line(9, line);
            assert_eq!(found, id);
            assert!(result.unwrap_err().contains(word));
        }
    }
}
