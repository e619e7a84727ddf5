//! Counts over time, as rules look at them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

use crate::alerting::{Past, PastNeeds, Series, past_ranges};
use crate::domain::BrandId;
use crate::store::counts::counts;
use crate::store::parse::brand;

/// What is normal for each brand.
pub type Pasts = BTreeMap<BrandId, Arc<Past>>;

/// The counts of each brand by minute: from the time that is named with it, up to `until`. `past` is
/// what is normal.
pub(super) async fn series(
    connection: &mut PgConnection,
    from: &BTreeMap<BrandId, DateTime<Utc>>,
    until: DateTime<Utc>,
    source: Option<&str>,
    kept_since: Option<DateTime<Utc>>,
    past: &Pasts,
) -> Result<BTreeMap<BrandId, Series>, sqlx::Error> {
    let (names, since): (Vec<&str>, Vec<DateTime<Utc>>) =
        from.iter().map(|(brand, since)| (brand.as_str(), *since)).unzip();
    let mut series = BTreeMap::new();
    let empty = |brand: &BrandId| Series::new(past.get(brand).cloned().unwrap_or_default());

    for (brand, first_received) in heard_since(connection, &names).await? {
        let mut of_brand = empty(&brand);
        // What retention has removed is not silence.
        of_brand.begin(kept_since.map_or(first_received, |kept| kept.max(first_received)));
        series.insert(brand, of_brand);
    }
    let sums = sqlx::query(
        "SELECT counts.brand, counts.minute,
                sum(negative)::bigint AS negative, sum(neutral)::bigint AS neutral,
                sum(positive)::bigint AS positive, sum(unscored)::bigint AS unscored,
                sum(polarity_sum) AS polarity_sum, sum(sightings)::bigint AS sightings
         FROM UNNEST($1::text[], $2::timestamptz[]) AS watched (brand, since)
         JOIN overheard.mention_counts counts
           ON counts.brand = watched.brand AND counts.minute >= watched.since AND counts.minute < $3
          AND ($4::text IS NULL OR counts.source = $4)
         GROUP BY 1, 2",
    )
    .bind(&names)
    .bind(since)
    .bind(until)
    .bind(source)
    .fetch_all(&mut *connection)
    .await?;
    for row in sums {
        let brand = brand(&row)?;
        let of_brand = series.entry(brand.clone()).or_insert_with(|| empty(&brand));
        of_brand.add(row.try_get("minute")?, counts(&row)?);
    }
    Ok(series)
}

/// What is normal for these brands, to judge windows that end between `first` and `last`.
pub(super) async fn pasts(
    connection: &mut PgConnection,
    brands: &[BrandId],
    source: Option<&str>,
    needs: &PastNeeds,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
) -> Result<Pasts, sqlx::Error> {
    let (from, to): (Vec<_>, Vec<_>) = past_ranges(needs, first, last).into_iter().unzip();
    let sums = sqlx::query(
        "SELECT brand, to_timestamp(extract(epoch FROM minute)::bigint / $4 * $4) AS grain,
                sum(mentions)::bigint AS mentions
         FROM UNNEST($2::timestamptz[], $3::timestamptz[]) AS range (since, until)
         JOIN overheard.mention_counts counts
           ON counts.brand = ANY ($1) AND counts.minute >= range.since AND counts.minute < range.until
          AND ($5::text IS NULL OR counts.source = $5)
         GROUP BY 1, 2",
    )
    .bind(brands.iter().map(BrandId::as_str).collect::<Vec<_>>())
    .bind(from)
    .bind(to)
    .bind(i64::from(needs.grain_minutes) * 60)
    .bind(source)
    .fetch_all(connection)
    .await?;
    let mut pasts: BTreeMap<BrandId, Past> =
        brands.iter().map(|brand| (brand.clone(), Past::new(needs.grain_minutes, last))).collect();
    for row in sums {
        if let Some(past) = pasts.get_mut(&brand(&row)?) {
            past.add(row.try_get("grain")?, row.try_get("mentions")?);
        }
    }
    Ok(pasts.into_iter().map(|(brand, past)| (brand, Arc::new(past))).collect())
}

/// When a logo of each of these brands was last seen before the time that is named with it, within
/// `reach`.
pub(super) async fn last_sightings(
    connection: &mut PgConnection,
    before: &[(&BrandId, DateTime<Utc>)],
    reach: TimeDelta,
) -> Result<Vec<(BrandId, DateTime<Utc>)>, sqlx::Error> {
    let (names, times): (Vec<&str>, Vec<DateTime<Utc>>) =
        before.iter().map(|(brand, time)| (brand.as_str(), *time)).unzip();
    // From the latest minute backwards: where there are many sightings, few rows are looked at.
    let rows = sqlx::query(
        "SELECT watched.brand, last.minute
         FROM UNNEST($1::text[], $2::timestamptz[]) AS watched (brand, before)
         CROSS JOIN LATERAL (
             SELECT counts.minute FROM overheard.mention_counts counts
             WHERE counts.brand = watched.brand AND counts.minute < watched.before
               AND counts.minute >= watched.before - $3::interval AND counts.sightings > 0
             ORDER BY counts.minute DESC LIMIT 1
         ) last",
    )
    .bind(names)
    .bind(times)
    .bind(reach)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((brand(row)?, row.try_get("minute")?))).collect()
}

/// When the first mention of each brand was received; brands without mentions are left out. The
/// times that posts claim don't count here: one back-dated post would make up a history.
async fn heard_since(
    connection: &mut PgConnection,
    brands: &[&str],
) -> Result<Vec<(BrandId, DateTime<Utc>)>, sqlx::Error> {
    let known =
        sqlx::query("SELECT brand, first_received FROM overheard.brands_heard WHERE brand = ANY ($1)")
            .bind(brands)
            .fetch_all(&mut *connection)
            .await?;
    let since = |row: &PgRow| Ok::<_, sqlx::Error>((brand(row)?, row.try_get("first_received")?));
    let mut found = known.iter().map(since).collect::<Result<Vec<_>, _>>()?;
    let new: Vec<&str> = brands
        .iter()
        .copied()
        .filter(|name| found.iter().all(|(brand, _)| brand.as_str() != *name))
        .collect();
    if new.is_empty() {
        return Ok(found);
    }
    // Usually a brand gets here soon after its first mention, when it has few. When rules are
    // evaluated for the first time it may have millions, so only the oldest by their claim are read.
    let heard = sqlx::query(
        "INSERT INTO overheard.brands_heard (brand, first_received)
         SELECT watched.brand, oldest.first_received
         FROM UNNEST($1::text[]) AS watched (brand)
         CROSS JOIN LATERAL (
             SELECT min(received_at) AS first_received FROM (
                 SELECT received_at FROM overheard.mentions m
                 WHERE m.brand = watched.brand ORDER BY created_at LIMIT 10000
             ) claimed_oldest
         ) oldest
         WHERE oldest.first_received IS NOT NULL
         ON CONFLICT (brand) DO NOTHING
         RETURNING brand, first_received",
    )
    .bind(&new)
    .fetch_all(connection)
    .await?;
    for row in &heard {
        found.push(since(row)?);
    }
    Ok(found)
}
