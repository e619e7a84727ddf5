//! How far backfills have come, so that one that was cut off goes on from there.

use chrono::{DateTime, Utc};

use super::client::Store;
use super::error::StoreError;

/// A part of what a backfill reads: a partition or a file.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct BackfillPart {
    /// The partition's number, or the file's path.
    pub place: String,
    /// The offset of the next record; in a file, of the next byte.
    pub next_offset: i64,
    /// One past the last.
    pub end_offset: i64,
}

impl Store {
    /// How far a backfill has come that was begun with the same words; no parts where none was.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn backfill(&self, name: &str) -> Result<Vec<BackfillPart>, StoreError> {
        self.within("read a backfill", async {
            sqlx::query_as(
                "SELECT place, next_offset, end_offset FROM overheard.backfills WHERE name = $1 ORDER BY place",
            )
            .bind(name)
            .fetch_all(&self.pool)
            .await
        })
        .await
    }

    /// Writes down how far a backfill has come.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn keep_backfill(&self, name: &str, parts: &[BackfillPart]) -> Result<(), StoreError> {
        self.within("keep a backfill", async {
            sqlx::query(
                "INSERT INTO overheard.backfills AS known (name, place, next_offset, end_offset)
                 SELECT $1, * FROM UNNEST($2::text[], $3::bigint[], $4::bigint[])
                 ON CONFLICT (name, place) DO UPDATE SET
                     next_offset = excluded.next_offset, changed_at = now()",
            )
            .bind(name)
            .bind(parts.iter().map(|part| part.place.as_str()).collect::<Vec<_>>())
            .bind(parts.iter().map(|part| part.next_offset).collect::<Vec<_>>())
            .bind(parts.iter().map(|part| part.end_offset).collect::<Vec<_>>())
            .execute(&self.pool)
            .await
        })
        .await
        .map(drop)
    }

    /// Forgets a backfill that has come to its end.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn end_backfill(&self, name: &str) -> Result<(), StoreError> {
        self.within("end a backfill", async {
            sqlx::query("DELETE FROM overheard.backfills WHERE name = $1")
                .bind(name)
                .execute(&self.pool)
                .await
        })
        .await
        .map(drop)
    }

    /// Up to when alerts were judged; none before the first time.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn judged_until(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.within("read how far alerts were judged", async {
            sqlx::query_scalar("SELECT judged_until FROM overheard.alert_progress")
                .fetch_optional(&self.pool)
                .await
                .map(Option::flatten)
        })
        .await
    }
}
