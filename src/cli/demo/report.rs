//! What the demo shows at its end.

use super::postgres::PrivatePostgres;
use super::say;
use super::watch::Watch;
use crate::config::Settings;
use crate::store::{BrandSummary, Store};

const LATEST_WIDTH: usize = 56;

/// A table per brand, the alerts read back from their topic, and the dead letters.
pub(super) async fn print(store: &Store, watch: &mut Watch, settings: &Settings) -> anyhow::Result<()> {
    say("");
    say(&format!(
        "{:<12} {:>8} {:>9} {:>8} {:>9} {:>9}  latest words",
        "brand", "mentions", "negative", "neutral", "positive", "polarity"
    ));
    for brand in store.brand_summary().await? {
        say(&row(&brand));
    }
    say("");
    // The last ones may still be on their way.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    watch.new_alerts();
    say(&format!(
        "{} messages read back from the topic {}:",
        watch.alerts().len(),
        settings.publish.alert_topic
    ));
    for alert in watch.alerts() {
        let example = alert["examples"].get(0).and_then(|example| example["text"].as_str()).unwrap_or("");
        say(&format!(
            "  {:<8} {:<15} {:<8} {}  {}",
            alert["state"].as_str().unwrap_or("?"),
            alert["rule"].as_str().unwrap_or("?"),
            alert["brand"].as_str().unwrap_or("?"),
            alert["id"].as_str().map_or("?", |id| id.get(..12).unwrap_or(id)),
            shortened(example),
        ));
    }
    let letters = watch.dead_letters();
    say("");
    say(&format!("{} dead letters on the topic {}:", letters.len(), settings.publish.dead_letter_topic));
    for letter in letters {
        say(&format!("  {:<8} from {}: {}", letter.reason, letter.topic, letter.detail));
    }
    Ok(())
}

fn row(brand: &BrandSummary) -> String {
    format!(
        "{:<12} {:>8} {:>9} {:>8} {:>9} {:>9}  {}",
        brand.brand,
        brand.mentions,
        brand.negative,
        brand.neutral,
        brand.positive,
        brand.polarity.map_or("-".to_owned(), |polarity| format!("{polarity:+.2}")),
        shortened(brand.latest.as_deref().unwrap_or("")),
    )
}

fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LATEST_WIDTH {
        return line;
    }
    line.chars().take(LATEST_WIDTH - 1).chain(['…']).collect()
}

/// How to look further and to play on.
pub(super) fn print_way_on(postgres: &PrivatePostgres, brokers: &str, settings: &Settings, keep: bool) {
    let topic = &settings.source.topics[0];
    say("");
    say("Look inside:");
    say(&format!("  {} -c 'SELECT * FROM overheard.brand_hours'", postgres.psql()));
    say(&format!(
        "Send posts of your own to the broker at {brokers} (no TLS, no password), topic {topic}, such as"
    ));
    say(r#"  {"source": "me", "id": "1", "created_at": "2026-01-01T12:00:00Z", "text": "VMware rocks!"}"#);
    say(&format!("  with, for example, kcat -P -b {brokers} -t {topic} post.json"));
    say(if keep {
        "Broker, Postgres and daemon go on until Ctrl-C, and then leave nothing behind."
    } else {
        "Both end now; `make demo ARGS=--keep` (or `overheard demo --keep`) leaves them running for that."
    });
}
