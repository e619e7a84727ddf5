//! The outbox relay: publishes alert messages, those of a brand in their order. One process at a
//! time does: see `leader`.
//!
//! A message is marked as sent only after the broker has acknowledged it. After a crash between
//! the two it is sent again, under the same `message_id`. One that the broker does not take holds
//! back the messages of its own key, and no others.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::leader::{LeaderTask, Work};
use super::{Components, PipelineError};
use crate::health::Stage;
use crate::metrics;
use crate::publish::PublishError;
use crate::store::{LeaderLock, OutboxMessage, Relay};

/// Messages read from the outbox at once.
const BATCH: u32 = 100;
/// How often messages sent long ago are deleted.
const FORGET_EVERY: Duration = Duration::from_hours(1);
/// How often the outbox is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// How long a key is held back after a message was not taken: twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The leader's task.
pub(super) struct OutboxRelay {
    components: Components,
    forgotten_at: Instant,
    measured_at: Option<Instant>,
    held_back: HashMap<String, HeldBack>,
}

/// A key of which a message was not taken.
struct HeldBack {
    until: Instant,
    failures: u32,
}

impl LeaderTask for OutboxRelay {
    type Duty = Relay;
    const STAGE: Stage = Stage::Relay;
    const WHAT: &'static str = "publish the outbox";
    const LAST_SUCCESS: &'static str = metrics::RELAY_LAST_SUCCESS;
    /// For alerts that fired since the turn before.
    const LAST_TURN: bool = true;

    fn components(&self) -> &Components {
        &self.components
    }

    fn not_leader(&self) {
        show_backlog(0.0, 0.0);
    }

    async fn turn(&mut self, _lock: &mut LeaderLock<Relay>) -> Result<Work, PipelineError> {
        let store = self.components.store.clone();
        loop {
            let held_back = self.held_back_now();
            let messages = store.pending(BATCH, &held_back).await?;
            if messages.is_empty() {
                break;
            }
            let mut rest = messages.as_slice();
            while !rest.is_empty() {
                let (wave, later) = rest.split_at(wave_length(rest));
                self.publish(wave).await?;
                rest = later;
            }
        }
        if self.measured_at.is_none_or(|at| at.elapsed() > MEASURE_EVERY) {
            self.measured_at = Some(Instant::now());
            let backlog = store.outbox_backlog().await?;
            #[expect(clippy::cast_precision_loss, reason = "messages are far below 2^52")]
            show_backlog(backlog.messages as f64, backlog.oldest_seconds);
        }
        if self.forgotten_at.elapsed() > FORGET_EVERY {
            self.forgotten_at = Instant::now();
            store.forget_sent().await?;
        }
        Ok(if self.held_back.is_empty() { Work::Done } else { Work::HeldBack })
    }
}

impl OutboxRelay {
    pub(super) fn new(components: Components) -> Self {
        Self { components, forgotten_at: Instant::now(), measured_at: None, held_back: HashMap::new() }
    }

    fn held_back_now(&self) -> Vec<String> {
        let now = Instant::now();
        self.held_back.iter().filter(|(_, held)| held.until > now).map(|(key, _)| key.clone()).collect()
    }

    /// Publishes messages of different keys together, and marks those that were acknowledged even
    /// where another one fails. Keys of those that fail are held back.
    async fn publish(&mut self, wave: &[OutboxMessage]) -> Result<(), PipelineError> {
        let held_back = self.held_back_now();
        let wave: Vec<_> = wave.iter().filter(|message| !held_back.contains(&message.key)).collect();
        let mut sent = Vec::with_capacity(wave.len());
        let mut fatal = None;
        let results = join_all(wave.iter().map(|message| self.send(message))).await;
        for (message, result) in wave.iter().zip(results) {
            let result = match result {
                // The topic's limit is for what is sent in one request: alone it may fit.
                Err(error) if error.is_too_large() && wave.len() > 1 => self.send(message).await,
                result => result,
            };
            match result {
                Ok(()) => {
                    sent.push(message.id);
                    self.held_back.remove(&message.key);
                }
                Err(error) if error.is_fatal() => fatal = fatal.or(Some(error)),
                Err(error) => self.hold_back(message, &error),
            }
        }
        let marked = self.components.store.mark_sent(&sent).await;
        ::metrics::counter!(metrics::OUTBOX_PUBLISHED).increment(sent.len() as u64);
        // A fatal error comes first: only a new process can go on.
        fatal.map_or(Ok(()), Err)?;
        Ok(marked?)
    }

    fn hold_back(&mut self, message: &OutboxMessage, error: &PublishError) {
        let now = Instant::now();
        let held = self.held_back.entry(message.key.clone()).or_insert(HeldBack { until: now, failures: 0 });
        let pause = FIRST_PAUSE.saturating_mul(1 << held.failures.min(16)).min(LONGEST_PAUSE);
        held.failures = held.failures.saturating_add(1);
        held.until = now + pause;
        if held.failures.is_power_of_two() {
            tracing::warn!(
                message.id = message.message_id, message.key = message.key, attempts.failed = held.failures,
                error = %error,
                "An alert is not taken: it and later ones of its key wait, others go on"
            );
        }
    }

    async fn send(&self, message: &OutboxMessage) -> Result<(), PublishError> {
        let OutboxMessage { message_id, key, payload, .. } = message;
        self.components.publisher.publish_alert(message_id, key.as_bytes(), payload.as_bytes()).await
    }
}

fn show_backlog(messages: f64, oldest_seconds: f64) {
    ::metrics::gauge!(metrics::OUTBOX_MESSAGES).set(messages);
    ::metrics::gauge!(metrics::OUTBOX_AGE).set(oldest_seconds);
}

/// How many messages may be on their way at once: up to the first key that comes again. If one of
/// a brand's messages is lost, none that follows it can then have overtaken it.
fn wave_length(messages: &[OutboxMessage]) -> usize {
    let mut keys = HashSet::new();
    messages.iter().take_while(|message| keys.insert(&message.key)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_ends_before_a_key_comes_again() {
        let message = |key: &&str| OutboxMessage {
            id: 1,
            message_id: "m".to_owned(),
            key: (*key).to_owned(),
            payload: "{}".to_owned(),
        };
        let length = |keys: &[&str]| wave_length(&keys.iter().map(message).collect::<Vec<_>>());
        assert_eq!(length(&["a", "b", "c"]), 3);
        assert_eq!(length(&["a", "b", "a", "c"]), 2);
        assert_eq!(length(&["a", "a"]), 1);
        assert_eq!(length(&[]), 0);
    }
}
