//! `overheard mute`: hides mentions from all figures, and shows them again.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use super::times::time;
use crate::config::Settings;
use crate::domain::{BrandId, MuteOf};
use crate::privacy::Pseudonyms;
use crate::store::{ListedMute, NewMute, Store, Swept};
use crate::telemetry;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// What `mute` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A muted mention stays stored and is in no count, view or alert; removing the mute brings it back. \
Running daemons hide new mentions from the moment on that a mute is added. Stored ones are hidden \
batch by batch, rows and counts together, before the command ends; one that was cut off is gone on \
with by `overheard mute sweep`. Phrases and hosts are looked for in stored texts, so where texts \
are not kept they hide new mentions only.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Hide mentions by author, host, phrase or network
    Add(Add),
    /// Show mentions again that a mute hides
    Remove(Remove),
    /// Print the mutes, with how many mentions each hides
    List(List),
    /// Finish what a command that was cut off has left
    Sweep,
}

#[derive(Debug, Args)]
struct Add {
    #[command(flatten)]
    of: Of,
    /// Only mentions of this brand
    #[arg(long, value_name = "ID")]
    brand: Option<BrandId>,
    /// Only posts that claim this time or a later one: 2026-03-01, or 2026-03-01T09:30:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<DateTime<Utc>>,
    /// Who mutes [default: the user's name]
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Of {
    /// An account, by its network and its name there (a DID on Bluesky)
    #[arg(long, num_args = 2, value_names = ["SOURCE", "NAME"])]
    author: Option<Vec<String>>,
    /// Posts with a link to this host, or to one below it: example.com
    #[arg(long, value_name = "HOST", value_parser = host)]
    host: Option<String>,
    /// Posts with these words in a row; with a leading # a hashtag, with @ an account
    #[arg(long, value_name = "WORDS", value_parser = phrase)]
    phrase: Option<String>,
    /// All posts of a network
    #[arg(long, value_name = "SOURCE", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    source: Option<String>,
}

#[derive(Debug, Args)]
struct Remove {
    /// The mute's number, as `list` shows it
    #[arg(value_name = "NUMBER")]
    id: i64,
    /// Who removes it [default: the user's name]
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
}

#[derive(Debug, Args)]
struct List {
    /// Those that were removed, too
    #[arg(long)]
    all: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

fn host(text: &str) -> Result<String, String> {
    let is_host = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let whole =
        text.contains('.') && text.chars().all(is_host) && !text.starts_with('.') && !text.ends_with('.');
    if whole { Ok(text.to_lowercase()) } else { Err("write a plain host, such as example.com".to_owned()) }
}

fn phrase(text: &str) -> Result<String, String> {
    let phrase = text.trim();
    let says_something = phrase.trim_start_matches(['#', '@']).chars().any(char::is_alphanumeric);
    if says_something { Ok(phrase.to_owned()) } else { Err("write words that posts say".to_owned()) }
}

impl Of {
    fn mute(self, pseudonyms: &Pseudonyms) -> MuteOf {
        let Self { author, host, phrase, source } = self;
        let author = author.map(|author| MuteOf::Author {
            keys: pseudonyms.of(&author[0], &author[1]).collect(),
            source: author[0].clone(),
        });
        let others = host.map(MuteOf::Host).or(phrase.map(MuteOf::Phrase)).or(source.map(MuteOf::Source));
        // The group requires one of them.
        author.or(others).unwrap_or_else(|| MuteOf::Source(String::new()))
    }
}

pub(super) async fn run(settings: Settings, arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&telemetry::Options { filter: "warn".to_owned(), ..settings.log.clone() });
    let store = Store::connect_lazy(settings.store.clone())?;
    let pending = store.migration_state().await?.pending;
    if pending > 0 {
        bail!("{pending} migrations are pending; run `overheard migrate`");
    }
    match arguments.command {
        Command::Add(add) => {
            let Add { of, brand, since, by, note } = add;
            if let Some(brand) = &brand {
                let is_configured = settings.brands()?.iter().any(|configured| configured.id == *brand);
                if !is_configured && !store.is_mentioned(brand).await? {
                    bail!(
                        "--brand {brand}: no brand of the configuration has this id, and no mention is stored of it"
                    );
                }
            }
            let of = of.mute(&settings.pseudonyms);
            if !settings.store.keep_text && matches!(of, MuteOf::Host(_) | MuteOf::Phrase(_)) {
                eprintln!(
                    "Texts are not kept (postgres.keep_text): stored mentions stay as they are, new ones are hidden"
                );
            }
            let mute = NewMute { of, brand, since, by: by.unwrap_or_else(user), note };
            let id = store.add_mute(&mute).await?;
            println!("Mute {id} is in force: new mentions are hidden");
            sweep(&store).await
        }
        Command::Remove(Remove { id, by }) => {
            if !store.remove_mute(id, &by.unwrap_or_else(user)).await? {
                bail!("No mute {id} is in force; `overheard mute list` shows those that are");
            }
            println!("Mute {id} is removed: new mentions are shown");
            sweep(&store).await
        }
        Command::List(List { all, json }) => {
            for mute in store.mutes(all).await? {
                println!("{}", if json { serde_json::to_string(&mute)? } else { line(&mute) });
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Sweep => sweep(&store).await,
    }
}

/// Brings stored mentions into line, with progress on standard error and a summary on standard output.
async fn sweep(store: &Store) -> anyhow::Result<ExitCode> {
    let mut told = Instant::now();
    let swept = loop {
        let tell = |id: i64, swept: Swept| {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                eprintln!("Mute {id}: {} stored mentions looked at", swept.seen);
            }
        };
        match store.sweep_mutes(tell).await {
            // Somebody holds a row for long. What was swept stays so.
            Err(error) if error.is_locked() => tracing::warn!(error = %error, "Trying again"),
            result => break result?,
        }
    };
    let Swept { hidden, shown, kept_hidden, .. } = swept;
    println!(
        "Stored mentions: {hidden} hidden, {shown} shown again, {kept_hidden} still hidden by another mute"
    );
    Ok(ExitCode::SUCCESS)
}

/// The name of whoever runs the command, as the shell knows it.
fn user() -> String {
    std::env::var("USER").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

fn line(mute: &ListedMute) -> String {
    let subject = [mute.source.as_deref(), mute.subject.as_deref()].into_iter().flatten();
    let subject = subject.collect::<Vec<_>>().join(" ");
    let optional = [
        mute.brand.as_ref().map(|brand| format!(", only {brand}")),
        mute.since.map(|since| format!(", since {}", since.to_rfc3339())),
        Some(format!(
            "; hides {} mentions; added {} by {}",
            mute.mentions,
            mute.added_at.to_rfc3339(),
            mute.added_by
        )),
        mute.removed_at
            .zip(mute.removed_by.as_ref())
            .map(|(at, by)| format!(", removed {} by {by}", at.to_rfc3339())),
        mute.note.as_ref().map(|note| format!(" ({note})")),
        (!mute.swept).then(|| "; stored mentions are not in line yet: run `overheard mute sweep`".to_owned()),
    ];
    let rest: String = optional.into_iter().flatten().collect();
    format!("{}: {} {subject}{rest}", mute.id, mute.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_phrases_that_find_nothing_are_refused() {
        assert_eq!(host("Shop.Example").unwrap(), "shop.example");
        for wrong in ["", "shop", "https://shop.example", "shop.example/x", ".example", "a b.example"] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
        assert_eq!(phrase(" promo code ").unwrap(), "promo code");
        for wrong in ["", " ", "#", "@", "!!"] {
            assert!(phrase(wrong).is_err(), "{wrong}");
        }
    }
}
