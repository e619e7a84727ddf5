//! The producer and its errors.

use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};

use super::Options;
use crate::domain::ExposeSecret;
use crate::metrics;

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
    /// The producer can no longer guarantee order without repeats, and sends nothing any more.
    #[error(
        "Kafka's producer has failed for good: {0}; if it may not write, give it the rights WRITE on its topics and IDEMPOTENT_WRITE on the cluster"
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

    /// The error of a delivery. If the producer has a fatal error, that one counts, whatever the
    /// message's own error is: nothing will be sent any more.
    pub(super) fn of_delivery(topic: &str, error: KafkaError, fatal: Option<String>) -> Self {
        match fatal {
            Some(reason) => Self::Fatal(reason),
            None if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) => {
                Self::Fatal(error.to_string())
            }
            None => Self::Delivery { topic: topic.to_owned(), error },
        }
    }
}

/// librdkafka's words in the log.
pub(super) struct Logging;

impl ConsumerContext for Logging {}

impl ClientContext for Logging {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Debug | RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => {
                tracing::debug!(kafka.facility = facility, "{message}");
            }
            // Failed connections come as errors, too.
            _ if facility == "FAIL" => tracing::debug!(kafka.facility = facility, "{message}"),
            _ => tracing::warn!(kafka.facility = facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        use RDKafkaErrorCode::{
            AllBrokersDown, Authentication, BrokerTransportFailure, OperationTimedOut, PartitionEOF, Resolve,
            SSL,
        };
        // A connection that fails is tried again several times a second. The consumer says when
        // brokers go and come back; here it is counted, and a message that isn't taken says why.
        match error.rdkafka_error_code() {
            Some(AllBrokersDown | PartitionEOF) => {}
            Some(Authentication | BrokerTransportFailure | OperationTimedOut | Resolve | SSL) => {
                ::metrics::counter!(metrics::BROKER_FAILURES, "client" => "producer").increment(1);
                tracing::debug!(error = %error, "Kafka: {reason}");
            }
            _ => tracing::warn!(error = %error, "Kafka: {reason}"),
        }
    }
}

/// The properties of a producer that neither loses nor repeats, and what the operator adds.
pub(super) fn idempotent(options: &Options) -> ClientConfig {
    let mut config = ClientConfig::new();
    // The broker's limit decides, not the client's.
    config.set("enable.idempotence", "true").set("message.max.bytes", "16000000");
    for (key, value) in &options.client {
        config.set(key, value.expose_secret());
    }
    config
}

/// Sends alerts and dead letters. Clones share one producer.
#[derive(Clone)]
pub struct Publisher {
    producer: FutureProducer<Logging>,
    pub(super) alert_topic: String,
    pub(super) dead_letter_topic: String,
}

impl Publisher {
    /// Makes the producer. The broker may still be down.
    ///
    /// # Errors
    /// The configuration is refused.
    pub fn new(options: &Options) -> Result<Self, PublishError> {
        let mut config = idempotent(options);
        config.set("message.timeout.ms", options.delivery_timeout.as_millis().to_string());
        let producer = config.create_with_context(Logging).map_err(PublishError::Configuration)?;
        Ok(Self {
            producer,
            alert_topic: options.alert_topic.clone(),
            dead_letter_topic: options.dead_letter_topic.clone(),
        })
    }

    /// Sends a message to the alert topic and waits until the broker has acknowledged it. `message_id` goes
    /// along in the header `overheard.message-id`. Calls that wait together share requests to the
    /// broker.
    ///
    /// # Errors
    /// The broker did not take it within the delivery time-out.
    pub async fn publish_alert(
        &self,
        message_id: &str,
        key: &[u8],
        payload: &[u8],
    ) -> Result<(), PublishError> {
        let id = Header { key: "overheard.message-id", value: Some(message_id) };
        self.send(&self.alert_topic, Some(key), Some(payload), OwnedHeaders::new().insert(id)).await
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
    use crate::domain::SecretString;

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
        // In flight when the producer failed: the message's own error does not tell.
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
                SecretString::from(cluster.bootstrap_servers()),
            )]),
        })
        .unwrap();
        for message in ["a", "b"] {
            let error = publisher.publish_alert(message, b"acme", b"{}").await.unwrap_err();
            assert!(error.is_fatal(), "{error}");
        }
    }
}
