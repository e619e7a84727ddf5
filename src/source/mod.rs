//! Kafka in: a consumer group member on a thread of its own.
//!
//! The thread polls for as long as the process lives, also while it hands nothing out, so the
//! group never takes it for dead. Records leave through a bounded channel; when it is full, the
//! partitions are paused and nothing is dropped. Each record carries an [`Ack`]; its offset is
//! stored only when everything before it in its partition is durable, under the same lock that a
//! rebalance takes, so an offset of a partition that has gone is never stored.
//!
//! - `consumer` is the thread: wait for topics, consume, drain, close.
//! - `group` holds what a rebalance and a settlement share.
//!
//! [`Ack`]: crate::domain::Ack

mod consumer;
mod group;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;

use crate::domain::Secret;

pub use consumer::{Source, SourceError};
pub use group::Offsets;

/// How to consume.
#[derive(Clone, Debug)]
pub struct Options {
    /// Topics to consume.
    pub topics: Vec<String>,
    /// Topics that are produced to: consuming waits for them too, or a dead letter would find
    /// nowhere to go.
    pub produced: Vec<String>,
    /// Consumer group.
    pub group: String,
    /// Where a group without committed offsets begins: `earliest` or `latest`.
    pub start: String,
    /// After this long without a sign of life the broker gives partitions to others.
    pub session_timeout: Duration,
    /// How long records of a partition that is being taken away may take to be settled.
    pub drain_timeout: Duration,
    /// Records that may wait for the next step.
    pub queue: NonZeroUsize,
    /// Bytes of payloads that may be in flight, from here to their settlement. A single larger
    /// record is let through alone.
    pub in_flight_bytes: usize,
    /// Properties for librdkafka: brokers, TLS, SASL and whatever an operator adds.
    pub client: BTreeMap<String, Secret>,
}

impl Options {
    fn client_config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("group.id", &self.group)
            .set("auto.offset.reset", &self.start)
            .set("session.timeout.ms", self.session_timeout.as_millis().to_string())
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("allow.auto.create.topics", "false")
            // Stored offsets are committed in the background; storing them is ours.
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "1000")
            .set("enable.auto.offset.store", "false")
            .set("statistics.interval.ms", "5000");
        for (key, value) in &self.client {
            config.set(key, value.expose());
        }
        config
    }
}

/// Asks librdkafka whether it knows a property and takes its value. Reaches out to nothing.
///
/// # Errors
/// librdkafka's own words, which may hold the value.
pub fn check_property(property: &str, value: &Secret) -> Result<(), String> {
    let asked = ClientConfig::new().set(property, value.expose()).create_native_config();
    asked.map(drop).map_err(|error| match error {
        KafkaError::ClientConfig(_, words, ..) => format!("librdkafka refuses it: {words}"),
        _ => "has a zero byte in it".to_owned(),
    })
}

/// Has librdkafka judge all properties together, such as whether files of certificates can be used.
/// The consumer that is made for it has no broker to reach out to.
///
/// # Errors
/// The configuration is refused.
pub fn check(options: &Options) -> Result<(), SourceError> {
    let mut config = options.client_config();
    config.remove("bootstrap.servers");
    config.create::<BaseConsumer>().map(drop).map_err(SourceError::Configuration)
}

/// What a broker says of its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// Number of brokers.
    pub brokers: usize,
    /// Topic -> number of partitions.
    pub partitions: BTreeMap<String, usize>,
}

/// Asks the broker for its topics. Blocks: call it off the async runtime.
///
/// # Errors
/// The configuration is refused, or no broker answers.
pub fn look_around(options: &Options) -> Result<Surroundings, SourceError> {
    let consumer: BaseConsumer = options.client_config().create().map_err(SourceError::Configuration)?;
    let metadata =
        consumer.fetch_metadata(None, Duration::from_secs(5)).map_err(|error| SourceError::Unreachable {
            brokers: options
                .client
                .get("bootstrap.servers")
                .map_or_else(String::new, |value| value.expose().to_owned()),
            error,
        })?;
    let partitions = metadata
        .topics()
        .iter()
        .filter(|topic| !topic.partitions().is_empty())
        .map(|topic| (topic.name().to_owned(), topic.partitions().len()))
        .collect();
    Ok(Surroundings { brokers: metadata.brokers().len(), partitions })
}
