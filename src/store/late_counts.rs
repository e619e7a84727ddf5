//! Counts that change in minutes that were judged already.
//!
//! The evaluation announces up to where it will judge before it reads any counts, and waits for the
//! transactions that do not know of it yet. So each change of a count is either seen by the
//! evaluation or marked here, or both.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::advisory_lock::JUDGING;
use crate::metrics;

/// Marks those of these brands and minutes that were judged already, to be judged again. Called
/// before the transaction locks any row of counts. `mentions` are those that are new, by minute.
pub(super) async fn mark(
    connection: &mut PgConnection,
    changed: &BTreeSet<(&str, DateTime<Utc>)>,
    mentions: impl Iterator<Item = (DateTime<Utc>, i64)>,
) -> Result<(), sqlx::Error> {
    JUDGING.share(connection).await?;
    let progress: Option<(DateTime<Utc>, DateTime<Utc>)> =
        sqlx::query_as("SELECT late_since, judging_until FROM overheard.alert_progress")
            .fetch_optional(&mut *connection)
            .await?;
    // Without an evaluation nothing was judged.
    let Some((late_since, judging_until)) = progress else { return Ok(()) };
    let too_late: i64 =
        mentions.filter(|(minute, _)| *minute < late_since).map(|(_, mentions)| mentions.max(0)).sum();
    ::metrics::counter!(metrics::MENTIONS_TOO_LATE).increment(u64::try_from(too_late).unwrap_or_default());
    let late = changed.iter().filter(|(_, minute)| (late_since..judging_until).contains(minute));
    let (brands, minutes): (Vec<&str>, Vec<DateTime<Utc>>) = late.copied().unzip();
    if brands.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO overheard.late_counts (brand, minute) SELECT * FROM UNNEST($1::text[], $2::timestamptz[])",
    )
    .bind(brands)
    .bind(minutes)
    .execute(connection)
    .await
    .map(drop)
}
