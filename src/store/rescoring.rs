//! Replaces the scores of stored mentions: rows and counts in one transaction a batch.
//!
//! A batch is read, scored outside of any transaction, and written. The rows are locked in the order
//! of their keys, and their counts move. An edit in between writes another mention, which is left as
//! it is. Whoever counts by what a mention says waits meanwhile.

use std::ops::Bound;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;
use sqlx::postgres::types::PgRange;

use super::advisory_lock::CHANGE_MENTIONS;
use super::client::Store;
use super::counts::{CountChanges, CountKey, counts_of_mention};
use super::error::StoreError;
use crate::domain::{BrandId, Judgement, Language, ModelId, Sentiment, Span};

/// The mentions to rescore.
#[derive(Clone, Debug)]
pub struct RescoreRange {
    /// Of this brand.
    pub brand: BrandId,
    /// Of posts that claim this time or a later one,
    pub since: DateTime<Utc>,
    /// and one before this.
    pub until: DateTime<Utc>,
    /// Not scored by any of these models.
    pub models: Vec<ModelId>,
}

/// A mention that none of the current models has scored, with its post.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct StaleMention {
    source: String,
    post_id: String,
    created_at: DateTime<Utc>,
    /// Tells the mention of an edited post from the one that was read.
    received_at: DateTime<Utc>,
    /// What the post says, where texts are kept.
    pub text: Option<String>,
    /// The languages that it claims.
    pub claimed: Vec<String>,
    place_start: Option<i32>,
    place_end: Option<i32>,
    names: Vec<PgRange<i32>>,
}

impl StaleMention {
    /// The first place in the text that names the brand. None where only a picture shows it, or where
    /// the place is not within the text: of a post that was delivered twice, the first text is kept.
    pub fn place(&self) -> Option<Span> {
        let start = usize::try_from(self.place_start?).ok()?;
        let end = usize::try_from(self.place_end?).ok()?;
        self.text.as_ref()?.get(start..end).map(|_| Span { start, end })
    }

    /// The places in the text that name a brand, this one or another.
    pub fn names(&self) -> Vec<Span> {
        let offset = |bound: Bound<i32>| match bound {
            // Postgres writes ranges of integers as half-open ones.
            Bound::Included(offset) | Bound::Excluded(offset) => usize::try_from(offset).ok(),
            Bound::Unbounded => None,
        };
        self.names
            .iter()
            .filter_map(|name| Some(Span { start: offset(name.start)?, end: offset(name.end)? }))
            .collect()
    }
}

impl Store {
    /// How many mentions there are to rescore.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn count_stale(&self, range: &RescoreRange) -> Result<u64, StoreError> {
        let count: i64 = self
            .within("count mentions", async {
                sqlx::query_scalar(
                    "SELECT count(*) FROM overheard.mentions
                     WHERE brand = $1 AND created_at >= $2 AND created_at < $3
                       AND (model IS NULL OR model <> ALL ($4))",
                )
                .bind(range.brand.as_str())
                .bind(range.since)
                .bind(range.until)
                .bind(names(&range.models))
                .fetch_one(&self.pool)
                .await
            })
            .await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Whether the brand has any mentions.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn is_mentioned(&self, brand: &BrandId) -> Result<bool, StoreError> {
        self.within("look for mentions", async {
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM overheard.mentions WHERE brand = $1)")
                .bind(brand.as_str())
                .fetch_one(&self.pool)
                .await
        })
        .await
    }

    /// The next mentions to rescore, in the order of their posts' claimed times, after one that was
    /// read before.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn stale_mentions(
        &self,
        range: &RescoreRange,
        after: Option<&StaleMention>,
        limit: u32,
    ) -> Result<Vec<StaleMention>, StoreError> {
        // No source is empty, so this sorts before all others.
        let first = (range.since, "", "");
        let after = after.map_or(first, |last| (last.created_at, &last.source, &last.post_id));
        self.within("read mentions", async {
            sqlx::query_as(
                "SELECT m.source, m.post_id, m.created_at, m.received_at, p.text,
                        coalesce(p.languages, '{}') AS claimed,
                        lower(m.spans[1]) AS place_start, upper(m.spans[1]) AS place_end,
                        ARRAY(SELECT unnest(named.spans) FROM overheard.mentions named
                              WHERE named.source = m.source AND named.post_id = m.post_id
                                AND named.created_at = m.created_at) AS names
                 FROM overheard.mentions m
                 LEFT JOIN overheard.posts p
                        ON p.source = m.source AND p.id = m.post_id AND p.created_at = m.created_at
                 WHERE m.brand = $1 AND m.created_at >= $2 AND m.created_at < $3
                   AND (m.created_at, m.source, m.post_id) > ($2, $4, $5)
                   AND (m.model IS NULL OR m.model <> ALL ($6))
                 ORDER BY m.created_at, m.source, m.post_id
                 LIMIT $7",
            )
            .bind(range.brand.as_str())
            .bind(after.0)
            .bind(range.until)
            .bind(after.1)
            .bind(after.2)
            .bind(names(&range.models))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
        })
        .await
    }

    /// Replaces the judgements of a brand's mentions, and moves their counts. Returns how many
    /// mentions changed: those whose language or model is another one.
    ///
    /// # Errors
    /// Nothing was written, or, where the connection broke during the commit, everything may have
    /// been. Writing again is right in both cases.
    pub async fn rescore(
        &self,
        brand: &BrandId,
        judged: &[(StaleMention, Judgement)],
    ) -> Result<u64, StoreError> {
        if judged.is_empty() {
            return Ok(0);
        }
        self.within("rescore mentions", async {
            let mut transaction = self.pool.begin().await?;
            CHANGE_MENTIONS.lock(&mut transaction).await?;
            let mentions = change_mentions(&mut transaction, brand, judged).await?;
            let changed = mentions.len() as u64;
            let mut counts = CountChanges::default();
            for mention in mentions.into_iter().filter(|mention| !mention.muted) {
                mention.shift_counts(&mut counts)?;
            }
            counts.write(&mut transaction).await?;
            transaction.commit().await?;
            Ok(changed)
        })
        .await
    }
}

