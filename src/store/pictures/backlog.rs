//! How long the queue of pictures is, and how old.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

use crate::store::client::Store;
use crate::store::error::StoreError;

/// The state of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backlog {
    /// Rows in the queue. Beyond 100,000 an estimate.
    pub pictures: u64,
    /// Of these, rows that are leased or were put off. Beyond 100,000 an estimate.
    pub waiting: u64,
    /// Age of the oldest row.
    pub oldest: Duration,
    /// Rows that were removed and that vacuum has yet to clear up, as Postgres estimates.
    pub dead_rows: u64,
}

/// Counts no more rows than this, so that it takes no longer the longer the queue is. Beyond, the
/// estimates of the latest vacuum stand in.
pub const BACKLOG_QUERY: &str = "
    WITH listed AS MATERIALIZED (
        SELECT count(*) AS counted FROM (
            SELECT FROM overheard.picture_queue ORDER BY listed_at LIMIT 100001) pictures
    ),
    waiting AS MATERIALIZED (
        SELECT count(*) AS counted FROM (
            SELECT FROM overheard.picture_queue WHERE NOT ready ORDER BY due_at LIMIT 100001) pictures
    ),
    estimates AS MATERIALIZED (
        SELECT (SELECT reltuples::bigint FROM pg_class WHERE oid = 'overheard.picture_queue'::regclass) AS listed,
               (SELECT reltuples::bigint FROM pg_class
                WHERE oid = 'overheard.picture_queue_not_ready'::regclass) AS waiting
    )
    SELECT CASE WHEN listed.counted > 100000 THEN greatest(listed.counted, estimates.listed)
                ELSE listed.counted END AS pictures,
           CASE WHEN waiting.counted > 100000 THEN greatest(waiting.counted, estimates.waiting)
                ELSE waiting.counted END AS waiting,
           coalesce(extract(epoch FROM now() - (SELECT min(listed_at) FROM overheard.picture_queue)), 0)
               ::double precision AS oldest_seconds,
           coalesce((SELECT n_dead_tup FROM pg_stat_all_tables
                     WHERE relid = 'overheard.picture_queue'::regclass), 0) AS dead_rows
    FROM listed, waiting, estimates";

impl Store {
    /// Measures the queue.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        self.within("measure the queue of pictures", async {
            let mut connection = self.pool.acquire().await?;
            backlog(&measure(&mut connection).await?)
        })
        .await
    }

    /// The queue as one of all processes measured it no longer ago than `age`, or a little longer
    /// while one is measuring.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn shared_backlog(&self, age: Duration) -> Result<Backlog, StoreError> {
        self.within("measure the queue of pictures for all", async {
            let mut transaction = self.pool.begin().await?;
            let is_ours: Option<bool> = sqlx::query_scalar(
                "SELECT only_row FROM overheard.picture_backlog
                 WHERE measured_at <= now() - make_interval(secs => $1) FOR UPDATE SKIP LOCKED",
            )
            .bind(age.as_secs_f64())
            .fetch_optional(&mut *transaction)
            .await?;
            if is_ours.is_some() {
                let row = measure(&mut transaction).await?;
                sqlx::query(
                    "UPDATE overheard.picture_backlog SET
                         measured_at = now(), pictures = $1, waiting = $2, oldest_seconds = $3, dead_rows = $4",
                )
                .bind(row.try_get::<i64, _>("pictures")?)
                .bind(row.try_get::<i64, _>("waiting")?)
                .bind(row.try_get::<f64, _>("oldest_seconds")?)
                .bind(row.try_get::<i64, _>("dead_rows")?)
                .execute(&mut *transaction)
                .await?;
            }
            let row = sqlx::query(
                "SELECT pictures, waiting, oldest_seconds, dead_rows FROM overheard.picture_backlog",
            )
            .fetch_one(&mut *transaction)
            .await?;
            transaction.commit().await?;
            backlog(&row)
        })
        .await
    }
}

async fn measure(connection: &mut PgConnection) -> Result<PgRow, sqlx::Error> {
    sqlx::query(BACKLOG_QUERY).fetch_one(connection).await
}

fn backlog(row: &PgRow) -> Result<Backlog, sqlx::Error> {
    let number = |name| row.try_get::<i64, _>(name).map(|n| u64::try_from(n).unwrap_or_default());
    let oldest: f64 = row.try_get("oldest_seconds")?;
    Ok(Backlog {
        pictures: number("pictures")?,
        waiting: number("waiting")?,
        oldest: Duration::try_from_secs_f64(oldest).unwrap_or_default(),
        dead_rows: number("dead_rows")?,
    })
}
