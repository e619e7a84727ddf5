//! Known pictures: what became of an address, and which logos the picture showed.
//!
//! A picture is recognised by its address, by its content, and by a perceptual hash that is nearly
//! the same. Its logos count only if the same version of the same model found them, and every row
//! expires. All processes share them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::types::Json;
use sqlx::{Executor, Row};

use crate::domain::{Detection, ExaminedPicture, PictureOutcome, PixelBox, Prominence};
use crate::store::client::Store;
use crate::store::error::StoreError;
use crate::store::parse::unknown_value;

/// How long a failure is kept at most: a server may be mended, and settings may change.
const FAILURES_KEPT: Duration = Duration::from_hours(24);

/// A detection as the column `detections` holds it.
#[derive(Serialize, Deserialize)]
struct StoredDetection {
    label: String,
    score: f32,
    #[serde(flatten, with = "PixelBoxFields")]
    bounds: PixelBox,
    #[serde(flatten, with = "ProminenceFields")]
    prominence: Prominence,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PixelBox")]
struct PixelBoxFields {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Prominence")]
struct ProminenceFields {
    share: f32,
    distance: f32,
    sharpness: f32,
}

/// A picture that is the same to the eye may have another size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// Its perceptual hash.
    pub perceptual: i64,
    /// In how many bits another hash may differ; 4 at most, since the index finds no more.
    pub within: u32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

/// By the hashes of addresses. The columns are those that `outcome` reads, here and below.
pub const URLS_QUERY: &str = "
    SELECT url_sha256, outcome, reason, content_sha256, perceptual, bytes, width, height, model, detections
    FROM overheard.media
    WHERE url_sha256 = ANY ($1)
      AND CASE WHEN outcome = 'fetched'
          THEN model = $2 AND looked_at > now() - make_interval(secs => $3)
          ELSE looked_at > now() - make_interval(secs => $4) END";

/// The latest of a file.
pub const CONTENT_QUERY: &str = "
    SELECT outcome, reason, content_sha256, perceptual, bytes, width, height, model, detections
    FROM overheard.media
    WHERE content_sha256 = $1 AND model = $2 AND looked_at > now() - make_interval(secs => $3)
    ORDER BY looked_at DESC LIMIT 1";

/// The nearest of those that have a key in common, of which so many are looked at and no more.
pub const LIKENESS_QUERY: &str = "
    SELECT outcome, reason, content_sha256, perceptual, bytes, width, height, model, detections
    FROM (
        SELECT * FROM overheard.media
        WHERE perceptual IS NOT NULL
          AND overheard.likeness_keys(perceptual, width, height, 0)
              && (overheard.likeness_keys($1, $3::integer, $4::integer, -0.0203)
                  || overheard.likeness_keys($1, $3::integer, $4::integer, 0.0203))
        LIMIT 1000
    ) candidate
    WHERE bit_count((perceptual # $1)::bit(64)) <= $2
      AND abs(width * $4::integer::double precision / (height * $3::integer::double precision) - 1) < 0.02
      AND model = $5 AND looked_at > now() - make_interval(secs => $6)
    ORDER BY bit_count((perceptual # $1)::bit(64)), looked_at DESC LIMIT 1";

/// For the transaction of [`LIKENESS_QUERY`]. Postgres can't tell how few rows share a key, and takes
/// the limit for a reason to read the table from its beginning. An answer that takes long is worth
/// less than looking at the picture.
pub const LIKENESS_SETTINGS: &str = "SET LOCAL enable_seqscan = off; SET LOCAL statement_timeout = '2s'";

impl Store {
    /// What became of addresses that are known, unless `model` has not examined them.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn known_urls(
        &self,
        urls: &[&str],
        model: &str,
    ) -> Result<HashMap<String, PictureOutcome>, StoreError> {
        if urls.is_empty() {
            return Ok(HashMap::new());
        }
        let by_hash: HashMap<Vec<u8>, &str> = urls.iter().map(|url| (url_hash(url), *url)).collect();
        let hashes: Vec<&Vec<u8>> = by_hash.keys().collect();
        let remember = self.options.pictures.remember;
        self.within("look up pictures by their addresses", async {
            sqlx::query(URLS_QUERY)
                .bind(&hashes)
                .bind(model)
                .bind(remember.as_secs_f64())
                .bind(remember.min(FAILURES_KEPT).as_secs_f64())
                .fetch_all(&self.pool)
                .await?
                .iter()
                .filter_map(|row| {
                    let hash = row.try_get::<Vec<u8>, _>("url_sha256");
                    let url = hash.map(|hash| by_hash.get(&hash).map(|url| (*url).to_owned())).transpose()?;
                    Some(url.and_then(|url| Ok((url, outcome(row)?))))
                })
                .collect()
        })
        .await
    }

    /// What `model` found in the same file at another address.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn known_content(
        &self,
        content: &[u8; 32],
        model: &str,
    ) -> Result<Option<ExaminedPicture>, StoreError> {
        self.within("look up a picture by its content", async {
            sqlx::query(CONTENT_QUERY)
                .bind(content.as_slice())
                .bind(model)
                .bind(self.options.pictures.remember.as_secs_f64())
                .fetch_optional(&self.pool)
                .await?
                .map(|row| examined(&row))
                .transpose()
        })
        .await
    }

    /// What `model` found in a picture that is the same to the eye: its hash differs in a few bits at
    /// most, and it has the same shape. Boxes are in pixels of that other picture.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn known_likeness(
        &self,
        likeness: Likeness,
        model: &str,
    ) -> Result<Option<ExaminedPicture>, StoreError> {
        self.within("look up a picture by its likeness", async {
            let mut transaction = self.pool.begin().await?;
            transaction.execute(LIKENESS_SETTINGS).await?;
            let row = sqlx::query(LIKENESS_QUERY)
                // Planned for these values each time.
                .persistent(false)
                .bind(likeness.perceptual)
                .bind(i64::from(likeness.within))
                .bind(side(likeness.width))
                .bind(side(likeness.height))
                .bind(model)
                .bind(self.options.pictures.remember.as_secs_f64())
                .fetch_optional(&mut *transaction)
                .await?;
            transaction.commit().await?;
            row.map(|row| examined(&row)).transpose()
        })
        .await
    }

    /// Deletes what has expired; returns how many addresses.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn expire_known_pictures(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let kept = TimeDelta::from_std(self.options.pictures.remember).ok();
        match kept.and_then(|kept| now.checked_sub_signed(kept)) {
            Some(cutoff) => self.delete_from("media", "looked_at", cutoff).await,
            None => Ok(0),
        }
    }
}

/// The key of an address, which itself may be too long for one.
fn url_hash(url: &str) -> Vec<u8> {
    Sha256::digest(url.as_bytes()).to_vec()
}

fn outcome(row: &PgRow) -> Result<PictureOutcome, sqlx::Error> {
    let reason = || row.try_get::<String, _>("reason");
    Ok(match row.try_get("outcome")? {
        "fetched" => PictureOutcome::Examined(examined(row)?),
        "refused" => PictureOutcome::Refused(reason()?),
        "failed" => PictureOutcome::Failed(reason()?),
        "undecodable" => {
            PictureOutcome::Undecodable { reason: reason()?, content: content(row)?, bytes: bytes(row)? }
        }
        other => return Err(unknown_value("media.outcome", other)),
    })
}

fn content(row: &PgRow) -> Result<[u8; 32], sqlx::Error> {
    let hash: Vec<u8> = row.try_get("content_sha256")?;
    hash.try_into().map_err(|hash| unknown_value("media.content_sha256", &hex::encode(hash)))
}

fn bytes(row: &PgRow) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get("bytes")?;
    number.try_into().map_err(|_| unknown_value("media", &format!("bytes = {number}")))
}

fn side_of(row: &PgRow, column: &'static str) -> Result<u32, sqlx::Error> {
    let number: i32 = row.try_get(column)?;
    number.try_into().map_err(|_| unknown_value("media", &format!("{column} = {number}")))
}

fn examined(row: &PgRow) -> Result<ExaminedPicture, sqlx::Error> {
    let side = |column| side_of(row, column);
    let Json(stored): Json<Vec<StoredDetection>> = row.try_get("detections")?;
    let detection = |StoredDetection { label, score, bounds, prominence }| Detection {
        label,
        score,
        bounds,
        prominence,
        reported: true,
    };
    Ok(ExaminedPicture {
        content: content(row)?,
        perceptual: row.try_get("perceptual")?,
        bytes: bytes(row)?,
        width: side("width")?,
        height: side("height")?,
        model: row.try_get("model")?,
        detections: stored.into_iter().map(detection).collect(),
    })
}

/// Columns of the rows to write, one entry an address.
#[derive(Default)]
struct MediaRows<'a> {
    hash: Vec<Vec<u8>>,
    outcome: Vec<&'static str>,
    reason: Vec<Option<&'a str>>,
    content: Vec<Option<&'a [u8]>>,
    perceptual: Vec<Option<i64>>,
    bytes: Vec<Option<i64>>,
    width: Vec<Option<i32>>,
    height: Vec<Option<i32>>,
    model: Vec<Option<&'a str>>,
    detections: Vec<Option<Json<Vec<StoredDetection>>>>,
}

