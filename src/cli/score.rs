//! `overheard score`: texts from standard input, scores to standard output, in the same order.

use std::io::{BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;

use crate::assembly;
use crate::config::Settings;
use crate::decode::{read_json, unescape_html};
use crate::domain::{Judgement, Language, Score};
use crate::health::Health;
use crate::inference::InferenceError;
use crate::matching::first_place;
use crate::pipeline::{Judge, PendingJudgements};
use crate::telemetry;

/// What `score` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A line that begins with { is a JSON object with the keys text, id (a text or number; the line's \
number without it), target and language (what the text claims to be in, such as \"de\"); any other \
line is a text. References such as &amp; are decoded. The text is scored towards the first place where it holds the target, in whatever \
case; where it does not, as a whole, and the answer says \"target_found\": false. A text in a \
language that no model scores gets a label of null and a reason. A line that can't be read gives \
an object with error, and the exit code is 1 at the end.")]
pub(super) struct Arguments {
    /// Model to score every line with, whatever its language, instead of those that the
    /// configuration names
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

/// One line of output.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Line {
    Scored {
        id: Value,
        language: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        target_found: Option<bool>,
        label: &'static str,
        negative: f64,
        neutral: f64,
        positive: f64,
        polarity: f64,
        model: String,
    },
    Unscored {
        id: Value,
        language: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        target_found: Option<bool>,
        /// Null.
        label: (),
        reason: String,
    },
    Failed {
        id: Value,
        error: String,
    },
}

/// What a line asks for.
#[derive(Debug, PartialEq)]
struct Question {
    text: String,
    target: Option<String>,
    language: Option<String>,
}

/// A line whose answer is on its way.
struct Job {
    id: Value,
    target_found: Option<bool>,
    judgements: Result<PendingJudgements, String>,
}

/// Scores every line; exit code 1 if one of them could not be.
pub(super) async fn run(settings: Settings, arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&telemetry::Options { filter: "warn".to_owned(), ..settings.log.clone() });
    let options = settings.inference()?;
    let judge = tokio::task::spawn_blocking({
        let options = options.clone();
        move || {
            let runtime = assembly::runtime(&options)?;
            let health = Health::new();
            match arguments.model {
                Some(name) => {
                    Ok(Judge::of_any_language(assembly::text_scorer(&runtime, &options, &name, &health)?))
                }
                None => assembly::judge(&runtime, &options, &health),
            }
        }
    })
    .await??;
    let (jobs, mut pending) = mpsc::channel(options.queue.get());
    let scored = judge.languages();
    let reader = tokio::spawn(read_lines(judge, jobs));

    let mut output = BufWriter::new(std::io::stdout());
    let mut failed = false;
    let answered = answer(&mut pending, &scored, &mut output, &mut failed).await;
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
    scored: &[Language],
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
        let Some(Job { id, target_found, judgements }) = next else { return Ok(()) };
        let judged = match judgements {
            Ok(judgements) => match judgements.all().await {
                Err(error @ InferenceError::Stopped) => return Err(error.into()),
                other => other.map(|mut judged| judged.swap_remove(0)).map_err(|error| error.to_string()),
            },
            Err(error) => Err(error),
        };
        *failed |= judged.is_err();
        let line = match judged {
            Ok(judgement) => line(id, target_found, judgement, scored),
            Err(error) => Line::Failed { id, error },
        };
        write_line(output, &line)?;
    }
}

fn line(id: Value, target_found: Option<bool>, judgement: Judgement, scored: &[Language]) -> Line {
    let language = judgement.language.map(|language| language.to_string());
    let Some(Score { sentiment, model }) = judgement.score else {
        let of = language.as_deref().unwrap_or("a language that can't be told");
        let scored = scored.iter().map(Language::as_str).collect::<Vec<_>>().join(", ");
        let reason = format!("no model scores {of}; scored are: {scored}");
        return Line::Unscored { id, language, target_found, label: (), reason };
    };
    Line::Scored {
        id,
        language,
        target_found,
        label: sentiment.label().as_str(),
        negative: rounded(sentiment.negative()),
        neutral: rounded(sentiment.neutral()),
        positive: rounded(sentiment.positive()),
        polarity: rounded(sentiment.polarity()),
        model: model.to_string(),
    }
}

