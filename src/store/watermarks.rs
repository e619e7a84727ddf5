//! Watermarks: up to when each partition was read, and everything from it is stored.
//!
//! They only move forward, so it does not matter who writes them, or how late.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::client::Store;
use super::error::StoreError;
use crate::domain::Delivery;

/// Everything that was appended to a partition before that time is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition number.
    pub partition: i32,
    /// The time.
    pub read_until: DateTime<Utc>,
}

/// The watermarks that hold once these deliveries are stored. They must come in their order, and
/// whatever lies between them must be durable already.
pub(super) fn of_deliveries<'a>(deliveries: impl Iterator<Item = &'a Delivery>) -> Vec<Watermark> {
    let mut latest = BTreeMap::new();
    for delivery in deliveries {
        let position = &delivery.record.position;
        if let Some(appended_at) = delivery.record.appended_at() {
            let read_until =
                latest.entry((position.topic.clone(), position.partition)).or_insert(appended_at);
            *read_until = appended_at.max(*read_until);
        }
    }
    let watermark = |((topic, partition), read_until)| Watermark { topic, partition, read_until };
    latest.into_iter().map(watermark).collect()
}

/// Moves watermarks forward, for that consumer group.
pub(super) async fn advance(
    connection: &mut PgConnection,
    group: Option<&str>,
    watermarks: &[Watermark],
) -> Result<(), sqlx::Error> {
    let (Some(group), false) = (group, watermarks.is_empty()) else { return Ok(()) };
    let mut sorted: Vec<&Watermark> = watermarks.iter().collect();
    // In the order of their keys: transactions then wait for each other in one direction.
    sorted.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    sqlx::query(
        "INSERT INTO overheard.watermarks AS known (consumer_group, topic, partition, read_until)
         SELECT $1, * FROM UNNEST($2::text[], $3::integer[], $4::timestamptz[])
         ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET read_until = excluded.read_until
         WHERE known.read_until < excluded.read_until",
    )
    .bind(group)
    .bind(sorted.iter().map(|watermark| watermark.topic.as_ref()).collect::<Vec<_>>())
    .bind(sorted.iter().map(|watermark| watermark.partition).collect::<Vec<_>>())
    .bind(sorted.iter().map(|watermark| watermark.read_until).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(drop)
}

impl Store {
    /// The same store, for a process that reads as this consumer group: its batches move watermarks.
    #[must_use]
    pub fn reading_as(mut self, group: &str) -> Self {
        self.group = Some(Arc::from(group));
        self
    }

    /// Moves watermarks forward; none moves back.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn advance_watermarks(&self, watermarks: &[Watermark]) -> Result<(), StoreError> {
        if watermarks.is_empty() {
            return Ok(());
        }
        self.within("write watermarks", async {
            let mut connection = self.pool.acquire().await?;
            advance(&mut connection, self.group.as_deref(), watermarks).await
        })
        .await
    }
}
