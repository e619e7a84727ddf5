//! What people at a terminal want to know: the state of the server, and of each brand.

use super::{Store, StoreError};

/// A brand's mentions so far.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct BrandSummary {
    /// The brand's id.
    pub brand: String,
    /// All mentions that counts are kept of.
    pub mentions: i64,
    /// Those labelled negative.
    pub negative: i64,
    /// Those labelled neutral.
    pub neutral: i64,
    /// Those labelled positive.
    pub positive: i64,
    /// Those that no model scored.
    pub unscored: i64,
    /// Mean polarity of those scored, -1..=1.
    pub polarity: Option<f64>,
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
            sqlx::query_as(
                "SELECT brand, mentions, negative, neutral, positive, unscored, polarity, latest
                 FROM (
                     SELECT brand, sum(mentions)::bigint AS mentions, sum(negative)::bigint AS negative,
                            sum(neutral)::bigint AS neutral, sum(positive)::bigint AS positive,
                            sum(unscored)::bigint AS unscored,
                            sum(polarity_sum) / nullif(sum(mentions - unscored), 0)::double precision AS polarity
                     FROM overheard.mention_counts GROUP BY brand
                 ) counted
                 LEFT JOIN LATERAL (
                     SELECT text AS latest FROM overheard.recent_mentions recent
                     WHERE recent.brand = counted.brand ORDER BY created_at DESC LIMIT 1
                 ) newest ON true
                 ORDER BY mentions DESC, brand",
            )
            .fetch_all(&self.pool)
            .await
        })
        .await
    }

    /// The server's version, such as `18.6`.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn server_version(&self) -> Result<String, StoreError> {
        self.within("read the server's version", async {
            sqlx::query_scalar("SELECT current_setting('server_version')").fetch_one(&self.pool).await
        })
        .await
    }
}
