//! What the evaluation of alerts reads and writes: counts, examples, phases, alerts, messages.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::types::Json;
use sqlx::{Connection, Row};

use crate::alerting::{Counts, Needs, Phase, Phases, Series, minute_of};
use crate::domain::{Alert, AlertCounts, AlertExample, AlertKind, AlertState, BrandId};

/// A phase to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseChange {
    /// The rule's id.
    pub rule: String,
    /// The brand.
    pub brand: BrandId,
    /// Where the rule now stands with it.
    pub phase: Phase,
}

pub(super) async fn phases(connection: &mut PgConnection) -> Result<Phases, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT rule, brand, phase, started_at, fired_at, below_since, until FROM overheard.alert_states",
    )
    .fetch_all(connection)
    .await?;
    let mut phases = Phases::new();
    for row in rows {
        let brand = brand(&row)?;
        let phase = match row.try_get("phase")? {
            "pending" => Phase::Pending { started_at: row.try_get("started_at")? },
            "firing" => Phase::Firing {
                started_at: row.try_get("started_at")?,
                fired_at: row.try_get("fired_at")?,
                below_since: row.try_get("below_since")?,
            },
            _ => Phase::Cooling { until: row.try_get("until")? },
        };
        phases.insert((row.try_get("rule")?, brand), phase);
    }
    Ok(phases)
}

fn brand(row: &PgRow) -> Result<BrandId, sqlx::Error> {
    let text: &str = row.try_get("brand")?;
    text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

pub(super) async fn series(
    connection: &mut PgConnection,
    brands: &[BrandId],
    needs: Needs,
    now: DateTime<Utc>,
) -> Result<BTreeMap<BrandId, Series>, sqlx::Error> {
    let names: Vec<&str> = brands.iter().map(BrandId::as_str).collect();
    let end = minute_of(now);
    let from = end - TimeDelta::minutes(i64::from(needs.grain_minutes) * i64::from(needs.buckets));
    let mut series = BTreeMap::new();

    for (brand, first_received) in heard_since(connection, &names).await? {
        let mut of_brand = Series::new(now, needs.grain_minutes);
        of_brand.begin(minute_of(first_received));
        series.insert(brand, of_brand);
    }

    let sums = sqlx::query(
        "SELECT brand, (extract(epoch FROM $3 - minute)::bigint / 60 / $4)::integer AS age,
                sum(negative)::bigint AS negative, sum(neutral)::bigint AS neutral,
                sum(positive)::bigint AS positive, sum(unscored)::bigint AS unscored,
                sum(polarity_sum) AS polarity_sum
         FROM overheard.mention_counts
         WHERE brand = ANY ($1) AND minute > $2 AND minute <= $3
         GROUP BY 1, 2",
    )
    .bind(&names)
    .bind(from)
    .bind(end)
    .bind(i64::from(needs.grain_minutes))
    .fetch_all(&mut *connection)
    .await?;
    for row in sums {
        let counts = Counts {
            negative: unsigned(&row, "negative")?,
            neutral: unsigned(&row, "neutral")?,
            positive: unsigned(&row, "positive")?,
            unscored: unsigned(&row, "unscored")?,
            polarity_sum: row.try_get("polarity_sum")?,
            sightings: 0,
        };
        let age: i32 = row.try_get("age")?;
        if let Ok(age) = u32::try_from(age) {
            let of_brand = series.entry(brand(&row)?);
            of_brand.or_insert_with(|| Series::new(now, needs.grain_minutes)).add(age, counts);
        }
    }
    for row in sightings(connection, &names, needs, from, end).await? {
        let age: i32 = row.try_get("age")?;
        let counts = Counts { sightings: unsigned(&row, "sightings")?, ..Counts::default() };
        // Without a mention there is nothing to tell of.
        if let (Ok(age), Some(of_brand)) = (u32::try_from(age), series.get_mut(&brand(&row)?)) {
            of_brand.add(age, counts);
        }
    }
    Ok(series)
}

/// Logos seen of each brand, in the same buckets.
async fn sightings(
    connection: &mut PgConnection,
    brands: &[&str],
    needs: Needs,
    from: DateTime<Utc>,
    end: DateTime<Utc>,
) -> Result<Vec<PgRow>, sqlx::Error> {
    sqlx::query(
        "SELECT brand, (extract(epoch FROM $3 - minute)::bigint / 60 / $4)::integer AS age,
                sum(sightings)::bigint AS sightings
         FROM overheard.evidence_counts
         WHERE brand = ANY ($1) AND minute > $2 AND minute <= $3
         GROUP BY 1, 2",
    )
    .bind(brands)
    .bind(from)
    .bind(end)
    .bind(i64::from(needs.grain_minutes))
    .fetch_all(connection)
    .await
}

/// When the first mention of each brand came in; brands without mentions are left out. What posts
/// claim is no evidence here: one back-dated post would make up a history.
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
    // A brand is seen here soon after its first mention, when it has few. Where rules are evaluated
    // for the first time it may have millions: those that claim to be the oldest will do.
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

fn unsigned(row: &PgRow, column: &str) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) async fn examples(
    connection: &mut PgConnection,
    brand: &BrandId,
    kind: AlertKind,
    window: Duration,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<AlertExample>, sqlx::Error> {
    let end = minute_of(now) + TimeDelta::minutes(1);
    // The latest few thousand mentions have examples enough, and in a burst of a million the
    // statement still ends in time.
    let rows = sqlx::query(
        "SELECT m.source, m.post_id, m.created_at, p.link, left(p.text, 1000) AS text, m.label, m.polarity
         FROM (
             SELECT * FROM overheard.mentions
             WHERE brand = $1 AND created_at >= $2 AND created_at < $3 AND (label IS NOT NULL OR NOT $4)
             ORDER BY created_at DESC LIMIT 2000
         ) m
         LEFT JOIN overheard.posts p
                ON p.source = m.source AND p.id = m.post_id AND p.created_at = m.created_at
         ORDER BY CASE WHEN $4 THEN m.polarity END, p.kind = 'repost', p.reach DESC NULLS LAST,
                  m.created_at DESC, m.source, m.post_id
         LIMIT $5",
    )
    .bind(brand.as_str())
    .bind(end - TimeDelta::from_std(window).unwrap_or_default())
    .bind(end)
    .bind(kind == AlertKind::NegativeShare)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    let example = |row: PgRow| {
        Ok(AlertExample {
            source: row.try_get("source")?,
            post_id: row.try_get("post_id")?,
            created_at: row.try_get("created_at")?,
            link: row.try_get("link")?,
            text: row.try_get("text")?,
            label: row.try_get("label")?,
            polarity: row.try_get("polarity")?,
        })
    };
    rows.into_iter().map(example).collect()
}

/// An alert that is firing, with what was measured when it fired and without examples.
pub(super) async fn open_alert(
    connection: &mut PgConnection,
    id: &str,
) -> Result<Option<Alert>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM overheard.alerts WHERE id = $1 AND state = 'firing'")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let kind = match row.try_get("kind")? {
        "volume" => AlertKind::Volume,
        _ => AlertKind::NegativeShare,
    };
    Ok(Some(Alert {
        id: id.to_owned(),
        message_id: crate::alerting::message_id(id, AlertState::Firing),
        state: AlertState::Firing,
        rule: row.try_get("rule")?,
        kind,
        brand: brand(&row)?,
        started_at: row.try_get("started_at")?,
        fired_at: row.try_get("fired_at")?,
        resolved_at: None,
        window_seconds: unsigned(&row, "window_seconds")?,
        value: row.try_get("value")?,
        threshold: row.try_get("threshold")?,
        counts: AlertCounts {
            mentions: unsigned(&row, "mentions")?,
            negative: unsigned(&row, "negative")?,
            neutral: unsigned(&row, "neutral")?,
            positive: unsigned(&row, "positive")?,
            unscored: unsigned(&row, "unscored")?,
            polarity: row.try_get("polarity")?,
            sightings: unsigned(&row, "sightings")?,
        },
        examples: Vec::new(),
    }))
}

