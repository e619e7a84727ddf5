//! `overheard query explain`: why a text is about a brand, or is not.

use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::Utc;
use clap::Args;
use serde_json::{Value, json};

use super::subject::What;
use crate::config::Settings;
use crate::decode::{Decoded, Format, decode};
use crate::domain::{Position, Post, PostKey, Record, Spans};
use crate::matching::{Explanation, explain};
use crate::pipeline::language_of;

/// What `query explain` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A text that begins with { is a post in overheard's own format. Each part of the query has a line: \
whether it holds, taken alone, and the words by which it does. The exit code is 0 if every text is \
about the brand, else 1.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    what: What,
    /// One JSON object for each text
    #[arg(long)]
    json: bool,
    /// The texts [default: the lines of standard input]
    #[arg(value_name = "TEXT")]
    texts: Vec<String>,
}

/// Explains each text.
pub(super) fn run(
    settings: impl FnOnce() -> anyhow::Result<Settings>,
    arguments: Arguments,
) -> anyhow::Result<ExitCode> {
    let brand = arguments.what.listened_for(|| Ok(settings()?.brands()?))?;
    let texts = if arguments.texts.is_empty() {
        let lines = std::io::stdin().lock().lines().collect::<Result<Vec<_>, _>>();
        lines.context("Standard input can't be read")?
    } else {
        arguments.texts
    };
    let mut output = std::io::stdout().lock();
    let mut all = true;
    for text in texts {
        let post = post(&text)?;
        let explanation = explain(&brand, &post, &|names| language_of(&post, names));
        all &= explanation.found.is_some();
        if arguments.json {
            writeln!(output, "{}", as_json(&explanation, &post))?;
        } else {
            write!(output, "{}", as_lines(&explanation, &post))?;
        }
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn post(text: &str) -> anyhow::Result<Post> {
    let now = Utc::now();
    if !text.starts_with('{') {
        let key = PostKey { source: "text".to_owned(), id: "1".to_owned(), created_at: now };
        return Ok(Post::new(key, text));
    }
    let record = Record {
        position: Position { topic: "arguments".into(), partition: 0, offset: 0 },
        key: None,
        payload: Some(text.as_bytes().to_vec()),
        appended_at: None,
        received_at: now,
    };
    let mut contents = decode(&Format::Post.into(), &record);
    match (contents.rejection, contents.items.pop()) {
        (None, Some(Decoded::Post(post))) => Ok(*post),
        (Some(rejection), _) => bail!("The post can't be read: {}", rejection.detail),
        _ => bail!("The text is an event of our own format, but no post"),
    }
}

/// What stands in the places, with its bytes: `"VMware" at 4..10`.
fn shown(spans: &Spans, post: &Post) -> Vec<Value> {
    let piece = |part: &str, text: &str, start: usize, end: usize| json!({ "in": part, "start": start, "end": end, "text": &text[start..end] });
    let mut places: Vec<Value> =
        spans.spans.iter().map(|span| piece("text", &post.text, span.start, span.end)).collect();
    places.extend(spans.alt.map(|(number, span)| {
        piece(&format!("alt text {}", number + 1), &post.alt_texts[number], span.start, span.end)
    }));
    places
}

fn as_json(explanation: &Explanation, post: &Post) -> Value {
    let places = |found: &Option<Spans>| found.as_ref().map(|spans| shown(spans, post)).unwrap_or_default();
    let parts: Vec<Value> = explanation
        .parts
        .iter()
        .map(|part| {
            json!({ "depth": part.depth, "part": part.text, "holds": part.holds, "places": places(&part.places) })
        })
        .collect();
    json!({
        "text": post.text,
        "matches": explanation.found.is_some(),
        "places": places(&explanation.found),
        "parts": parts,
    })
}

fn as_lines(explanation: &Explanation, post: &Post) -> String {
    let words = |spans: &Option<Spans>| -> String {
        let places = spans.as_ref().map(|spans| shown(spans, post)).unwrap_or_default();
        let shown = places.iter().map(|place| {
            let part = if place["in"] == "text" {
                String::new()
            } else {
                format!("{} ", place["in"].as_str().unwrap_or(""))
            };
            format!("{} at {part}{}..{}", place["text"], place["start"], place["end"])
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    let verdict = match &explanation.found {
        None => "no match".to_owned(),
        found => match words(found) {
            words if words.is_empty() => "match, by what stands beside the text".to_owned(),
            words => format!("match: {words}"),
        },
    };
    let mut lines = format!("{verdict}\n");
    // Lists are long, and what does not stand in the text is most of them.
    let is_list = explanation.parts.len() > 1 && explanation.parts.iter().all(|part| part.depth == 0);
    let mut others = 0;
    for part in &explanation.parts {
        if is_list && !part.holds {
            others += 1;
            continue;
        }
        let holds = if part.holds { "yes" } else { "no " };
        let line = format!("  {holds} {}{}  {}", "  ".repeat(part.depth), part.text, words(&part.places));
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    if others > 0 {
        let _ = writeln!(lines, "  no  {others} other terms and exclusions");
    }
    lines
}
