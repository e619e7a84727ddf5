//! Why consuming can't go on.

use rdkafka::error::KafkaError;

/// Why consuming can't begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// librdkafka refuses the configuration.
    #[error("Kafka's client refuses its configuration: {0}; see [kafka] and [kafka.client]")]
    Configuration(KafkaError),
    /// The client can't go on.
    #[error("Kafka's client has failed for good: {0}")]
    Fatal(KafkaError),
    /// Another process has taken this one's place in the group.
    #[error(
        "Another process has joined the group with the same kafka.instance_id, {0:?}, and taken this one's place: give each process its own, or set it to \"none\""
    )]
    Fenced(String),
    /// No broker answers.
    #[error("no broker of {brokers} answers: {error}")]
    Unreachable {
        /// `kafka.brokers`.
        brokers: String,
        /// What the client says.
        error: KafkaError,
    },
    /// A range of a topic can't be read.
    #[error("the topic can't be read: {0}; see [kafka]")]
    Range(KafkaError),
    /// The thread can't be made, or has panicked.
    #[error("The consumer's thread has failed: {0}")]
    Thread(String),
}
