//! Kafka out: alert messages, dead letters, and what feeds bring.
//!
//! Everything goes through idempotent producers and counts as sent only once the broker has
//! acknowledged it. Nothing here retries beyond librdkafka's delivery time-out:
//! [`PublishError::is_transient`] says what may succeed later. A [`TopicWriter`], for feeds, has no
//! such limit; [`Cursors`] keeps how far they were read.

mod cursors;
mod dead_letter;
mod producer;
mod topic;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::SecretString;

pub use cursors::{Cursors, CursorsError};
pub use producer::{PublishError, Publisher};
pub use topic::{Acknowledgement, TopicWriter};

/// How to produce.
#[derive(Clone, Debug)]
pub struct Options {
    /// Topic for alert messages.
    pub alert_topic: String,
    /// Topic for records that can't be used.
    pub dead_letter_topic: String,
    /// How long the broker may take to acknowledge a message.
    pub delivery_timeout: Duration,
    /// Properties for librdkafka: brokers, TLS, SASL and whatever an operator adds.
    pub client: BTreeMap<String, SecretString>,
}
