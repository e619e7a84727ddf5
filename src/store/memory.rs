//! The fleet's memory of pictures: what became of an address, and what was seen in the picture.
//!
//! A picture is known again by its address, by its content, and by a perceptual hash that is
//! nearly the same. What was seen counts only if the same version of the same model saw it, and
//! everything is forgotten in time.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Row};

use super::{Store, StoreError};
use crate::domain::{PixelBox, Prominence};

/// How long it is remembered at most that a picture could not be had: a server may be mended, and
/// settings may change.
const TROUBLE_REMEMBERED: Duration = Duration::from_hours(24);

/// What became of a picture's address.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaOutcome {
    /// It was fetched and looked at.
    Fetched(Seen),
    /// The address is not let through, for this reason.
    Refused(String),
    /// It can't be had, or not be looked at, for this reason.
    Failed(String),
    /// The file is no picture.
    Undecodable {
        /// Why.
        reason: String,
        /// SHA-256 of the file.
        content: [u8; 32],
        /// Size of the file.
        bytes: u64,
    },
}

impl MediaOutcome {
    /// The name in rows and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Fetched(_) => "fetched",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
            Self::Undecodable { .. } => "undecodable",
        }
    }
}

/// A picture that a model has looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// SHA-256 of the file.
    pub content: [u8; 32],
    /// The perceptual hash, as a signed number; none where the picture is too plain for one.
    pub perceptual: Option<i64>,
    /// Size of the file.
    pub bytes: u64,
    /// Width of the upright picture.
    pub width: u32,
    /// Height of the upright picture.
    pub height: u32,
    /// The model, with its version.
    pub model: String,
    /// The logos that it reports.
    pub detections: Vec<Detection>,
}

/// A logo that a model reports, of any brand that it knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// The model's name for the brand.
    pub class: String,
    /// How sure it is, 0 to 1.
    pub score: f32,
    /// Where.
    #[serde(flatten, with = "PixelBoxFields")]
    pub bounds: PixelBox,
    /// How much it stands out.
    #[serde(flatten, with = "ProminenceFields")]
    pub prominence: Prominence,
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

/// The columns that `outcome` reads.
const COLUMNS: &str =
    "url, outcome, reason, content_sha256, perceptual, bytes, width, height, model, detections";
/// How far the shapes of two pictures that are the same may differ.
const SHAPE_TOLERANCE: f64 = 0.02;

