//! Sightings as rows, and what they do to mentions and counts.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{FromRow, Row};

use super::finished::FinishedPicture;
use crate::domain::PictureOutcome;
use crate::store::client::Options;
use crate::store::counts::{CountKey, CountedMention};
use crate::store::posts::{RowKey, key};

/// Columns of the sightings to insert, one entry a row.
#[derive(Default)]
pub(super) struct SightingRows<'a> {
    source: Vec<&'a str>,
    post_id: Vec<&'a str>,
    created_at: Vec<DateTime<Utc>>,
    position: Vec<i16>,
    brand: Vec<&'a str>,
    number: Vec<i16>,
    url: Vec<Option<&'a str>>,
    picture_width: Vec<i32>,
    picture_height: Vec<i32>,
    x: Vec<f32>,
    y: Vec<f32>,
    width: Vec<f32>,
    height: Vec<f32>,
    score: Vec<f32>,
    share: Vec<f32>,
    distance: Vec<f32>,
    sharpness: Vec<f32>,
    model: Vec<&'a str>,
    received_at: Vec<DateTime<Utc>>,
}

impl<'a> SightingRows<'a> {
    /// All sightings, in the order of their keys. A brand's logos in a picture are numbered in the
    /// order in which the model gave them.
    pub(super) fn of(pictures: &[&'a FinishedPicture], options: &Options) -> Self {
        let mut sorted = BTreeMap::new();
        for picture in pictures {
            let PictureOutcome::Examined(seen) = &picture.outcome else { continue };
            let mut of_brand: HashMap<&str, i16> = HashMap::new();
            for sighting in &picture.sightings {
                let brand = sighting.brand.as_str();
                let number = of_brand.entry(brand).or_default();
                let place = (key(&picture.queued.post.key), picture.queued.position, brand, *number);
                sorted.insert(place, (*picture, seen, sighting));
                *number = number.saturating_add(1);
            }
        }
        let mut rows = Self::default();
        for (((source, post_id, created_at), position, brand, number), (picture, seen, sighting)) in sorted {
            let side = |pixels| i32::try_from(pixels).unwrap_or(i32::MAX);
            rows.source.push(source);
            rows.post_id.push(post_id);
            rows.created_at.push(created_at);
            rows.position.push(position);
            rows.brand.push(brand);
            rows.number.push(number);
            // An address may name the account.
            rows.url.push(Some(picture.queued.url.as_str()).filter(|_| options.keep_author));
            rows.picture_width.push(side(seen.width));
            rows.picture_height.push(side(seen.height));
            rows.x.push(sighting.bounds.x);
            rows.y.push(sighting.bounds.y);
            rows.width.push(sighting.bounds.width);
            rows.height.push(sighting.bounds.height);
            rows.score.push(sighting.score);
            rows.share.push(sighting.prominence.share);
            rows.distance.push(sighting.prominence.distance);
            rows.sharpness.push(sighting.prominence.sharpness);
            rows.model.push(&seen.model);
            rows.received_at.push(picture.queued.received_at);
        }
        rows
    }
}

/// Mentions by text of brands that pictures show as well are by both from now on. Gives them back.
pub(super) async fn strengthen_mentions<'a>(
    connection: &mut PgConnection,
    shown: impl Iterator<Item = (RowKey<'a>, &'a str)>,
) -> Result<Vec<CountedMention>, sqlx::Error> {
    let (mut source, mut post_id, mut created_at, mut brand) = (vec![], vec![], vec![], vec![]);
    for (key, shown) in shown {
        source.push(key.0);
        post_id.push(key.1);
        created_at.push(key.2);
        brand.push(shown);
    }
    if brand.is_empty() {
        return Ok(Vec::new());
    }
    // Times are bound from below and above, so that only their days are looked into.
    sqlx::query_as(
        "WITH shown AS MATERIALIZED (
             SELECT source, post_id, created_at, brand
             FROM overheard.mentions mention
             JOIN UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::text[])
                  AS new (source, post_id, created_at, brand)
               USING (source, post_id, created_at, brand)
             WHERE mention.evidence = 'text' AND mention.created_at BETWEEN $5 AND $6
             ORDER BY 1, 2, 3, 4
             FOR UPDATE OF mention
         )
         UPDATE overheard.mentions mention SET evidence = 'both'
         FROM shown
         WHERE mention.source = shown.source AND mention.post_id = shown.post_id
           AND mention.created_at = shown.created_at AND mention.brand = shown.brand
           AND mention.created_at BETWEEN $5 AND $6
         RETURNING mention.brand, date_trunc('minute', mention.created_at, 'UTC') AS minute, mention.source,
                   coalesce(mention.language, 'und') AS language, mention.kind, mention.evidence,
                   mention.post_id, mention.label, mention.polarity,
                   mention.muted_by IS NOT NULL AS muted",
    )
    .bind(&source)
    .bind(&post_id)
    .bind(&created_at)
    .bind(&brand)
    .bind(created_at.iter().min())
    .bind(created_at.iter().max())
    .fetch_all(connection)
    .await
}

