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
    /// Mean polarity, -1..=1.
    pub polarity: Option<f64>,
    /// The words of the mention with the latest claimed time, where texts are kept.
    pub latest: Option<String>,
}

impl Store {
    /// A summary of every brand that has counts, the most mentioned first.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn brand_summary(&self) -> Result<Vec<BrandSummary>, StoreError> {
        self.within("summarise brands", async {
            sqlx::query_as(
                "SELECT brand, mentions, negative, neutral, positive, polarity, latest
                 FROM (
                     SELECT brand, sum(mentions)::bigint AS mentions, sum(negative)::bigint AS negative,
                            sum(neutral)::bigint AS neutral, sum(positive)::bigint AS positive,
                            sum(polarity_sum) / nullif(sum(mentions), 0)::double precision AS polarity
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