impl Store {
    /// What is remembered of addresses. What `model` would see anew is not.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn remembered_urls(
        &self,
        urls: &[&str],
        model: &str,
    ) -> Result<HashMap<String, MediaOutcome>, StoreError> {
        if urls.is_empty() {
            return Ok(HashMap::new());
        }
        let hashes: Vec<Vec<u8>> = urls.iter().map(|url| url_hash(url)).collect();
        let remember = self.options.pictures.remember;
        self.within("remember pictures by their addresses", async {
            sqlx::query(AssertSqlSafe(format!(
                "SELECT {COLUMNS} FROM overheard.media
                 WHERE url_sha256 = ANY ($1)
                   AND CASE WHEN outcome = 'fetched'
                       THEN model = $2 AND looked_at > now() - make_interval(secs => $3)
                       ELSE looked_at > now() - make_interval(secs => $4) END"
            )))
            .bind(&hashes)
            .bind(model)
            .bind(remember.as_secs_f64())
            .bind(remember.min(TROUBLE_REMEMBERED).as_secs_f64())
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(|row| Ok((row.try_get("url")?, outcome(row)?)))
            .collect()
        })
        .await
    }

    /// What `model` saw in the same file at another address.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn remembered_content(
        &self,
        content: &[u8; 32],
        model: &str,
    ) -> Result<Option<Seen>, StoreError> {
        self.within("remember a picture by its content", async {
            sqlx::query(AssertSqlSafe(format!(
                "SELECT {COLUMNS} FROM overheard.media
                 WHERE content_sha256 = $1 AND model = $2 AND looked_at > now() - make_interval(secs => $3)
                 ORDER BY looked_at DESC LIMIT 1"
            )))
            .bind(content.as_slice())
            .bind(model)
            .bind(self.options.pictures.remember.as_secs_f64())
            .fetch_optional(&self.pool)
            .await?
            .map(|row| seen(&row))
            .transpose()
        })
        .await
    }

    /// What `model` saw in a picture that is the same to the eye: its hash differs in a few bits at
    /// most, and it has the same shape. Boxes are in pixels of that other picture.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn remembered_likeness(
        &self,
        likeness: Likeness,
        model: &str,
    ) -> Result<Option<Seen>, StoreError> {
        self.within("remember a picture by its likeness", async {
            // Two hashes that differ in four bits at most are equal in one of five parts, which are
            // what the index holds.
            sqlx::query(AssertSqlSafe(format!(
                "SELECT {COLUMNS} FROM overheard.media
                 WHERE perceptual IS NOT NULL
                   AND ARRAY[perceptual & 8191, (perceptual >> 13 & 8191) + 8192,
                             (perceptual >> 26 & 8191) + 16384, (perceptual >> 39 & 8191) + 24576,
                             (perceptual >> 52 & 4095) + 32768]
                    && ARRAY[$1 & 8191, ($1 >> 13 & 8191) + 8192, ($1 >> 26 & 8191) + 16384,
                             ($1 >> 39 & 8191) + 24576, ($1 >> 52 & 4095) + 32768]
                   AND bit_count((perceptual # $1)::bit(64)) <= $2
                   AND abs(width * $4::double precision / (height * $3::double precision) - 1) < $5
                   AND model = $6 AND looked_at > now() - make_interval(secs => $7)
                 ORDER BY bit_count((perceptual # $1)::bit(64)), looked_at DESC LIMIT 1"
            )))
            .bind(likeness.perceptual)
            .bind(i64::from(likeness.within))
            .bind(f64::from(likeness.width))
            .bind(f64::from(likeness.height))
            .bind(SHAPE_TOLERANCE)
            .bind(model)
            .bind(self.options.pictures.remember.as_secs_f64())
            .fetch_optional(&self.pool)
            .await?
            .map(|row| seen(&row))
            .transpose()
        })
        .await
    }

    /// Forgets what is older than it may be; gives back how many addresses.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn forget_pictures(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
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

fn outcome(row: &PgRow) -> Result<MediaOutcome, sqlx::Error> {
    let reason = || Ok::<_, sqlx::Error>(row.try_get::<Option<String>, _>("reason")?.unwrap_or_default());
    Ok(match row.try_get("outcome")? {
        "fetched" => MediaOutcome::Fetched(seen(row)?),
        "refused" => MediaOutcome::Refused(reason()?),
        "undecodable" => MediaOutcome::Undecodable {
            reason: reason()?,
            content: content(row)?,
            bytes: row.try_get::<Option<i64>, _>("bytes")?.and_then(|n| n.try_into().ok()).unwrap_or(0),
        },
        _ => MediaOutcome::Failed(reason()?),
    })
}

fn content(row: &PgRow) -> Result<[u8; 32], sqlx::Error> {
    let bytes: Option<Vec<u8>> = row.try_get("content_sha256")?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default())
}

fn seen(row: &PgRow) -> Result<Seen, sqlx::Error> {
    let side = |name| row.try_get::<i32, _>(name).map(i32::unsigned_abs);
    let Json(detections) = row.try_get("detections")?;
    Ok(Seen {
        content: content(row)?,
        perceptual: row.try_get("perceptual")?,
        bytes: row.try_get::<Option<i64>, _>("bytes")?.and_then(|n| n.try_into().ok()).unwrap_or(0),
        width: side("width")?,
        height: side("height")?,
        model: row.try_get("model")?,
        detections,
    })
}

/// Columns of what is to be remembered, one entry an address.
#[derive(Default)]
struct MediaRows<'a> {
    hash: Vec<Vec<u8>>,
    url: Vec<&'a str>,
    outcome: Vec<&'static str>,
    reason: Vec<Option<&'a str>>,
    content: Vec<Option<&'a [u8]>>,
    perceptual: Vec<Option<i64>>,
    bytes: Vec<Option<i64>>,
    width: Vec<Option<i32>>,
    height: Vec<Option<i32>>,
    model: Vec<Option<&'a str>>,
    detections: Vec<Option<Json<&'a [Detection]>>>,
}

/// Remembers what became of addresses; the latest counts.
pub(super) async fn remember<'a>(
    connection: &mut PgConnection,
    news: impl Iterator<Item = (&'a str, &'a MediaOutcome)>,
) -> Result<(), sqlx::Error> {
    let news: BTreeMap<Vec<u8>, _> = news.map(|(url, outcome)| (url_hash(url), (url, outcome))).collect();
    if news.is_empty() {
        return Ok(());
    }
    let rows = media_rows(news);
    sqlx::query(
        "INSERT INTO overheard.media
             (url_sha256, url, outcome, reason, content_sha256, perceptual, bytes, width, height, model, detections)
         SELECT * FROM UNNEST($1::bytea[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bigint[],
                              $7::bigint[], $8::integer[], $9::integer[], $10::text[], $11::jsonb[])
         ON CONFLICT (url_sha256) DO UPDATE SET
             outcome = excluded.outcome, reason = excluded.reason, looked_at = now(),
             content_sha256 = excluded.content_sha256, perceptual = excluded.perceptual,
             bytes = excluded.bytes, width = excluded.width, height = excluded.height,
             model = excluded.model, detections = excluded.detections",
    )
    .bind(&rows.hash)
    .bind(&rows.url)
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

fn media_rows<'a>(news: BTreeMap<Vec<u8>, (&'a str, &'a MediaOutcome)>) -> MediaRows<'a> {
    let mut rows = MediaRows::default();
    for (hash, (url, outcome)) in news {
        let (mut reason, mut content, mut bytes, mut seen) = (None, None, None, None);
        match outcome {
            MediaOutcome::Fetched(found) => {
                (content, bytes, seen) = (Some(found.content.as_slice()), Some(found.bytes), Some(found));
            }
            MediaOutcome::Refused(why) | MediaOutcome::Failed(why) => reason = Some(why.as_str()),
            MediaOutcome::Undecodable { reason: why, content: of_file, bytes: size } => {
                (reason, content, bytes) = (Some(why.as_str()), Some(of_file.as_slice()), Some(*size));
            }
        }
        rows.hash.push(hash);
        rows.url.push(url);
        rows.outcome.push(outcome.as_str());
        rows.reason.push(reason);
        rows.content.push(content);
        rows.perceptual.push(seen.and_then(|seen| seen.perceptual));
        rows.bytes.push(bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)));
        rows.width.push(seen.map(|seen| side(seen.width)));
        rows.height.push(seen.map(|seen| side(seen.height)));
        rows.model.push(seen.map(|seen| seen.model.as_str()));
        rows.detections.push(seen.map(|seen| Json(seen.detections.as_slice())));
    }
    rows
}

fn side(pixels: u32) -> i32 {
    i32::try_from(pixels).unwrap_or(i32::MAX)
}

impl Seen {
    /// The same logos in a picture that is the same but for its size.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "boxes have single precision")]
    pub fn at_size(&self, width: u32, height: u32) -> Vec<Detection> {
        let across = (f64::from(width) / f64::from(self.width.max(1))) as f32;
        let down = (f64::from(height) / f64::from(self.height.max(1))) as f32;
        let scaled = |detection: &Detection| {
            let PixelBox { x, y, width, height } = detection.bounds;
            let bounds =
                PixelBox { x: x * across, y: y * down, width: width * across, height: height * down };
            Detection { bounds, ..detection.clone() }
        };
        self.detections.iter().map(scaled).collect()
    }
}
