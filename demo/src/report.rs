//! What the demo shows at its end.

use chrono::{DateTime, SecondsFormat, Utc};
use overheard::config::Settings;
use overheard::store::{BrandSummary, RecentSighting, Store, Subject};

use crate::console::say;
use crate::output_topics::OutputTopics;
use crate::postgres::PrivatePostgres;
use crate::samples::Change;

/// Most sightings that are shown.
const SIGHTINGS: u32 = 20;
/// Characters in a line.
const WIDTH: usize = 98;

/// A table per brand, what was edited and deleted, the alerts read back from their topic, and the dead
/// letters.
pub(crate) async fn print(
    store: &Store,
    changes: &[Change],
    output: &OutputTopics,
    settings: &Settings,
) -> anyhow::Result<()> {
    say("");
    say(&format!(
        "{:<12} {:>8} {:>9} {:>8} {:>9} {:>9} {:>9}  latest words",
        "brand", "mentions", "negative", "neutral", "positive", "unscored", "polarity"
    ));
    for summary in store.brand_summary().await? {
        say(&row(&summary));
    }
    say("");
    say(&format!("{} posts edited or deleted by their authors:", changes.len()));
    for change in changes {
        say(&change_row(store, change).await?);
    }
    let sightings = store.recent_sightings(SIGHTINGS).await?;
    say("");
    say(&format!("{} logos seen in the pictures of posts:", sightings.len()));
    for sighting in &sightings {
        say(&sighting_row(sighting));
    }
    say("");
    say(&format!(
        "{} messages read back from the topic {}:",
        output.alerts().len(),
        settings.publish.alert_topic
    ));
    for alert in output.alerts() {
        let example = alert["examples"].get(0).and_then(|example| example["text"].as_str()).unwrap_or("");
        let line = format!(
            "  {:<8}  {:<14}  {:<9}  {}  {}",
            alert["state"].as_str().unwrap_or("?"),
            alert["rule"].as_str().unwrap_or("?"),
            alert["brand"].as_str().unwrap_or("?"),
            alert["id"].as_str().map_or("?", |id| id.get(..12).unwrap_or(id)),
            shortened(&one_line(example), 46),
        );
        say(line.trim_end());
    }
    let letters = output.dead_letters();
    say("");
    say(&format!("{} dead letters on the topic {}:", letters.len(), settings.publish.dead_letter_topic));
    for letter in letters {
        let line = format!("  {:<8}  {:<9}  {}", letter.reason, letter.topic, letter.detail);
        say(&shortened(&line, WIDTH));
    }
    Ok(())
}

/// How many mentions there are at a time.
pub(crate) fn mentions_line(now: DateTime<Utc>, mentions: i64) -> String {
    format!("  {}  {mentions:>4} mentions so far", now.format("%H:%M"))
}

fn row(summary: &BrandSummary) -> String {
    let counts = &summary.counts;
    format!(
        "{:<12} {:>8} {:>9} {:>8} {:>9} {:>9} {:>9}  {}",
        summary.brand.as_str(),
        counts.mentions(),
        counts.negative,
        counts.neutral,
        counts.positive,
        counts.unscored,
        counts.polarity().map_or("-".to_owned(), |polarity| format!("{polarity:+.2}")),
        shortened(&one_line(summary.latest.as_deref().unwrap_or("")), 26),
    )
}

async fn change_row(store: &Store, change: &Change) -> anyhow::Result<String> {
    let before = shortened(&one_line(&change.before), 32);
    let Some(after) = &change.after else {
        let subject = Subject::Post { source: change.source.clone(), ids: vec![change.id.clone()] };
        let rows: i64 = store.trace(&subject).await?.iter().map(|(_, rows)| rows).sum();
        return Ok(format!("  deleted  {:<28}  {before}", format!("{rows} rows are left")));
    };
    let labels = store.labels_of(&change.source, &change.id).await?;
    let labels =
        labels.iter().map(|(brand, label)| format!("{brand} {}", label.as_deref().unwrap_or("unscored")));
    let now = labels.collect::<Vec<_>>().join(", ");
    Ok(format!("  edited   {now:<28}  {before} -> {}", shortened(&one_line(after), 22)))
}

fn sighting_row(sighting: &RecentSighting) -> String {
    let file = sighting.url.rsplit('/').next().unwrap_or_default();
    format!(
        "  {:<8}  {:<5}  {:<8}  {:>3.0} % sure, {:>2.0} % of {:<14}  {}",
        sighting.brand,
        sighting.evidence.as_deref().unwrap_or("-"),
        sighting.label.as_deref().unwrap_or("-"),
        sighting.score * 100.0,
        sighting.share * 100.0,
        file,
        shortened(&one_line(sighting.text.as_deref().unwrap_or("")), 32),
    )
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn shortened(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars().take(width - 1).chain(['…']).collect()
}

/// How to look further and to send posts of one's own.
pub(crate) fn print_next_steps(postgres: &PrivatePostgres, brokers: &str, settings: &Settings, keep: bool) {
    let topic = &settings.source.topics[0];
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    say("");
    say("Look inside:");
    say(&format!("  {}", postgres.psql()));
    say("  SELECT * FROM overheard.brand_evidence_hours;");
    say("");
    say("Send a post of your own, one line in a file, with kcat or another client built on librdkafka:");
    say(&format!(r#"  {{"source": "me", "id": "1", "created_at": "{now}", "text": "VMware rocks!"}}"#));
    say(&format!("  kcat -P -b {brokers} -t {topic} post.json"));
    say("");
    say(if keep {
        "All goes on until Ctrl-C, and then leaves nothing behind."
    } else {
        "All of it ends now; `make demo ARGS=--keep` leaves it running for that, until Ctrl-C."
    });
}

/// What went wrong with a demo that was played to its end.
pub(crate) fn print_missing(missing: &[String]) {
    if !missing.is_empty() {
        say("");
        say(&format!("This is not how it should be: {}.", missing.join(", ")));
        say("OVERHEARD__LOG__FILTER=info shows what the daemon does.");
    }
}