fn write_line(output: &mut impl Write, line: &Line) -> std::io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}

/// Six digits say all that a probability of a network is worth.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1e6).round() / 1e6
}

async fn read_lines(judge: Judge, jobs: mpsc::Sender<Job>) -> anyhow::Result<()> {
    let mut input = BufReader::new(tokio::io::stdin());
    let mut bytes = Vec::new();
    for number in 1u64.. {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes).await.context("Standard input can't be read")? == 0 {
            break;
        }
        let (id, question) = read_line(number, &bytes);
        let (target_found, judgements) = match question {
            Ok(Question { text, target, language }) => {
                let place = target.as_deref().and_then(|target| first_place(&text, target));
                let judgements = judge.submit(&text, language.as_slice(), place.as_slice(), &[place]).await;
                (target.map(|_| place.is_some()), judgements.map_err(|error| error.to_string()))
            }
            Err(error) => (None, Err(error)),
        };
        if jobs.send(Job { id, target_found, judgements }).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// The identifier of a line, and what it asks for, or what is wrong with it.
fn read_line(number: u64, bytes: &[u8]) -> (Value, Result<Question, String>) {
    let by_number = Value::from(number);
    let Ok(line) = std::str::from_utf8(bytes) else {
        return (by_number, Err("the line is not UTF-8".to_owned()));
    };
    let line = line.trim_start_matches('\u{FEFF}').trim_end_matches(['\r', '\n']);
    if !line.trim_start().starts_with('{') {
        let text = unescape_html(line).into_owned();
        return (by_number, Ok(Question { text, target: None, language: None }));
    }
    let mut object = match read_json(line.as_bytes()) {
        Ok((Value::Object(object), _)) => object,
        Ok(_) => return (by_number, Err("the line begins with { but is no JSON object".to_owned())),
        Err(error) => {
            return (by_number, Err(format!("the line begins with {{ but is no JSON object: {error}")));
        }
    };
    let id = match object.remove("id") {
        None | Some(Value::Null) => by_number,
        Some(id @ (Value::String(_) | Value::Number(_))) => id,
        Some(_) => return (by_number, Err("id must be a text or a number".to_owned())),
    };
    (id, read_question(&mut object))
}

fn read_question(object: &mut serde_json::Map<String, Value>) -> Result<Question, String> {
    let mut optional = |key: &str| match object.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{key} must be a text")),
    };
    let (target, language) = (optional("target")?, optional("language")?);
    if let Some(tag) = &language {
        tag.parse::<Language>().map_err(|error| format!("language: {error}"))?;
    }
    let text = optional("text")?.ok_or("text is missing")?;
    Ok(Question { text: unescape_html(&text).into_owned(), target, language })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_texts_or_objects() {
        let question = |text: &str, target: Option<&str>, language: Option<&str>| {
            let owned = |text: &str| text.to_owned();
            Ok(Question { text: owned(text), target: target.map(owned), language: language.map(owned) })
        };
        assert_eq!(read_line(3, b"I love it\r\n"), (3.into(), question("I love it", None, None)));
        assert_eq!(
            read_line(3, "\u{FEFF}I &lt;3 it".as_bytes()),
            (3.into(), question("I <3 it", None, None))
        );
        let marked = "\u{FEFF}{\"text\":\"can&#x27;t \\ud83d\"}";
        assert_eq!(read_line(4, marked.as_bytes()), (4.into(), question("can't \u{FFFD}", None, None)));
        let object = br#"{"id":"a","text":"ok","target":"it","language":"pt-br"}"#;
        assert_eq!(read_line(1, object), ("a".into(), question("ok", Some("it"), Some("pt-br"))));
        assert_eq!(read_line(4, br#"{"text":"ok"}"#), (4.into(), question("ok", None, None)));
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
            (br#"{"id":7,"text":"x","language":"English"}"#, 7.into(), "English"),
        ] {
            let (found, result) = read_line(9, line);
            assert_eq!(found, id);
            assert!(result.unwrap_err().contains(word));
        }
    }
}
