//! Which queries brands had, by their versions.

use super::client::Store;
use super::error::StoreError;
use crate::domain::{BrandId, QueryVersion};

/// By what a brand is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrandQuery {
    /// The brand.
    pub brand: BrandId,
    /// The version, which mentions carry.
    pub version: QueryVersion,
    /// What it stands for.
    pub definition: String,
}

impl Store {
    /// Writes down what versions stand for, before any mention carries them. Those that are known stay as they are.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn record_queries(&self, queries: &[BrandQuery]) -> Result<(), StoreError> {
        self.within("write down queries", async {
            sqlx::query(
                "INSERT INTO overheard.brand_queries (brand, version, definition)
                 SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[]) ORDER BY 1, 2
                 ON CONFLICT DO NOTHING",
            )
            .bind(queries.iter().map(|query| query.brand.as_str()).collect::<Vec<_>>())
            .bind(queries.iter().map(|query| query.version.as_str()).collect::<Vec<_>>())
            .bind(queries.iter().map(|query| query.definition.as_str()).collect::<Vec<_>>())
            .execute(&self.pool)
            .await
            .map(drop)
        })
        .await
    }
}
