//! The producer, and what can go wrong with it.

use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};

use super::Options;

/// Why a message was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// librdkafka refuses the configuration.
    #[error("Kafka's client refuses its configuration: {0}; see [kafka] and [kafka.client]")]
    Configuration(KafkaError),
    /// The broker did not take the message.
    #[error("The topic {topic} did not take a message: {error}")]
    Delivery {
        /// The topic.
        topic: String,
        /// What the broker or the client said.
        error: KafkaError,
    },
    /// The producer can't keep its promise of order without repeats, and sends nothing any more.
    #[error(
        "Kafka's producer has failed for good: {0}; if it may not write, give it the rights WRITE on both topics and IDEMPOTENT_WRITE on the cluster"
    )]
    Fatal(String),
}

impl PublishError {
    /// Whether the same message may be taken later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Delivery { .. }) && !self.is_too_large()
    }

    /// Whether this producer will never send anything again; a new process may.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Fatal(_))
    }

    /// Whether the broker refuses the message for its size.
    pub fn is_too_large(&self) -> bool {
        let Self::Delivery { error, .. } = self else { return false };
        matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize)
        )
    }

    /// What a failed delivery means, given the producer's own fatal error if it has one: that one
    /// is what ails every message from now on, whatever this message's error is called.
    fn of_delivery(topic: &str, error: KafkaError, fatal: Option<String>) -> Self {
        match fatal {
            Some(reason) => Self::Fatal(reason),
            None if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) => {
                Self::Fatal(error.to_string())
            }
            None => Self::Delivery { topic: topic.to_owned(), error },
        }
    }
}

struct Logging;

impl ClientContext for Logging {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Debug | RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => {
                tracing::debug!(kafka.facility = facility, "{message}");
            }
            _ => tracing::warn!(kafka.facility = facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(error = %error, "Kafka: {reason}");
    }
}

/// Sends alerts and dead letters. Clones share one producer.
#[derive(Clone)]
pub struct Publisher {
    producer: FutureProducer<Logging>,
    pub(super) alert_topic: String,
    pub(super) dead_letter_topic: String,
}

impl Publisher {
    /// Makes the producer. The broker need not be there yet.
    ///
    /// # Errors
    /// The configuration is refused.
    pub fn new(options: &Options) -> Result<Self, PublishError> {
        let mut config = ClientConfig::new();
        config
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", options.delivery_timeout.as_millis().to_string())
            // The broker's limit decides, not the client's.
            .set("message.max.bytes", "16000000");
        for (key, value) in &options.client {
            config.set(key, value.expose());
        }
        let producer = config.create_with_context(Logging).map_err(PublishError::Configuration)?;
        Ok(Self {
            producer,
            alert_topic: options.alert_topic.clone(),
            dead_letter_topic: options.dead_letter_topic.clone(),
        })
    }

    /// The topic for alert messages.
    pub fn alert_topic(&self) -> &str {
        &self.alert_topic
    }

    /// Sends an alert's message and waits until the broker has acknowledged it. `message_id` goes
    /// along in the header `overheard.message-id`. Calls that wait together share requests to the
    /// broker.
    ///
    /// # Errors
    /// The broker did not take it within the delivery time-out.
    pub async fn publish_alert(
        &self,
        topic: &str,
        message_id: &str,
        key: &[u8],
        payload: &[u8],
    ) -> Result<(), PublishError> {
        let id = Header { key: "overheard.message-id", value: Some(message_id) };
        self.send(topic, Some(key), Some(payload), OwnedHeaders::new().insert(id)).await
    }

    /// Sends a payload without a key, and waits until the broker has acknowledged it.
    ///
    /// # Errors
    /// The broker did not take it within the delivery time-out.
    pub async fn publish(&self, topic: &str, payload: &[u8]) -> Result<(), PublishError> {
        self.send(topic, None, Some(payload), OwnedHeaders::new()).await
    }

    pub(super) async fn send(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        payload: Option<&[u8]>,
        headers: OwnedHeaders,
    ) -> Result<(), PublishError> {
        let mut record = FutureRecord::<[u8], [u8]>::to(topic).headers(headers);
        record.key = key;
        record.payload = payload;
        match self.producer.send(record, Duration::from_secs(5)).await {
            Ok(_) => Ok(()),
            Err((error, _)) => {
                let fatal = self.producer.client().fatal_error();
                let fatal = fatal.map(|(code, reason)| format!("{code}: {reason}"));
                Err(PublishError::of_delivery(topic, error, fatal))
            }
        }
    }

    /// Waits until everything sent is acknowledged. Blocks: call it off the async runtime.
    pub fn flush(&self, timeout: Duration) {
        if let Err(error) = self.producer.flush(timeout) {
            tracing::warn!(error = %error, "Not everything that was published is acknowledged");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rdkafka::mocking::MockCluster;
    use rdkafka::types::RDKafkaApiKey;

    use super::*;
    use crate::domain::Secret;

    fn delivery(code: RDKafkaErrorCode, fatal: Option<&str>) -> PublishError {
        PublishError::of_delivery("alerts", KafkaError::MessageProduction(code), fatal.map(str::to_owned))
    }

    #[test]
    fn only_what_may_succeed_later_is_transient() {
        let timed_out = delivery(RDKafkaErrorCode::MessageTimedOut, None);
        assert!(timed_out.is_transient() && !timed_out.is_fatal());
        let too_large = delivery(RDKafkaErrorCode::MessageSizeTooLarge, None);
        assert!(!too_large.is_transient() && too_large.is_too_large() && !too_large.is_fatal());
        let fatal = delivery(RDKafkaErrorCode::Fatal, None);
        assert!(!fatal.is_transient() && fatal.is_fatal());
        // In flight when the producer failed: the message's own error says nothing of that.
        let purged = delivery(RDKafkaErrorCode::MessageTimedOut, Some("sequence desynchronised"));
        assert!(!purged.is_transient() && purged.is_fatal());
        assert!(purged.to_string().contains("sequence desynchronised"), "{purged}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_producer_without_the_right_to_be_idempotent_fails_for_good() {
        let cluster = MockCluster::new(1).unwrap();
        let refused = [rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED; 5];
        cluster.request_errors(RDKafkaApiKey::InitProducerId, &refused);
        let publisher = Publisher::new(&Options {
            alert_topic: "alerts".to_owned(),
            dead_letter_topic: "dead-letters".to_owned(),
            delivery_timeout: Duration::from_secs(10),
            client: BTreeMap::from([(
                "bootstrap.servers".to_owned(),
                Secret::new(cluster.bootstrap_servers()),
            )]),
        })
        .unwrap();
        for message in ["a", "b"] {
            let error = publisher.publish_alert("alerts", message, b"acme", b"{}").await.unwrap_err();
            assert!(error.is_fatal(), "{error}");
        }
    }
}
