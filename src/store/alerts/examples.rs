//! Posts that show what an alert is about.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

use crate::domain::{AlertExample, AlertKind, BrandId};

pub(super) async fn examples(
    connection: &mut PgConnection,
    brand: &BrandId,
    kind: AlertKind,
    window: Duration,
    end: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<AlertExample>, sqlx::Error> {
    if kind == AlertKind::Silence {
        // Nothing was said.
        return Ok(Vec::new());
    }
    // The latest 2000 mentions hold enough examples, and the statement stays fast in a burst of a
    // million.
    let rows = sqlx::query(
        "SELECT m.source, m.post_id, m.created_at, p.link, left(p.text, 1000) AS text, m.label, m.polarity
         FROM (
             SELECT * FROM overheard.mentions
             WHERE brand = $1 AND created_at >= $2 AND created_at < $3 AND (label IS NOT NULL OR NOT $4)
               AND (evidence <> 'text' OR NOT $6) AND muted_by IS NULL
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
    .bind(kind == AlertKind::FirstSighting)
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
