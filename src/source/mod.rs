//! Kafka in: a consumer group member on a thread of its own.
//!
//! The thread polls for as long as the process lives, also while it delivers nothing, so that it
//! stays in the group. Records leave through a bounded channel; when it is full, the partitions are
//! paused and nothing is dropped. Each record carries an [`Ack`]. Its offset is stored only once
//! everything before it in its partition is durable, under the lock that rebalances take as well, so
//! no offset of a revoked partition is ever stored.
//!
//! - `consumer` is the thread: wait for topics, consume, drain, close.
//! - `group` holds what rebalances and completions share.
//! - `brokers` says when brokers go and come back.
//! - `probe` is a client beside the group's.
//! - `range` reads a part of a topic once, without a group.
//! - `progress` asks the broker for the ends of partitions, and says how far they are read.
//!
//! [`Ack`]: crate::domain::Ack

mod brokers;
mod consumer;
mod error;
mod group;
mod probe;
mod progress;
mod range;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;

use crate::domain::{ExposeSecret, SecretString};

pub use consumer::Source;
pub use error::SourceError;
pub use group::Offsets;
pub use progress::{AssignedPartition, Observation};
pub use range::{Extent, Stretch, TopicRange, extents};

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
    /// Who this process is in the group, so that it finds its partitions again after a crash. None
    /// makes it a new member each time.
    pub instance_id: Option<String>,
    /// Where a group without committed offsets begins: `earliest` or `latest`.
    pub start: String,
    /// After this long without a heartbeat the broker gives partitions to others.
    pub session_timeout: Duration,
    /// How long records of a partition that is being taken away may take to be settled.
    pub drain_timeout: Duration,
    /// Records that may wait for the next step.
    pub queue: NonZeroUsize,
    /// Bytes that may be in flight, from here to their settlement: keys, payloads and what is decoded
    /// from them. A single larger record is let through alone.
    pub in_flight_bytes: NonZeroUsize,
    /// Properties for librdkafka: brokers, TLS, SASL and whatever an operator adds.
    pub client: BTreeMap<String, SecretString>,
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
            config.set(key, value.expose_secret());
        }
        config
    }
}

/// Checks that librdkafka knows a property and accepts its value. Connects to nothing.
///
/// # Errors
/// librdkafka's own words, which may hold the value.
pub fn check_property(property: &str, value: &SecretString) -> Result<(), String> {
    let asked = ClientConfig::new().set(property, value.expose_secret()).create_native_config();
    asked.map(drop).map_err(|error| match error {
        KafkaError::ClientConfig(_, words, ..) => format!("librdkafka refuses it: {words}"),
        _ => "has a zero byte in it".to_owned(),
    })
}

/// Has librdkafka check all properties together, such as whether files of certificates can be used.
/// The consumer that is made for it has no brokers to connect to.
///
/// # Errors
/// The configuration is refused.
pub fn check(options: &Options) -> Result<(), SourceError> {
    let mut config = options.client_config();
    config.remove("bootstrap.servers");
    config.create::<BaseConsumer>().map(drop).map_err(SourceError::Configuration)
}

/// A cluster, as one of its brokers describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Number of brokers.
    pub brokers: usize,
    /// Topic -> number of partitions.
    pub partitions: BTreeMap<String, usize>,
}

/// Asks the broker for its topics. Blocks: call it off the async runtime.
///
/// # Errors
/// The configuration is refused, or no broker answers.
pub fn describe_cluster(options: &Options) -> Result<Cluster, SourceError> {
    let consumer: BaseConsumer = options.client_config().create().map_err(SourceError::Configuration)?;
    let metadata =
        consumer.fetch_metadata(None, Duration::from_secs(5)).map_err(|error| SourceError::Unreachable {
            brokers: options
                .client
                .get("bootstrap.servers")
                .map_or_else(String::new, |value| value.expose_secret().to_owned()),
            error,
        })?;
    let partitions = metadata
        .topics()
        .iter()
        .filter(|topic| !topic.partitions().is_empty())
        .map(|topic| (topic.name().to_owned(), topic.partitions().len()))
        .collect();
    Ok(Cluster { brokers: metadata.brokers().len(), partitions })
}
