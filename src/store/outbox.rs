//! The outbox: messages that were committed together with what they tell of, on their way to Kafka.
//!
//! A message is marked as sent only after Kafka acknowledged it, so one may be sent twice. Its
//! `message_id` is then the same, and consumers drop the repeat.

use std::time::Duration;

use super::{Store, StoreError};

/// How long sent messages are kept, for people who look into what was sent.
const SENT_KEPT: Duration = Duration::from_hours(24);

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OutboxMessage {
    /// Its place in the order.
    pub id: i64,
    /// The same for the same message.
    pub message_id: String,
    /// The Kafka topic.
    pub topic: String,
    /// The record's key.
    pub key: String,
    /// The record's value, JSON text.
    pub payload: String,
}

impl Store {
    /// The oldest messages that are not marked as sent, in order, at most `limit` of them.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn pending(&self, limit: u32) -> Result<Vec<OutboxMessage>, StoreError> {
        self.within("read the outbox", async {
            sqlx::query_as(
                "SELECT id, message_id, topic, key, payload::text AS payload
                 FROM overheard.outbox WHERE sent_at IS NULL ORDER BY id LIMIT $1",
            )
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
        })
        .await
    }

    /// Marks messages as sent. Marking one twice changes nothing.
    ///
    /// # Errors
    /// Postgres refused or did not answer; the messages will be sent again.
    pub async fn mark_sent(&self, ids: &[i64]) -> Result<(), StoreError> {
        self.within("mark messages as sent", async {
            sqlx::query("UPDATE overheard.outbox SET sent_at = now() WHERE id = ANY ($1) AND sent_at IS NULL")
                .bind(ids)
                .execute(&self.pool)
                .await
                .map(drop)
        })
        .await
    }

    /// Deletes messages that were sent more than a day ago; returns how many.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn forget_sent(&self) -> Result<u64, StoreError> {
        self.within("delete sent messages", async {
            sqlx::query("DELETE FROM overheard.outbox WHERE sent_at < now() - make_interval(secs => $1)")
                .bind(SENT_KEPT.as_secs_f64())
                .execute(&self.pool)
                .await
                .map(|result| result.rows_affected())
        })
        .await
    }
}
