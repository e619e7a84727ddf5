//! How far the world was read, and how far it was judged.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::Connection;
use sqlx::postgres::PgConnection;

use super::outbox::add_message;
use crate::alerting::{Behind, ChangedMinutes};
use crate::domain::{BehindNotice, BrandId};
use crate::store::advisory_lock::{Evaluation, JUDGING, LeaderLock};
use crate::store::error::StoreError;

/// Changed minutes taken up at once: the rest waits for the next turn.
const CHANGED_AT_ONCE: i64 = 20_000;

/// How far it was judged, and whether it was said that the daemon is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlertProgress {
    /// Minutes before were judged; none before the first time.
    pub judged_until: Option<DateTime<Utc>>,
    /// Since when the daemon is behind, where it has said so.
    pub behind_since: Option<DateTime<Utc>>,
}

impl LeaderLock<Evaluation> {
    /// The horizon of these partitions, for the store's consumer group: the least of their
    /// watermarks. None where one is missing, or there are no partitions.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn horizon(
        &mut self,
        partitions: &[(String, i32)],
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let Self { connection, store, .. } = self;
        let (topics, numbers): (Vec<&str>, Vec<i32>) =
            partitions.iter().map(|(topic, number)| (topic.as_str(), *number)).unzip();
        let group = store.group.clone();
        store
            .within("read watermarks", async {
                sqlx::query_scalar(
                    "SELECT CASE WHEN bool_and(read_until IS NOT NULL) THEN min(read_until) END
                     FROM UNNEST($2::text[], $3::integer[]) AS asked (topic, partition)
                     LEFT JOIN overheard.watermarks known
                            ON known.consumer_group = $1 AND known.topic = asked.topic
                           AND known.partition = asked.partition",
                )
                .bind(group.as_deref())
                .bind(topics)
                .bind(numbers)
                .fetch_one(connection)
                .await
            })
            .await
    }

    /// How far it was judged.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn progress(&mut self) -> Result<AlertProgress, StoreError> {
        let Self { connection, store, .. } = self;
        store
            .within("read how far alerts were judged", async {
                let (judged_until, behind_since) = sqlx::query_as(
                    "SELECT (SELECT judged_until FROM overheard.alert_progress),
                            (SELECT since FROM overheard.behind)",
                )
                .fetch_one(connection)
                .await?;
                Ok(AlertProgress { judged_until, behind_since })
            })
            .await
    }

    /// Announces up to where time will be judged, before any counts are read. Transactions that
    /// change counts and don't know of it yet have ended when this returns; later ones mark what they
    /// change.
    ///
    /// # Errors
    /// Postgres refused or did not answer, or such a transaction did not end for a while.
    pub async fn announce(
        &mut self,
        judging_until: DateTime<Utc>,
        late_since: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Self { connection, store, .. } = self;
        store
            .within("announce up to when alerts are judged", async {
                let mut transaction = connection.begin().await?;
                // Who waits for this lock holds up those who want to share it.
                sqlx::query("SET LOCAL lock_timeout = '5s'").execute(&mut *transaction).await?;
                JUDGING.lock(&mut transaction).await?;
                sqlx::query(
                    "INSERT INTO overheard.alert_progress AS known (late_since, judging_until) VALUES ($1, $2)
                     ON CONFLICT (single) DO UPDATE SET
                         late_since = excluded.late_since,
                         judging_until = greatest(known.judging_until, excluded.judging_until)",
                )
                .bind(late_since)
                .bind(judging_until)
                .execute(&mut *transaction)
                .await?;
                transaction.commit().await
            })
            .await
    }

    /// Stores that the daemon has fallen behind or caught up, with the message that says so. What
    /// was stored before is not stored again.
    ///
    /// # Errors
    /// Nothing was stored, or, where the connection broke during the commit, all of it may have been.
    pub async fn commit_behind(&mut self, behind: Behind, notice: &BehindNotice) -> Result<(), StoreError> {
        let Self { connection, store, .. } = self;
        store
            .within("store that the daemon is behind", async {
                let mut transaction = connection.begin().await?;
                let state = match behind {
                    Behind::Begins { since } => {
                        sqlx::query("INSERT INTO overheard.behind (since) VALUES ($1) ON CONFLICT DO NOTHING")
                            .bind(since)
                    }
                    Behind::Ends { .. } => sqlx::query("DELETE FROM overheard.behind"),
                };
                state.execute(&mut *transaction).await?;
                add_message(&mut transaction, &notice.message_id, BehindNotice::KEY, notice).await?;
                transaction.commit().await
            })
            .await
    }
}

/// The minutes that have changed after they were judged, and the rows that say so.
pub(super) async fn changed(
    connection: &mut PgConnection,
) -> Result<(ChangedMinutes, Vec<i64>), sqlx::Error> {
    let rows: Vec<(i64, String, DateTime<Utc>)> =
        sqlx::query_as("SELECT id, brand, minute FROM overheard.late_counts ORDER BY id LIMIT $1")
            .bind(CHANGED_AT_ONCE)
            .fetch_all(connection)
            .await?;
    let (mut changed, mut ids) = (ChangedMinutes::new(), Vec::with_capacity(rows.len()));
    for (id, brand, minute) in rows {
        ids.push(id);
        // What is no brand's id is no configured brand either.
        if let Ok(brand) = brand.parse::<BrandId>() {
            changed.entry(brand).or_insert_with(BTreeSet::new).insert(minute);
        }
    }
    Ok((changed, ids))
}

/// Stores how far it was judged, and removes the marks that were taken up.
pub(super) async fn save_progress(
    connection: &mut PgConnection,
    judged_until: Option<DateTime<Utc>>,
    taken_up: &[i64],
) -> Result<(), sqlx::Error> {
    if let Some(judged_until) = judged_until {
        sqlx::query("UPDATE overheard.alert_progress SET judged_until = greatest(judged_until, $1)")
            .bind(judged_until)
            .execute(&mut *connection)
            .await?;
    }
    if !taken_up.is_empty() {
        sqlx::query("DELETE FROM overheard.late_counts WHERE id = ANY ($1)")
            .bind(taken_up)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
