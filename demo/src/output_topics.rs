//! Reads back what the daemon publishes, as any consumer of its topics would.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use overheard::config::Settings;
use overheard::domain::ExposeSecret;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;

use crate::committed_offsets::CommittedOffsets;

/// How long the last records and alerts may take after the hour.
const COMPLETE_LIMIT: Duration = Duration::from_secs(30);

/// A dead letter, as its headers tell it.
pub(crate) struct DeadLetter {
    pub(crate) reason: String,
    pub(crate) detail: String,
    pub(crate) topic: String,
}

/// Consumers of the daemon's output topics, outside its group, and how far the daemon is.
pub(crate) struct OutputTopics {
    alerts: BaseConsumer,
    dead_letters: BaseConsumer,
    received: Vec<Value>,
    /// How far the daemon is.
    pub(crate) committed: CommittedOffsets,
}

impl OutputTopics {
    /// Starts reading from the beginning of both topics.
    pub(crate) fn consume(settings: &Settings) -> anyhow::Result<Self> {
        let reader = |topic: &str| -> anyhow::Result<BaseConsumer> {
            let mut config = ClientConfig::new();
            config.set("group.id", "overheard-demo-output");
            for (key, value) in &settings.publish.client {
                config.set(key, value.expose_secret());
            }
            let consumer: BaseConsumer = config.create()?;
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(topic, 0, Offset::Beginning)?;
            consumer.assign(&list)?;
            Ok(consumer)
        };
        Ok(Self {
            alerts: reader(&settings.publish.alert_topic)?,
            dead_letters: reader(&settings.publish.dead_letter_topic)?,
            received: Vec::new(),
            committed: CommittedOffsets::poll(settings)?,
        })
    }

    /// A line for each alert message that came since the last call.
    pub(crate) fn new_alerts(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(Ok(message)) = self.alerts.poll(Duration::ZERO) {
            let Some(Ok(alert)) = message.payload().map(serde_json::from_slice::<Value>) else { continue };
            lines.push(line(&alert));
            self.received.push(alert);
        }
        lines
    }

    /// All alert messages so far.
    pub(crate) fn alerts(&self) -> &[Value] {
        &self.received
    }

    /// All dead letters so far.
    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        let mut letters = Vec::new();
        while let Some(Ok(message)) = self.dead_letters.poll(Duration::from_millis(500)) {
            let header = |name: &str| {
                let headers = message.headers()?;
                let found = headers.iter().find(|header| header.key == name)?.value?;
                Some(String::from_utf8_lossy(found).into_owned())
            };
            letters.push(DeadLetter {
                reason: header("overheard.reason").unwrap_or_default(),
                detail: header("overheard.detail").unwrap_or_default(),
                topic: header("overheard.topic").unwrap_or_default(),
            });
        }
        letters
    }

    /// Waits until all records are committed and every alert has resolved, but not for long. Returns
    /// what is missing then, in words.
    pub(crate) async fn until_complete(&mut self, records: usize) -> Vec<String> {
        let began = Instant::now();
        loop {
            self.new_alerts();
            let missing = missing(self.committed.total(), records, &self.received);
            if missing.is_empty() || began.elapsed() > COMPLETE_LIMIT {
                return missing;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn missing(committed: usize, records: usize, alerts: &[Value]) -> Vec<String> {
    let mut missing = Vec::new();
    if committed < records {
        missing.push(format!("only {committed} of {records} records were committed"));
    }
    let ids = |state: &str| -> BTreeSet<String> {
        let alerts = alerts.iter().filter(|alert| alert["state"] == state);
        alerts.filter_map(|alert| alert["id"].as_str().map(str::to_owned)).collect()
    };
    let (firing, resolved) = (ids("firing"), ids("resolved"));
    if firing.is_empty() {
        missing.push("no alert fired".to_owned());
    }
    let open = firing.difference(&resolved).count();
    if open > 0 {
        missing.push(format!("{open} of {} alerts did not resolve", firing.len()));
    }
    missing
}

fn line(alert: &Value) -> String {
    let text = |key: &str| alert[key].as_str().unwrap_or("?").to_owned();
    let when = if alert["state"] == "firing" { text("fired_at") } else { text("resolved_at") };
    let clock = when.get(11..16).unwrap_or("?").to_owned();
    let value = alert["value"].as_f64().unwrap_or(0.0);
    let threshold = alert["threshold"].as_f64().unwrap_or(0.0);
    let measured = if alert["kind"] == "volume" {
        let minutes = alert["window_seconds"].as_u64().unwrap_or(0) / 60;
        format!("{value:.0} mentions in {minutes} min, threshold {threshold:.0}")
    } else {
        format!("{:.0} % negative, threshold {:.0} %", value * 100.0, threshold * 100.0)
    };
    format!("  {clock}  ALERT {:<8} {} {}: {measured}", text("state"), text("brand"), text("rule"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_demo_is_complete_when_all_is_committed_and_every_alert_has_resolved() {
        let (fired, resolved) =
            (json!({"id": "a", "state": "firing"}), json!({"id": "a", "state": "resolved"}));
        let other = json!({"id": "b", "state": "firing"});
        assert!(missing(329, 329, &[fired.clone(), resolved.clone()]).is_empty());
        assert_eq!(missing(7, 329, &[]), ["only 7 of 329 records were committed", "no alert fired"]);
        assert_eq!(missing(329, 329, &[fired, other, resolved]), ["1 of 2 alerts did not resolve"]);
    }
}
