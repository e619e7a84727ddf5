//! Prints the alerts of the topic overheard.alerts: `cargo run --example alert_consumer -- BROKERS`

use std::collections::HashSet;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde::Deserialize;

/// The fields that are printed; docs/schemas/alert.schema.json has them all.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Incident {
        message_id: String,
        state: String,
        rule: String,
        brand: String,
        value: f64,
        threshold: f64,
    },
    /// Until the daemon has caught up, alerts come late.
    Behind {
        message_id: String,
        state: String,
        since: String,
    },
}

fn main() -> anyhow::Result<()> {
    let brokers = std::env::args().nth(1).unwrap_or_else(|| "localhost:9092".to_owned());
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "alert-example")
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&["overheard.alerts"])?;
    // A real consumer keeps these where its own work is kept.
    let mut seen = HashSet::new();
    loop {
        let Some(message) = consumer.poll(Duration::from_secs(1)) else { continue };
        let message = message?;
        let Some(payload) = message.payload() else { continue };
        let (message_id, line) = match serde_json::from_slice(payload)? {
            Told::Incident { message_id, state, rule, brand, value, threshold } => {
                (message_id, format!("{state:9} {brand:12} {rule}: {value}, threshold {threshold}"))
            }
            Told::Behind { message_id, state, since } => (message_id, format!("{state:9} since {since}")),
        };
        if seen.insert(message_id) {
            println!("{line}");
        }
    }
}
