//! Retention: old day partitions are dropped whole; old rows of other tables are deleted.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};

use super::partitions::{PARTITIONED, begin_of, partition_name, partitions};
use crate::store::advisory_lock::MAINTENANCE;
use crate::store::client::Store;
use crate::store::counts::{day_of, hour_of};
use crate::store::error::StoreError;

/// Rows that one statement deletes: few enough for the statement time-out.
const ROWS_AT_ONCE: u64 = 10_000;

/// What [`Store::apply_retention`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Day partitions dropped.
    pub partitions: usize,
    /// Posts, mentions and sightings deleted from the default partitions.
    pub default_rows: u64,
    /// Pictures removed from the queue, since their posts are too old.
    pub pictures: u64,
    /// Rows of counts deleted.
    pub counts: u64,
    /// Identities and removals forgotten.
    pub identities: u64,
}

impl Store {
    /// Drops day partitions that ended longer ago than posts are kept, and deletes rows of the default
    /// partitions and queued pictures that were received longer ago; deletes counts of minutes and
    /// hours that are older than counts are kept. Posts are kept for a day at least.
    ///
    /// # Errors
    /// Postgres refused, or a table to be dropped was in use for too long (transient). What was
    /// removed so far stays removed.
    pub async fn apply_retention(&self, now: DateTime<Utc>) -> Result<Removed, StoreError> {
        let mut removed = Removed::default();
        if let Some(cutoff) = self.options.retention_posts.and_then(|kept| before(now, kept.max(DAY))) {
            for table in PARTITIONED {
                removed.partitions += self.drop_days(table, cutoff).await?;
                removed.default_rows +=
                    self.delete_from(&format!("{table}_default"), "received_at", cutoff).await?;
            }
            // Or a picture that is looked at late would insert its post again.
            removed.pictures = self.delete_from("picture_queue", "received_at", cutoff).await?;
            removed.identities =
                self.delete_from("post_states", "state <> 'removed' AND changed_at", cutoff).await?;
        }
        if let Some(cutoff) = self.options.retention_counts.and_then(|kept| before(now, kept)) {
            // Hours and days go whole, with the last of their minutes.
            let hours = hour_of(cutoff);
            removed.counts = self.delete_from("mention_counts", "minute", cutoff).await?
                + self.delete_from("mention_hours", "hour", hours).await?
                + self.delete_from("evidence_hours", "hour", hours).await?
                + self.delete_from("evidence_days", "day", day_of(cutoff)).await?
                + self.delete_from("topic_hours", "hour", hours).await?
                + self.delete_from("author_days", "day", cutoff).await?;
        }
        if let Some(cutoff) = before(now, self.options.remember_removals) {
            // An edit of a post that names no brand has no rows, and is remembered like a removal.
            removed.identities +=
                self.delete_from("post_states", "created_at IS NULL AND changed_at", cutoff).await?;
            removed.identities += self.delete_from("removed_accounts", "changed_at", cutoff).await?;
        }
        Ok(removed)
    }

    async fn drop_days(&self, table: &str, cutoff: DateTime<Utc>) -> Result<usize, StoreError> {
        let days = self
            .within("list partitions", async {
                let mut connection = self.pool.acquire().await?;
                partitions(&mut connection, table).await
            })
            .await?;
        let ended =
            days.into_iter().filter(|day| day.succ_opt().is_some_and(|next| begin_of(next) <= cutoff));
        let mut dropped = 0;
        for day in ended {
            let name = partition_name(table, day);
            self.within("drop a day partition", async {
                let mut transaction = self.pool.begin().await?;
                MAINTENANCE.lock(&mut transaction).await?;
                // Dropping locks the whole table, and writers queue behind whoever waits for it.
                transaction
                    .execute(AssertSqlSafe(format!(
                        "SET LOCAL lock_timeout = '3s'; DROP TABLE IF EXISTS overheard.{name}"
                    )))
                    .await?;
                transaction.commit().await
            })
            .await?;
            dropped += 1;
        }
        Ok(dropped)
    }

    pub(in crate::store) async fn delete_from(
        &self,
        table: &str,
        condition: &str,
        cutoff: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let rows = self
                .within("delete old rows", async {
                    let mut connection = self.pool.acquire().await?;
                    delete_some(&mut connection, table, condition, cutoff).await
                })
                .await?;
            deleted += rows;
            if rows < ROWS_AT_ONCE {
                return Ok(deleted);
            }
        }
    }
}

const DAY: Duration = Duration::from_hours(24);

fn before(now: DateTime<Utc>, kept: Duration) -> Option<DateTime<Utc>> {
    now.checked_sub_signed(TimeDelta::from_std(kept).ok()?)
}

async fn delete_some(
    connection: &mut PgConnection,
    table: &str,
    condition: &str,
    cutoff: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    // Rows that another transaction holds are left for the next time, so this can't deadlock.
    let result = sqlx::query(AssertSqlSafe(format!(
        "DELETE FROM overheard.{table} WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM overheard.{table} WHERE {condition} < $1 LIMIT {ROWS_AT_ONCE}
             FOR UPDATE SKIP LOCKED))"
    )))
    .bind(cutoff)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}