/// Writes what became of addresses; the latest counts.
pub(super) async fn upsert<'a>(
    connection: &mut PgConnection,
    outcomes: impl Iterator<Item = (&'a str, &'a PictureOutcome)>,
) -> Result<(), sqlx::Error> {
    let outcomes: BTreeMap<Vec<u8>, _> = outcomes.map(|(url, outcome)| (url_hash(url), outcome)).collect();
    if outcomes.is_empty() {
        return Ok(());
    }
    let rows = media_rows(outcomes);
    sqlx::query(
        "INSERT INTO overheard.media
             (url_sha256, outcome, reason, content_sha256, perceptual, bytes, width, height, model, detections)
         SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[],
                              $7::integer[], $8::integer[], $9::text[], $10::jsonb[])
         ON CONFLICT (url_sha256) DO UPDATE SET
             outcome = excluded.outcome, reason = excluded.reason, looked_at = now(),
             content_sha256 = excluded.content_sha256, perceptual = excluded.perceptual,
             bytes = excluded.bytes, width = excluded.width, height = excluded.height,
             model = excluded.model, detections = excluded.detections",
    )
    .bind(&rows.hash)
    .bind(&rows.outcome)
    .bind(&rows.reason)
    .bind(&rows.content)
    .bind(&rows.perceptual)
    .bind(&rows.bytes)
    .bind(&rows.width)
    .bind(&rows.height)
    .bind(&rows.model)
    .bind(&rows.detections)
    .execute(connection)
    .await
    .map(drop)
}

