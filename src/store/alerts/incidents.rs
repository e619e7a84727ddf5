//! Incidents as rows, and their messages in the outbox.

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

use super::outbox::add_message;
use crate::alerting::{Incident, message_id};
use crate::domain::{Alert, AlertKind, AlertState};
use crate::store::counts::counts;
use crate::store::parse::{brand, parse_name};

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
    let kind = parse_name("alerts.kind", row.try_get("kind")?, &AlertKind::ALL, AlertKind::as_str)?;
    Ok(Some(Alert {
        id: id.to_owned(),
        message_id: message_id(id, AlertState::Firing),
        state: AlertState::Firing,
        rule: row.try_get("rule")?,
        kind,
        brand: brand(&row)?,
        started_at: row.try_get("started_at")?,
        fired_at: row.try_get("fired_at")?,
        resolved_at: None,
        window_seconds: window_seconds(&row)?,
        value: row.try_get("value")?,
        threshold: row.try_get("threshold")?,
        counts: counts(&row)?,
        late: row.try_get("late")?,
        examples: Vec::new(),
    }))
}

fn window_seconds(row: &PgRow) -> Result<u64, sqlx::Error> {
    let seconds: i64 = row.try_get("window_seconds")?;
    u64::try_from(seconds).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Incidents that are open, or that ended after that time.
pub(super) async fn incidents(
    connection: &mut PgConnection,
    ended_after: DateTime<Utc>,
) -> Result<Vec<Incident>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT rule, brand, started_at, resolved_at FROM overheard.alerts
         WHERE state = 'firing' OR resolved_at > $1",
    )
    .bind(ended_after)
    .fetch_all(connection)
    .await?;
    let incident = |row: &PgRow| {
        Ok::<_, sqlx::Error>(Incident {
            rule: row.try_get("rule")?,
            brand: brand(row)?,
            started_at: row.try_get("started_at")?,
            resolved_at: row.try_get("resolved_at")?,
        })
    };
    // One that can't be read is of no configured brand.
    Ok(rows.iter().filter_map(|row| incident(row).ok()).collect())
}

/// Stores an alert and its message. A message that is there already stays as it is.
pub(super) async fn save_with_message(
    connection: &mut PgConnection,
    alert: &Alert,
) -> Result<(), sqlx::Error> {
    save_alert(connection, alert).await?;
    add_message(connection, &alert.message_id, alert.brand.as_str(), alert).await
}

async fn save_alert(connection: &mut PgConnection, alert: &Alert) -> Result<(), sqlx::Error> {
    // The row keeps what was measured when the alert fired; resolving changes its state only.
    sqlx::query(
        "INSERT INTO overheard.alerts AS incident
             (id, state, rule, kind, brand, started_at, fired_at, resolved_at, window_seconds,
              value, threshold, mentions, negative, neutral, positive, unscored, polarity_sum, sightings,
              late)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
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
    .bind(i64::try_from(alert.window_seconds).unwrap_or(i64::MAX))
    .bind(alert.value)
    .bind(alert.threshold)
    .bind(alert.counts.mentions())
    .bind(alert.counts.negative)
    .bind(alert.counts.neutral)
    .bind(alert.counts.positive)
    .bind(alert.counts.unscored)
    .bind(alert.counts.polarity_sum)
    .bind(alert.counts.sightings)
    .bind(alert.late)
    .execute(connection)
    .await
    .map(drop)
}
