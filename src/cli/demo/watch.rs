//! Reads back what the daemon publishes, as any consumer of its topics would.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;

use crate::config::Settings;

/// A dead letter, as its headers tell it.
pub(super) struct DeadLetter {
    pub(super) reason: String,
    pub(super) detail: String,
    pub(super) topic: String,
}

/// Consumers of the daemon's output topics, outside its group.
pub(super) struct Watch {
    alerts: BaseConsumer,
    dead_letters: BaseConsumer,
    seen: Vec<Value>,
}

impl Watch {
    /// Starts reading from the beginning of both topics.
    pub(super) fn start(settings: &Settings) -> anyhow::Result<Self> {
        let reader = |topic: &str| -> anyhow::Result<BaseConsumer> {
            let mut config = ClientConfig::new();
            config.set("group.id", "overheard-demo-watch");
            for (key, value) in &settings.publish.client {
                config.set(key, value.expose());
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
            seen: Vec::new(),
        })
    }

    /// A line for each alert message that came since the last call.
    pub(super) fn new_alerts(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(Ok(message)) = self.alerts.poll(Duration::ZERO) {
            let Some(Ok(alert)) = message.payload().map(serde_json::from_slice::<Value>) else { continue };
            lines.push(line(&alert));
            self.seen.push(alert);
        }
        lines
    }

    /// All alert messages so far.
    pub(super) fn alerts(&self) -> &[Value] {
        &self.seen
    }

    /// All dead letters so far.
    pub(super) fn dead_letters(&self) -> Vec<DeadLetter> {
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

    /// Waits until the daemon's group has committed everything that was played.
    pub(super) async fn until_settled(&mut self, settings: &Settings, played: usize) -> anyhow::Result<()> {
        let mut config = ClientConfig::new();
        config.set("group.id", &settings.source.group);
        for (key, value) in &settings.source.client {
            config.set(key, value.expose());
        }
        let group: BaseConsumer = config.create()?;
        let topics = settings.source.topics.clone();
        let committed = tokio::task::spawn_blocking(move || -> anyhow::Result<i64> {
            let mut list = TopicPartitionList::new();
            for topic in &topics {
                list.add_partition(topic, 0);
            }
            let began = Instant::now();
            let played = i64::try_from(played)?;
            loop {
                let offsets = group.committed_offsets(list.clone(), Duration::from_secs(5));
                let offsets = offsets.context("The group's offsets can't be read")?;
                let settled: i64 =
                    offsets.elements().iter().filter_map(|e| e.offset().to_raw()).filter(|o| *o > 0).sum();
                if settled >= played || began.elapsed() > Duration::from_secs(30) {
                    return Ok(settled);
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        })
        .await??;
        if usize::try_from(committed)? < played {
            bail!(
                "Only {committed} of {played} records were settled in time; OVERHEARD__LOG__FILTER=info shows more"
            );
        }
        Ok(())
    }
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