fn media_rows(outcomes: BTreeMap<Vec<u8>, &PictureOutcome>) -> MediaRows<'_> {
    let mut rows = MediaRows::default();
    for (hash, outcome) in outcomes {
        let (mut reason, mut content, mut bytes, mut seen) = (None, None, None, None);
        match outcome {
            PictureOutcome::Examined(found) => {
                (content, bytes, seen) = (Some(found.content.as_slice()), Some(found.bytes), Some(found));
            }
            PictureOutcome::Refused(why) | PictureOutcome::Failed(why) => reason = Some(why.as_str()),
            PictureOutcome::Undecodable { reason: why, content: of_file, bytes: size } => {
                (reason, content, bytes) = (Some(why.as_str()), Some(of_file.as_slice()), Some(*size));
            }
        }
        rows.hash.push(hash);
        rows.outcome.push(outcome.as_str());
        rows.reason.push(reason);
        rows.content.push(content);
        rows.perceptual.push(seen.and_then(|seen| seen.perceptual));
        rows.bytes.push(bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)));
        rows.width.push(seen.map(|seen| side(seen.width)));
        rows.height.push(seen.map(|seen| side(seen.height)));
        rows.model.push(seen.map(|seen| seen.model.as_str()));
        rows.detections.push(seen.map(|seen| Json(stored(&seen.detections))));
    }
    rows
}

fn stored(detections: &[Detection]) -> Vec<StoredDetection> {
    let row = |detection: &Detection| StoredDetection {
        label: detection.label.clone(),
        score: detection.score,
        bounds: detection.bounds,
        prominence: detection.prominence,
    };
    detections.iter().map(row).collect()
}

fn side(pixels: u32) -> i32 {
    i32::try_from(pixels).unwrap_or(i32::MAX)
}
