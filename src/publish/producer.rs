//! The producer, and what can go wrong with it.

use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
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
}

impl PublishError {
    /// Whether the same message may be taken later.
    pub fn is_transient(&self) -> bool {
        !matches!(self, Self::Configuration(_)) && !self.is_too_large()
    }

    /// Whether the broker refuses the message for its size.
    pub fn is_too_large(&self) -> bool {
        let Self::Delivery { error, .. } = self else { return false };
        matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize)
        )
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

    /// Sends one message and waits until the broker has acknowledged it.
    ///
    /// # Errors
    /// The broker did not take it within the delivery time-out.
    pub async fn send(
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
            Err((error, _)) => Err(PublishError::Delivery { topic: topic.to_owned(), error }),
        }
    }

    /// Waits until everything sent is acknowledged. Blocks: call it off the async runtime.
    pub fn flush(&self, timeout: Duration) {
        if let Err(error) = self.producer.flush(timeout) {
            tracing::warn!(error = %error, "Not everything that was published is acknowledged");
        }
    }
}
