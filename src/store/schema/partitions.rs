//! Day partitions, made ahead, so that only posts of unusual times land in the default partitions.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};

use crate::store::advisory_lock::MAINTENANCE;
use crate::store::client::Store;
use crate::store::error::StoreError;

/// The tables with day partitions. A post, its mentions and its sightings have the same day.
pub(super) const PARTITIONED: [&str; 3] = ["posts", "mentions", "sightings"];

/// What [`Store::ensure_partitions`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionsCreated {
    /// Partitions that were missing.
    pub created: usize,
    /// Rows that moved over from the default partitions.
    pub rows_moved: u64,
}

impl Store {
    /// Makes the day partitions from yesterday to as many days ahead as the options say, where they
    /// are missing. Rows that the default partitions hold for a new day move over. Any number of
    /// processes may call it; each day is a transaction of its own.
    ///
    /// # Errors
    /// Postgres refused, or the lock on a default partition was not granted within seconds
    /// (transient): writers queue behind whoever waits for it, so it is better to retry later.
    pub async fn ensure_partitions(&self, now: DateTime<Utc>) -> Result<PartitionsCreated, StoreError> {
        let mut result = PartitionsCreated::default();
        for table in PARTITIONED {
            let there = self
                .within("list partitions", async {
                    let mut connection = self.pool.acquire().await?;
                    partitions(&mut connection, table).await
                })
                .await?;
            for day in days_around(now, self.options.partitions_ahead) {
                if there.contains(&day) {
                    continue;
                }
                let moved = self
                    .within("make a day partition", async {
                        let mut transaction = self.pool.begin().await?;
                        let moved = make(&mut transaction, table, day).await?;
                        transaction.commit().await?;
                        Ok(moved)
                    })
                    .await?;
                if let Some(rows) = moved {
                    result.created += 1;
                    result.rows_moved += rows;
                }
            }
        }
        Ok(result)
    }
}

fn days_around(now: DateTime<Utc>, ahead: u32) -> impl Iterator<Item = NaiveDate> {
    let today = now.date_naive();
    let days = u64::from(ahead) + 2;
    let first = today.checked_sub_days(Days::new(1)).unwrap_or(today);
    (0..days).filter_map(move |offset| first.checked_add_days(Days::new(offset)))
}

/// The name of a day's partition, within the schema.
pub(super) fn partition_name(table: &str, day: NaiveDate) -> String {
    format!("{table}_{}", day.format("%Y%m%d"))
}

/// The instant at which a day begins.
pub(super) fn begin_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The days that a table has partitions for.
pub(super) async fn partitions(
    connection: &mut PgConnection,
    table: &str,
) -> Result<Vec<NaiveDate>, sqlx::Error> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT child.relname::text
         FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
         WHERE inhparent = ('overheard.' || $1)::regclass
         ORDER BY 1",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let day = |name: &String| {
        let suffix = name.strip_prefix(table)?.strip_prefix('_')?;
        NaiveDate::parse_from_str(suffix, "%Y%m%d").ok()
    };
    Ok(names.iter().filter_map(day).collect())
}

/// Makes one partition; the number of rows moved, or none if another process made it meanwhile.
async fn make(
    connection: &mut PgConnection,
    table: &str,
    day: NaiveDate,
) -> Result<Option<u64>, sqlx::Error> {
    MAINTENANCE.lock(connection).await?;
    let name = partition_name(table, day);
    let there: bool = sqlx::query_scalar("SELECT to_regclass('overheard.' || $1) IS NOT NULL")
        .bind(&name)
        .fetch_one(&mut *connection)
        .await?;
    if there {
        return Ok(None);
    }
    let next = day.succ_opt().unwrap_or(day);
    // The locks are taken in the order in which writers take them, parent first. While the default
    // partition is locked, no row of the day can get in between the move and the attachment.
    connection
        .execute(AssertSqlSafe(format!(
            "SET LOCAL lock_timeout = '3s';
             CREATE TABLE overheard.{name} (LIKE overheard.{table} INCLUDING ALL);
             COMMENT ON TABLE overheard.{name} IS 'The part of {table} whose claimed time is on {day} (UTC)';
             LOCK TABLE ONLY overheard.{table} IN SHARE UPDATE EXCLUSIVE MODE;
             LOCK TABLE overheard.{table}_default IN ACCESS EXCLUSIVE MODE"
        )))
        .await?;
    let moved = sqlx::query(AssertSqlSafe(format!(
        "WITH moved AS (
             DELETE FROM overheard.{table}_default WHERE created_at >= $1 AND created_at < $2 RETURNING *
         )
         INSERT INTO overheard.{name} SELECT * FROM moved"
    )))
    .bind(begin_of(day))
    .bind(begin_of(next))
    .execute(&mut *connection)
    .await?;
    connection
        .execute(AssertSqlSafe(format!(
            "ALTER TABLE overheard.{table} ATTACH PARTITION overheard.{name}
             FOR VALUES FROM ('{day} 00:00:00+00') TO ('{next} 00:00:00+00')"
        )))
        .await?;
    Ok(Some(moved.rows_affected()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_run_from_yesterday_to_so_many_ahead() {
        let now = "2026-03-01T00:30:00Z".parse().unwrap();
        let days: Vec<String> = days_around(now, 2).map(|day| partition_name("posts", day)).collect();
        assert_eq!(days, ["posts_20260228", "posts_20260301", "posts_20260302", "posts_20260303"]);
    }
}
