//! Overviews for the terminal: brands and their mentions, and the latest logos seen.

use sqlx::Row;

use super::client::Store;
use super::counts::counts;
use super::error::StoreError;
use super::parse::brand;
use crate::domain::{BrandId, Counts};

/// A brand's mentions so far.
#[derive(Clone, Debug, PartialEq)]
pub struct BrandSummary {
    /// The brand.
    pub brand: BrandId,
    /// All mentions counted.
    pub counts: Counts,
    /// The words of the mention with the latest claimed time, where texts are kept.
    pub latest: Option<String>,
}

/// A logo seen, with its post.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct RecentSighting {
    /// The brand's id.
    pub brand: String,
    /// `image` or `both`; none where the mention has gone.
    pub evidence: Option<String>,
    /// How sure the model is, 0 to 1.
    pub score: f32,
    /// The logo's share of the picture, 0 to 1.
    pub share: f32,
    /// The mention's label.
    pub label: Option<String>,
    /// Where the picture is.
    pub url: String,
    /// What the post says, where texts are kept.
    pub text: Option<String>,
}

impl Store {
    /// The brands that a post mentions, each with its label, if it has one.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn labels_of(
        &self,
        source: &str,
        id: &str,
    ) -> Result<Vec<(String, Option<String>)>, StoreError> {
        self.within("read a post's mentions", async {
            sqlx::query_as(
                "SELECT brand, label FROM overheard.post_states s
                 JOIN overheard.mentions m ON m.source = s.source AND m.post_id = s.id AND m.created_at = s.created_at
                 WHERE s.source = $1 AND s.id = $2 ORDER BY brand",
            )
            .bind(source)
            .bind(id)
            .fetch_all(&self.pool)
            .await
        })
        .await
    }

    /// The logos seen in posts with the latest claimed times, the latest last.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn recent_sightings(&self, limit: u32) -> Result<Vec<RecentSighting>, StoreError> {
        self.within("read sightings", async {
            sqlx::query_as(
                "SELECT * FROM (
                     SELECT created_at, brand, evidence, score, share, label, url, text
                     FROM overheard.recent_sightings ORDER BY created_at DESC, url LIMIT $1
                 ) latest ORDER BY created_at, url",
            )
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
        })
        .await
    }

    /// A summary of every brand that has counts, the most mentioned first.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn brand_summary(&self) -> Result<Vec<BrandSummary>, StoreError> {
        self.within("summarise brands", async {
            sqlx::query(
                "SELECT counted.*, latest
                 FROM (
                     SELECT brand, sum(negative)::bigint AS negative, sum(neutral)::bigint AS neutral,
                            sum(positive)::bigint AS positive, sum(unscored)::bigint AS unscored,
                            sum(polarity_sum) AS polarity_sum, sum(sightings)::bigint AS sightings,
                            sum(mentions) AS mentions
                     FROM overheard.mention_counts GROUP BY brand
                 ) counted
                 LEFT JOIN LATERAL (
                     SELECT text AS latest FROM overheard.recent_mentions recent
                     WHERE recent.brand = counted.brand ORDER BY created_at DESC LIMIT 1
                 ) newest ON true
                 ORDER BY mentions DESC, brand",
            )
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(|row| {
                Ok(BrandSummary { brand: brand(row)?, counts: counts(row)?, latest: row.try_get("latest")? })
            })
            .collect()
        })
        .await
    }
}
