//! The outbox relay: publishes alert messages in their order, one process at a time.
//!
//! A message is marked as sent only after the broker has acknowledged it. After a crash between
//! the two it is sent again, under the same `message_id`.

use std::time::{Duration, Instant};

use rdkafka::message::{Header, OwnedHeaders};
use tokio_util::sync::CancellationToken;

use super::Parts;
use super::run::PipelineError;
use crate::health::Stage;
use crate::metrics;
use crate::store::{OutboxMessage, RelayLock, StoreError};

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
    let mut relay = Relay { parts, lock: None, forgotten_at: Instant::now() };
    loop {
        relay.parts.health.beat(Stage::Relay);
        if let Err(error) = relay.turn().await {
            tracing::warn!(error = %error, "The outbox can't be published now, trying again");
        }
        if stop.is_cancelled() {
            break;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(interval) => {}
        }
    }
    if let Some(lock) = relay.lock {
        lock.release().await;
    }
    relay.parts.health.rest(Stage::Relay);
    Ok(())
}

struct Relay {
    parts: Parts,
    lock: Option<RelayLock>,
    forgotten_at: Instant,
}

impl Relay {
    async fn turn(&mut self) -> Result<(), PipelineError> {
        let held = match &mut self.lock {
            Some(lock) => lock.is_held().await,
            None => false,
        };
        if !held {
            self.lock = self.parts.store.try_relay_lock().await?;
        }
        if self.lock.is_none() {
            return Ok(());
        }
        loop {
            let messages = self.parts.store.pending(BATCH).await?;
            if messages.is_empty() {
                break;
            }
            self.publish(&messages).await?;
        }
        if self.forgotten_at.elapsed() > FORGET_EVERY {
            self.forgotten_at = Instant::now();
            self.parts.store.forget_sent().await?;
        }
        Ok(())
    }

    /// Publishes in order, and marks what was acknowledged even where a later message fails.
    async fn publish(&self, messages: &[OutboxMessage]) -> Result<(), PipelineError> {
        let mut sent = Vec::with_capacity(messages.len());
        let mut result = Ok(());
        for message in messages {
            self.parts.health.beat(Stage::Relay);
            let id = Header { key: "overheard.message-id", value: Some(&message.message_id) };
            let headers = OwnedHeaders::new().insert(id);
            let key = Some(message.key.as_bytes());
            let payload = Some(message.payload.as_bytes());
            if let Err(error) = self.parts.publisher.send(&message.topic, key, payload, headers).await {
                result = Err(error.into());
                break;
            }
            sent.push(message.id);
        }
        let marked: Result<(), StoreError> = self.parts.store.mark_sent(&sent).await;
        ::metrics::counter!(metrics::OUTBOX_PUBLISHED).increment(sent.len() as u64);
        marked?;
        result
    }
}