pub(super) async fn save(
    connection: &mut PgConnection,
    changes: &[PhaseChange],
    alerts: &[Alert],
    topic: &str,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    for change in changes {
        save_phase(&mut transaction, change).await?;
    }
    for alert in alerts {
        save_alert(&mut transaction, alert).await?;
        sqlx::query(
            "INSERT INTO overheard.outbox (message_id, topic, key, payload) VALUES ($1, $2, $3, $4)
             ON CONFLICT (message_id) DO NOTHING",
        )
        .bind(&alert.message_id)
        .bind(topic)
        .bind(alert.brand.as_str())
        .bind(Json(alert))
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await
}

async fn save_phase(connection: &mut PgConnection, change: &PhaseChange) -> Result<(), sqlx::Error> {
    let (name, started_at, fired_at, below_since, until) = match change.phase {
        Phase::Inactive => {
            return sqlx::query("DELETE FROM overheard.alert_states WHERE rule = $1 AND brand = $2")
                .bind(&change.rule)
                .bind(change.brand.as_str())
                .execute(connection)
                .await
                .map(drop);
        }
        Phase::Pending { started_at } => ("pending", Some(started_at), None, None, None),
        Phase::Firing { started_at, fired_at, below_since } => {
            ("firing", Some(started_at), Some(fired_at), below_since, None)
        }
        Phase::Cooling { until } => ("cooling", None, None, None, Some(until)),
    };
    sqlx::query(
        "INSERT INTO overheard.alert_states (rule, brand, phase, started_at, fired_at, below_since, until)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (rule, brand) DO UPDATE SET
             phase = excluded.phase, started_at = excluded.started_at, fired_at = excluded.fired_at,
             below_since = excluded.below_since, until = excluded.until",
    )
    .bind(&change.rule)
    .bind(change.brand.as_str())
    .bind(name)
    .bind(started_at)
    .bind(fired_at)
    .bind(below_since)
    .bind(until)
    .execute(connection)
    .await
    .map(drop)
}

async fn save_alert(connection: &mut PgConnection, alert: &Alert) -> Result<(), sqlx::Error> {
    // An incident's row keeps what was measured when it fired; resolving it only ends it.
    sqlx::query(
        "INSERT INTO overheard.alerts AS incident
             (id, state, rule, kind, brand, started_at, fired_at, resolved_at, window_seconds,
              value, threshold, mentions, negative, neutral, positive, polarity, sightings, unscored)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, resolved_at = excluded.resolved_at
         WHERE incident.state = 'firing' AND excluded.state = 'resolved'",
    )
    .bind(&alert.id)
    .bind(alert.state.as_str())
    .bind(&alert.rule)
    .bind(alert.kind.as_str())
    .bind(alert.brand.as_str())
    .bind(alert.started_at)
    .bind(alert.fired_at)
    .bind(alert.resolved_at)
    .bind(signed(alert.window_seconds))
    .bind(alert.value)
    .bind(alert.threshold)
    .bind(signed(alert.counts.mentions))
    .bind(signed(alert.counts.negative))
    .bind(signed(alert.counts.neutral))
    .bind(signed(alert.counts.positive))
    .bind(alert.counts.polarity)
    .bind(signed(alert.counts.sightings))
    .bind(signed(alert.counts.unscored))
    .execute(connection)
    .await
    .map(drop)
}
