//! How far feeds were read, in a compacted topic beside the one that they are written to.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::producer::Logging;
use super::{Acknowledgement, Options, PublishError, TopicWriter};
use crate::domain::ExposeSecret;

/// How long the broker may take to answer one request.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);
/// How long nothing may come while cursors are read.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);
/// The setting that keeps the last record of each key for ever.
const POLICY: &str = "cleanup.policy";
/// Of the topic, where it is made here. Segments are small and short, so that little is read at start.
const CONFIG: [(&str, &str); 4] = [
    (POLICY, "compact"),
    ("segment.ms", "600000"),
    ("segment.bytes", "4194304"),
    ("min.cleanable.dirty.ratio", "0.1"),
];

/// Why cursors can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum CursorsError {
    /// The broker does not answer, or refuses.
    #[error("The topic {topic}, which keeps how far feeds were read, can't be {attempted}: {error}")]
    Kafka {
        /// The topic of cursors.
        topic: String,
        /// What was attempted.
        attempted: &'static str,
        /// What the broker or the client said.
        error: KafkaError,
    },
    /// The topic would forget.
    #[error(
        "The topic {topic} keeps how far feeds were read, but its cleanup.policy is {policy}, so cursors would be deleted with time; run kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config cleanup.policy=compact"
    )]
    Policy {
        /// The topic of cursors.
        topic: String,
        /// Its policy.
        policy: String,
    },
    /// The blocking thread was lost.
    #[error("The thread that reads cursors ended: {0}")]
    Lost(String),
}

impl CursorsError {
    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        use RDKafkaErrorCode::{
            Authentication, ClusterAuthorizationFailed, InvalidReplicationFactor, PolicyViolation,
            SaslAuthenticationFailed, TopicAuthorizationFailed,
        };
        let Self::Kafka { error, .. } = self else { return false };
        !matches!(
            error.rdkafka_error_code(),
            Some(
                Authentication
                    | ClusterAuthorizationFailed
                    | InvalidReplicationFactor
                    | PolicyViolation
                    | SaslAuthenticationFailed
                    | TopicAuthorizationFailed
            )
        )
    }
}

/// Saves cursors. Each has a key, and the last one of a key counts.
pub struct Cursors {
    writer: TopicWriter,
}

impl Cursors {
    /// Makes the topic `<topic>.cursors` where it is missing, and reads what is in it: key to cursor.
    ///
    /// # Errors
    /// The broker does not answer or refuses, or the topic is not compacted.
    pub async fn open(
        options: &Options,
        group: &str,
        writer: &TopicWriter,
    ) -> Result<(Self, BTreeMap<String, String>), CursorsError> {
        let topic = format!("{}.cursors", writer.topic());
        let mut config = ClientConfig::new();
        for (key, value) in &options.client {
            config.set(key, value.expose_secret());
        }
        ensure(&config, &topic).await?;
        // The group is only named: partitions are assigned by hand, and no offset is committed.
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("allow.auto.create.topics", "false");
        let cursors = Self { writer: writer.to(&topic) };
        let read = tokio::task::spawn_blocking(move || read(&config, &topic));
        Ok((cursors, read.await.map_err(|error| CursorsError::Lost(error.to_string()))??))
    }

    /// Hands a cursor in.
    ///
    /// # Errors
    /// The record can't be sent.
    pub async fn save(&self, key: &str, cursor: &str) -> Result<Acknowledgement, PublishError> {
        self.writer.send(Some(key.as_bytes()), cursor.as_bytes()).await
    }
}

fn failed<'a>(topic: &'a str, attempted: &'static str) -> impl Fn(KafkaError) -> CursorsError + 'a {
    move |error| CursorsError::Kafka { topic: topic.to_owned(), attempted, error }
}

async fn ensure(config: &ClientConfig, topic: &str) -> Result<(), CursorsError> {
    let admin: AdminClient<Logging> =
        config.create_with_context(Logging).map_err(failed(topic, "looked at"))?;
    let options = AdminOptions::new().request_timeout(Some(REQUEST_LIMIT));
    let policy = async || {
        let described = admin.describe_configs(&[ResourceSpecifier::Topic(topic)], &options).await;
        let described = described.map_err(failed(topic, "looked at"))?;
        let found = match described.into_iter().next() {
            Some(Ok(found)) => found.get(POLICY).and_then(|entry| entry.value.clone()),
            Some(Err(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)) | None => {
                None
            }
            Some(Err(code)) => {
                return Err(failed(topic, "looked at")(KafkaError::AdminOp(code)));
            }
        };
        Ok(found)
    };
    let found = if let Some(found) = policy().await? {
        found
    } else {
        // As many replicas as the cluster's default.
        let mut wanted = NewTopic::new(topic, 1, TopicReplication::Fixed(-1));
        for (key, value) in CONFIG {
            wanted = wanted.set(key, value);
        }
        let made = admin.create_topics([&wanted], &options).await.map_err(failed(topic, "made"))?;
        match made.into_iter().next() {
            None | Some(Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => "compact".to_owned(),
            Some(Err((_, code))) => return Err(failed(topic, "made")(KafkaError::AdminOp(code))),
        }
    };
    if found.split(',').any(|policy| policy.trim() == "compact") {
        return Ok(());
    }
    Err(CursorsError::Policy { topic: topic.to_owned(), policy: found })
}

/// Reads the topic from its beginning to its end of now. Blocks.
fn read(config: &ClientConfig, topic: &str) -> Result<BTreeMap<String, String>, CursorsError> {
    let failed = failed(topic, "read");
    let consumer: BaseConsumer<Logging> = config.create_with_context(Logging).map_err(&failed)?;
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(topic, 0, Offset::Beginning).map_err(&failed)?;
    consumer.assign(&partitions).map_err(&failed)?;
    let mut cursors = BTreeMap::new();
    let mut last = Instant::now();
    loop {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(record)) => {
                last = Instant::now();
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                match (record.key(), record.payload()) {
                    (Some(key), Some(payload)) => drop(cursors.insert(text(key), text(payload))),
                    (Some(key), None) => drop(cursors.remove(&text(key))),
                    (None, _) => {}
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(cursors),
            // A topic that was made just now is not yet known everywhere.
            Some(Err(error)) if last.elapsed() > SILENCE_LIMIT => return Err(failed(error)),
            None if last.elapsed() > SILENCE_LIMIT => {
                let code = RDKafkaErrorCode::OperationTimedOut;
                return Err(failed(KafkaError::MessageConsumption(code)));
            }
            Some(Err(_)) | None => {}
        }
    }
}
