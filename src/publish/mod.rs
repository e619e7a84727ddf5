//! Kafka out: alert messages and dead letters.
//!
//! Both go through one idempotent producer and count as sent only when the broker has
//! acknowledged them. A message that the broker can't take is an error that is transient or not;
//! the caller decides whether to try again.

mod dead_letter;
mod producer;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::Secret;

pub use producer::{PublishError, Publisher};

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
    pub client: BTreeMap<String, Secret>,
}
