//! Events into one topic, many in flight, each with an acknowledgement to wait for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::future_producer::DeliveryFuture;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};

use super::producer::{Logging, idempotent};
use super::{Options, PublishError};

/// The pause before a record is offered again to a queue that is full.
const FULL_PAUSE: Duration = Duration::from_millis(20);
/// How long the broker may take to name its topics.
const METADATA_LIMIT: Duration = Duration::from_secs(10);

/// Writes to one topic. librdkafka tries each record again until the broker has taken it, in the
/// order in which records were handed in, so a broker that is away costs time and nothing else.
#[derive(Clone)]
pub struct TopicWriter {
    producer: FutureProducer<Logging>,
    topic: Arc<str>,
}

impl TopicWriter {
    /// Makes the producer. The broker may still be down.
    ///
    /// # Errors
    /// The configuration is refused.
    pub fn new(options: &Options, topic: &str) -> Result<Self, PublishError> {
        let mut config = idempotent(options);
        config
            .set("message.timeout.ms", "0")
            .set("linger.ms", "20")
            // As Java's clients do, so that a key keeps its partition whoever writes it.
            .set("partitioner", "murmur2_random");
        let producer = config.create_with_context(Logging).map_err(PublishError::Configuration)?;
        Ok(Self { producer, topic: topic.into() })
    }

    /// The same producer's way into another topic.
    pub(super) fn to(&self, topic: &str) -> Self {
        Self { producer: self.producer.clone(), topic: topic.into() }
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Whether the topic exists.
    ///
    /// # Errors
    /// The broker does not answer.
    pub async fn exists(&self) -> Result<bool, PublishError> {
        let writer = self.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let found = writer.producer.client().fetch_metadata(Some(&writer.topic), METADATA_LIMIT);
            found
                .map(|metadata| {
                    let mut topics = metadata.topics().iter().filter(|topic| topic.name() == &*writer.topic);
                    topics.any(|topic| topic.error().is_none() && !topic.partitions().is_empty())
                })
                .map_err(|error| writer.failed(error))
        });
        asked.await.unwrap_or_else(|error| Err(PublishError::Fatal(error.to_string())))
    }

    /// Hands a record in. Waits only while librdkafka's queue is full.
    ///
    /// # Errors
    /// The record can't be sent, such as one that is too large.
    pub async fn send(&self, key: Option<&[u8]>, payload: &[u8]) -> Result<Acknowledgement, PublishError> {
        let mut record = FutureRecord::<[u8], [u8]>::to(&self.topic).payload(payload);
        record.key = key;
        loop {
            match self.producer.send_result(record) {
                Ok(delivery) => return Ok(Acknowledgement { delivery, writer: self.clone() }),
                Err((error, refused)) if is_full(&error) => {
                    record = refused;
                    tokio::time::sleep(FULL_PAUSE).await;
                }
                Err((error, _)) => return Err(self.failed(error)),
            }
        }
    }

    fn failed(&self, error: KafkaError) -> PublishError {
        let fatal = self.producer.client().fatal_error();
        PublishError::of_delivery(&self.topic, error, fatal.map(|(code, reason)| format!("{code}: {reason}")))
    }
}

fn is_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}

/// Resolves when the broker has taken the record, or never will.
#[must_use = "a record that is not acknowledged may be lost"]
pub struct Acknowledgement {
    delivery: DeliveryFuture,
    writer: TopicWriter,
}

impl Future for Acknowledgement {
    type Output = Result<(), PublishError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.delivery).poll(context).map(|delivered| match delivered {
            Ok(Ok(_)) => Ok(()),
            Ok(Err((error, _))) => Err(self.writer.failed(error)),
            Err(_) => Err(PublishError::Fatal("the producer ended".to_owned())),
        })
    }
}
