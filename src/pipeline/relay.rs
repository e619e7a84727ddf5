//! The outbox relay: publishes alert messages, those of a brand in their order, one process at a
//! time.
//!
//! A message is marked as sent only after the broker has acknowledged it. After a crash between
//! the two it is sent again, under the same `message_id`.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::pace::{Pace, Turn};
use super::retry::while_waiting;
use super::{Parts, PipelineError};
use crate::health::Stage;
use crate::metrics;
use crate::publish::PublishError;
use crate::store::{OutboxMessage, RelayCandidate, RelayLock};

/// Messages read from the outbox at once.
const BATCH: u32 = 100;
/// How often messages sent long ago are deleted.
const FORGET_EVERY: Duration = Duration::from_hours(1);

/// Publishes at an interval until told to stop, and once more then.
pub(super) async fn run(
    parts: Parts,
    interval: Duration,
    stop: CancellationToken,
) -> Result<(), PipelineError> {
    let health = parts.health.clone();
    let candidate = parts.store.relay_candidate();
    let mut relay = Relay { parts, candidate, lock: None, forgotten_at: Instant::now() };
    let mut pace = Pace::new(interval, "publish the outbox");
    loop {
        let last = stop.is_cancelled();
        // Every call in it has a limit of its own, so waiting for Postgres and Kafka is progress.
        let ended = while_waiting(&health, Stage::Relay, relay.turn()).await;
        match ended {
            Err(PipelineError::Publish(error)) if error.is_fatal() => return Err(error.into()),
            _ if last => break,
            _ => {}
        }
        let pause = tokio::time::sleep(pace.after(&ended));
        tokio::select! {
            () = stop.cancelled() => {}
            () = while_waiting(&health, Stage::Relay, pause) => {}
        }
    }
    if let Some(lock) = relay.lock {
        lock.release().await;
    }
    health.rest(Stage::Relay);
    Ok(())
}

struct Relay {
    parts: Parts,
    candidate: RelayCandidate,
    lock: Option<RelayLock>,
    forgotten_at: Instant,
}

impl Relay {
    async fn turn(&mut self) -> Result<Turn, PipelineError> {
        let held = match &mut self.lock {
            Some(lock) => lock.is_held().await,
            None => false,
        };
        if !held {
            self.lock = None;
            self.lock = self.candidate.try_lock().await?;
        }
        if self.lock.is_none() {
            return Ok(Turn::NotOurs);
        }
        loop {
            let messages = self.parts.store.pending(BATCH).await?;
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
        if self.forgotten_at.elapsed() > FORGET_EVERY {
            self.forgotten_at = Instant::now();
            self.parts.store.forget_sent().await?;
        }
        Ok(Turn::Done)
    }

    /// Publishes messages of different keys together, and marks those that were acknowledged even
    /// where another one fails.
    async fn publish(&self, wave: &[OutboxMessage]) -> Result<(), PipelineError> {
        let mut sent = Vec::with_capacity(wave.len());
        let mut failure = None;
        for (message, result) in wave.iter().zip(join_all(wave.iter().map(|m| self.send(m))).await) {
            let result = match result {
                // The limit of a topic is for what is sent together: alone it may fit.
                Err(error) if error.is_too_large() && wave.len() > 1 => self.send(message).await,
                result => result,
            };
            match result {
                Ok(()) => sent.push(message.id),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        let marked = self.parts.store.mark_sent(&sent).await;
        ::metrics::counter!(metrics::OUTBOX_PUBLISHED).increment(sent.len() as u64);
        // That the producer has failed for good must not hide behind Postgres's own trouble.
        failure.map_or(Ok(()), Err)?;
        Ok(marked?)
    }

    async fn send(&self, message: &OutboxMessage) -> Result<(), PublishError> {
        let OutboxMessage { message_id, topic, key, payload, .. } = message;
        self.parts.publisher.publish_alert(topic, message_id, key.as_bytes(), payload.as_bytes()).await
    }
}

/// How many messages may be on their way at once: up to the first key that comes again. If one of
/// a brand's messages is lost, none that follows it can then have overtaken it.
fn wave_length(messages: &[OutboxMessage]) -> usize {
    let mut keys = HashSet::new();
    messages.iter().take_while(|message| keys.insert((&message.topic, &message.key))).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_ends_before_a_key_comes_again() {
        let message = |key: &&str| OutboxMessage {
            id: 1,
            message_id: "m".to_owned(),
            topic: "alerts".to_owned(),
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