fn names(models: &[ModelId]) -> Vec<&str> {
    models.iter().map(ModelId::as_str).collect()
}

/// A mention that changed: where it was counted and where it is counted now.
#[derive(Debug, sqlx::FromRow)]
struct Changed {
    #[sqlx(flatten)]
    key: CountKey,
    muted: bool,
    /// Its logos, which are counted beside it.
    sightings: i64,
    label: Option<String>,
    polarity: Option<f32>,
    old_language: String,
    old_label: Option<String>,
    old_polarity: Option<f32>,
}

impl Changed {
    fn shift_counts(self, counts: &mut CountChanges) -> Result<(), sqlx::Error> {
        let mut taken = counts_of_mention(self.old_label.as_deref(), self.old_polarity)?;
        let mut added = counts_of_mention(self.label.as_deref(), self.polarity)?;
        taken.sightings = self.sightings;
        added.sightings = self.sightings;
        let from = CountKey { language: self.old_language, ..self.key.clone() };
        counts.shift(from, taken, self.key, added);
        Ok(())
    }
}

async fn change_mentions(
    connection: &mut PgConnection,
    brand: &BrandId,
    judged: &[(StaleMention, Judgement)],
) -> Result<Vec<Changed>, sqlx::Error> {
    let sentiments: Vec<Option<Sentiment>> =
        judged.iter().map(|(_, judgement)| judgement.score.as_ref().map(|score| score.sentiment)).collect();
    let column = |of: fn(Sentiment) -> f32| {
        sentiments.iter().map(|sentiment| sentiment.map(of)).collect::<Vec<Option<f32>>>()
    };
    let times: Vec<DateTime<Utc>> = judged.iter().map(|(mention, _)| mention.created_at).collect();
    // The bounds on the time make Postgres read those days' partitions only.
    sqlx::query_as(
        "WITH changing AS MATERIALIZED (
             SELECT m.source, m.post_id, m.created_at, m.kind, m.evidence, m.language, m.label, m.polarity,
                    m.muted_by IS NOT NULL AS muted,
                    judged.language AS new_language, judged.label AS new_label,
                    judged.negative AS new_negative, judged.neutral AS new_neutral,
                    judged.positive AS new_positive, judged.polarity AS new_polarity,
                    judged.model AS new_model
             FROM overheard.mentions m
             JOIN UNNEST($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::real[],
                         $8::real[], $9::real[], $10::real[], $11::text[], $14::timestamptz[])
               AS judged (source, post_id, created_at, language, label, negative, neutral, positive,
                          polarity, model, received_at)
               USING (source, post_id, created_at, received_at)
             WHERE m.brand = $1 AND m.created_at BETWEEN $12 AND $13
               AND (m.language, m.model) IS DISTINCT FROM (judged.language, judged.model)
             ORDER BY 1, 2, 3
             FOR UPDATE OF m
         ),
         changed AS (
             UPDATE overheard.mentions m SET
                 language = new_language, label = new_label, negative = new_negative,
                 neutral = new_neutral, positive = new_positive, polarity = new_polarity, model = new_model
             FROM changing
             WHERE m.source = changing.source AND m.post_id = changing.post_id
               AND m.created_at = changing.created_at AND m.brand = $1
               AND m.created_at BETWEEN $12 AND $13
         )
         SELECT $1 AS brand, date_trunc('minute', created_at, 'UTC') AS minute, source, kind, evidence, muted,
                coalesce(new_language, 'und') AS language, new_label AS label, new_polarity AS polarity,
                coalesce(language, 'und') AS old_language, label AS old_label, polarity AS old_polarity,
                (SELECT count(*) FROM overheard.sightings s
                 WHERE s.source = changing.source AND s.post_id = changing.post_id
                   AND s.created_at = changing.created_at AND s.brand = $1
                   AND s.created_at BETWEEN $12 AND $13) AS sightings
         FROM changing",
    )
    .bind(brand.as_str())
    .bind(judged.iter().map(|(mention, _)| mention.source.as_str()).collect::<Vec<_>>())
    .bind(judged.iter().map(|(mention, _)| mention.post_id.as_str()).collect::<Vec<_>>())
    .bind(&times)
    .bind(judged.iter().map(|(_, judged)| judged.language.as_ref().map(Language::as_str)).collect::<Vec<_>>())
    .bind(sentiments.iter().map(|s| s.map(|s| s.label().as_str())).collect::<Vec<_>>())
    .bind(column(Sentiment::negative))
    .bind(column(Sentiment::neutral))
    .bind(column(Sentiment::positive))
    .bind(column(Sentiment::polarity))
    .bind(
        judged.iter().map(|(_, judged)| judged.score.as_ref().map(|s| s.model.as_str())).collect::<Vec<_>>(),
    )
    .bind(times.iter().min())
    .bind(times.iter().max())
    .bind(judged.iter().map(|(mention, _)| mention.received_at).collect::<Vec<_>>())
    .fetch_all(connection)
    .await
}
