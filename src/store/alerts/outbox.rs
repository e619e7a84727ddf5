//! The outbox: messages for Kafka, committed together with the alerts that they are about.
//!
//! A message is marked as sent only after Kafka acknowledged it, so one may be sent twice. Its
//! `message_id` is then the same, and consumers drop the repeat.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::types::Json;

use crate::store::client::Store;
use crate::store::error::StoreError;

/// How long sent messages are kept, to be able to see what was sent.
const SENT_KEPT: Duration = Duration::from_hours(24);

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OutboxMessage {
    /// Its place in the order.
    pub id: i64,
    /// The same for the same message.
    pub message_id: String,
    /// The record's key.
    pub key: String,
    /// The record's value, JSON text.
    pub payload: String,
}

/// What waits in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, sqlx::FromRow)]
pub struct OutboxBacklog {
    /// Messages that are not marked as sent.
    pub messages: i64,
    /// Age of the oldest of them in seconds, 0 without any.
    pub oldest_seconds: f64,
}

/// Adds a message to the outbox. One that is there already stays as it is.
pub(super) async fn add_message(
    connection: &mut PgConnection,
    message_id: &str,
    key: &str,
    payload: &(impl serde::Serialize + Sync),
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO overheard.outbox (message_id, key, payload) VALUES ($1, $2, $3)
         ON CONFLICT (message_id) DO NOTHING",
    )
    .bind(message_id)
    .bind(key)
    .bind(Json(payload))
    .execute(connection)
    .await
    .map(drop)
}

impl Store {
    /// The oldest messages that are not marked as sent, in order, at most `limit` of them, without
    /// those of the keys that are held back.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn pending(&self, limit: u32, held_back: &[String]) -> Result<Vec<OutboxMessage>, StoreError> {
        self.within("read the outbox", async {
            sqlx::query_as(
                "SELECT id, message_id, key, payload::text AS payload
                 FROM overheard.outbox WHERE sent_at IS NULL AND key <> ALL ($2) ORDER BY id LIMIT $1",
            )
            .bind(i64::from(limit))
            .bind(held_back)
            .fetch_all(&self.pool)
            .await
        })
        .await
    }

    /// How much waits to be sent, and for how long.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn outbox_backlog(&self) -> Result<OutboxBacklog, StoreError> {
        self.within("measure the outbox", async {
            sqlx::query_as(
                "SELECT count(*) AS messages,
                        coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision AS oldest_seconds
                 FROM overheard.outbox WHERE sent_at IS NULL",
            )
            .fetch_one(&self.pool)
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