/// Sightings that are new, with what their mention is counted under; none where that has gone or is
/// muted.
pub(super) struct NewSightings {
    pub(super) mention: Option<CountKey>,
    pub(super) sightings: i64,
}

impl FromRow<'_, PgRow> for NewSightings {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let evidence: Option<&str> = row.try_get("evidence")?;
        let mention = evidence.map(|_| CountKey::from_row(row)).transpose()?;
        Ok(Self { mention, sightings: row.try_get("sightings")? })
    }
}

/// Inserts sightings that are not there yet. Gives them back by what their mentions are counted
/// under.
pub(super) async fn insert_sightings(
    connection: &mut PgConnection,
    rows: &SightingRows<'_>,
) -> Result<Vec<NewSightings>, sqlx::Error> {
    if rows.source.is_empty() {
        return Ok(Vec::new());
    }
    // A picture of a post that was looked at before, by whatever model, keeps what was seen then.
    sqlx::query_as(
        "WITH new AS MATERIALIZED (
             SELECT * FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::text[],
                                  $6::smallint[], $7::text[], $8::integer[], $9::integer[],
                                  $10::real[], $11::real[], $12::real[], $13::real[], $14::real[],
                                  $15::real[], $16::real[], $17::real[], $18::text[], $19::timestamptz[])
               AS new (source, post_id, created_at, position, brand, number, url,
                       picture_width, picture_height, x, y, width, height,
                       score, share, distance, sharpness, model, received_at)
         ),
         inserted AS (
             INSERT INTO overheard.sightings
                 (source, post_id, created_at, position, brand, number, url, picture_width, picture_height,
                  x, y, width, height, score, share, distance, sharpness, model, received_at)
             SELECT * FROM new
             WHERE NOT EXISTS (
                 SELECT FROM overheard.sightings known
                 WHERE known.source = new.source AND known.post_id = new.post_id
                   AND known.created_at = new.created_at AND known.position = new.position
             )
             ORDER BY source, post_id, created_at, position, brand, number
             ON CONFLICT DO NOTHING
             RETURNING source, post_id, created_at, brand
         )
         SELECT inserted.brand, date_trunc('minute', inserted.created_at, 'UTC') AS minute, inserted.source,
                coalesce(mention.language, 'und') AS language, mention.kind, mention.evidence,
                count(*) AS sightings
         FROM inserted
         LEFT JOIN overheard.mentions mention
                ON mention.source = inserted.source AND mention.post_id = inserted.post_id
               AND mention.created_at = inserted.created_at AND mention.brand = inserted.brand
               AND mention.created_at BETWEEN $20 AND $21 AND mention.muted_by IS NULL
         GROUP BY 1, 2, 3, 4, 5, 6",
    )
    .bind(&rows.source)
    .bind(&rows.post_id)
    .bind(&rows.created_at)
    .bind(&rows.position)
    .bind(&rows.brand)
    .bind(&rows.number)
    .bind(&rows.url)
    .bind(&rows.picture_width)
    .bind(&rows.picture_height)
    .bind(&rows.x)
    .bind(&rows.y)
    .bind(&rows.width)
    .bind(&rows.height)
    .bind(&rows.score)
    .bind(&rows.share)
    .bind(&rows.distance)
    .bind(&rows.sharpness)
    .bind(&rows.model)
    .bind(&rows.received_at)
    .bind(rows.created_at.iter().min())
    .bind(rows.created_at.iter().max())
    .fetch_all(connection)
    .await
}
