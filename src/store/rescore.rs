//! Judges stored mentions anew: rows and counts in one transaction a batch.
//!
//! A batch is read, judged outside of any transaction, and written. Rows are locked in the order of
//! their keys before what they counted for is taken from the counts, and what they count for now is
//! added. Writers only insert, so they are not in the way; finishing pictures reads what mentions
//! are counted under, so it and a batch exclude each other.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::evidence::{EvidenceChanges, Tally};
use super::locks::CHANGE_MENTIONS;
use super::{Store, StoreError};
use crate::domain::{BrandId, Evidence, Judgement, Label, Language, ModelId, Sentiment, Span};

/// Which mentions may be judged anew.
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

/// A mention that none of today's models has scored, with its post.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct StaleMention {
    source: String,
    post_id: String,
    created_at: DateTime<Utc>,
    /// What the post says, where texts are kept.
    pub text: Option<String>,
    /// The language that it claims.
    pub claimed: Option<String>,
    place_start: Option<i32>,
    place_end: Option<i32>,
}

impl StaleMention {
    /// The first place in the text that names the brand. None where a picture shows it, and where
    /// the text is not the one that it was found in: of posts that come again, the first text is kept.
    pub fn place(&self) -> Option<Span> {
        let start = usize::try_from(self.place_start?).ok()?;
        let end = usize::try_from(self.place_end?).ok()?;
        self.text.as_ref()?.get(start..end).map(|_| Span { start, end })
    }
}

impl Store {
    /// How many mentions there are to be judged anew.
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

    /// Whether the brand has any mention at all.
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

    /// The next mentions to be judged anew, by the time that their posts claim, behind one that was
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
        // No source is empty, so this comes before all others.
        let first = (range.since, "", "");
        let after = after.map_or(first, |last| (last.created_at, &last.source, &last.post_id));
        self.within("read mentions", async {
            sqlx::query_as(
                "SELECT m.source, m.post_id, m.created_at, p.text, p.language AS claimed,
                        lower(m.spans[1]) AS place_start, upper(m.spans[1]) AS place_end
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

    /// Writes judgements over those that mentions of a brand have, and moves their counts. Gives
    /// back how many mentions changed; judgements that say what is there already change nothing.
    ///
    /// # Errors
    /// Nothing was written, or, where the connection broke during the commit, everything may have
    /// been: writing again is right in both cases.
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
            CHANGE_MENTIONS.lock_transaction(&mut transaction).await?;
            let changed = change_mentions(&mut transaction, brand, judged).await?;
            move_counts(&mut transaction, brand, &changed).await?;
            transaction.commit().await?;
            Ok(changed.len() as u64)
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
    minute: DateTime<Utc>,
    source: String,
    evidence: String,
    /// Its logos, which are counted beside it.
    sightings: i64,
    old_language: String,
    old_label: Option<String>,
    old_polarity: Option<f64>,
    new_language: String,
    new_label: Option<String>,
    new_polarity: Option<f64>,
}

impl Changed {
    fn counts_now(&self) -> Tally {
        tally(self.new_label.as_deref(), self.new_polarity, self.sightings)
    }

    /// To be taken away.
    fn counted_before(&self) -> Tally {
        -tally(self.old_label.as_deref(), self.old_polarity, self.sightings)
    }
}

/// One mention, as it is counted.
fn tally(label: Option<&str>, polarity: Option<f64>, sightings: i64) -> Tally {
    let is = |wanted: Label| i64::from(label == Some(wanted.as_str()));
    Tally {
        negative: is(Label::Negative),
        neutral: is(Label::Neutral),
        positive: is(Label::Positive),
        unscored: i64::from(label.is_none()),
        polarity_sum: polarity.unwrap_or_default(),
        sightings,
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
    // Times are bound from below and above, so that only their days are looked into.
    sqlx::query_as(
        "WITH changing AS MATERIALIZED (
             SELECT m.source, m.post_id, m.created_at, m.evidence, m.language, m.label, m.polarity,
                    judged.language AS new_language, judged.label AS new_label,
                    judged.negative AS new_negative, judged.neutral AS new_neutral,
                    judged.positive AS new_positive, judged.polarity AS new_polarity,
                    judged.model AS new_model
             FROM overheard.mentions m
             JOIN UNNEST($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::real[],
                         $8::real[], $9::real[], $10::real[], $11::text[])
               AS judged (source, post_id, created_at, language, label, negative, neutral, positive,
                          polarity, model)
               USING (source, post_id, created_at)
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
         SELECT date_trunc('minute', created_at, 'UTC') AS minute, source, evidence,
                coalesce(language, 'und') AS old_language, label AS old_label,
                polarity::double precision AS old_polarity,
                coalesce(new_language, 'und') AS new_language, new_label,
                new_polarity::double precision AS new_polarity,
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
    .fetch_all(connection)
    .await
}

/// Takes mentions from where they were counted, and counts them where they belong now.
async fn move_counts(
    connection: &mut PgConnection,
    brand: &BrandId,
    mentions: &[Changed],
) -> Result<(), sqlx::Error> {
    let minutes: BTreeSet<DateTime<Utc>> = mentions.iter().map(|moved| moved.minute).collect();
    let minutes: Vec<DateTime<Utc>> = minutes.into_iter().collect();
    // Counts may be kept for a shorter time than mentions. What is counted no more is not changed.
    let counted: Vec<DateTime<Utc>> = sqlx::query_scalar(
        "SELECT DISTINCT minute FROM overheard.mention_counts WHERE brand = $1 AND minute = ANY ($2)",
    )
    .bind(brand.as_str())
    .bind(&minutes)
    .fetch_all(&mut *connection)
    .await?;
    let counted: BTreeSet<DateTime<Utc>> = counted.into_iter().collect();

    let mut changes: BTreeMap<(DateTime<Utc>, &str, &str), Tally> = BTreeMap::new();
    let mut by_evidence = EvidenceChanges::default();
    for moved in mentions.iter().filter(|moved| counted.contains(&moved.minute)) {
        let (minute, source) = (moved.minute, moved.source.as_str());
        for (language, tally) in
            [(&moved.old_language, moved.counted_before()), (&moved.new_language, moved.counts_now())]
        {
            *changes.entry((minute, source, language)).or_default() += tally;
            if moved.evidence != Evidence::Text.as_str() {
                by_evidence.add((brand.as_str(), minute, source, language, &moved.evidence), tally);
            }
        }
    }
    if changes.is_empty() {
        return Ok(());
    }
    change_mention_counts(&mut *connection, brand, &changes).await?;
    by_evidence.write(&mut *connection).await?;
    // Where all mentions have moved to another language nothing is left to be counted.
    for table in ["mention_counts", "evidence_counts"] {
        let left = if table == "evidence_counts" { "AND sightings = 0" } else { "" };
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "DELETE FROM overheard.{table} WHERE brand = $1 AND minute = ANY ($2) AND mentions = 0 {left}"
        )))
        .bind(brand.as_str())
        .bind(&minutes)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn change_mention_counts(
    connection: &mut PgConnection,
    brand: &BrandId,
    changes: &BTreeMap<(DateTime<Utc>, &str, &str), Tally>,
) -> Result<(), sqlx::Error> {
    let column = |of: fn(&Tally) -> i64| changes.values().map(of).collect::<Vec<i64>>();
    sqlx::query(
        "INSERT INTO overheard.mention_counts AS counts
             (brand, minute, source, language, mentions, negative, neutral, positive, polarity_sum, unscored)
         SELECT $1, minute, source, language, negative + neutral + positive + unscored,
                negative, neutral, positive, polarity_sum, unscored
         FROM UNNEST($2::timestamptz[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
                     $8::double precision[], $9::bigint[])
           AS change (minute, source, language, negative, neutral, positive, polarity_sum, unscored)
         ON CONFLICT (brand, minute, source, language) DO UPDATE SET
             mentions = counts.mentions + excluded.mentions,
             negative = counts.negative + excluded.negative,
             neutral = counts.neutral + excluded.neutral,
             positive = counts.positive + excluded.positive,
             polarity_sum = counts.polarity_sum + excluded.polarity_sum,
             unscored = counts.unscored + excluded.unscored",
    )
    .bind(brand.as_str())
    .bind(changes.keys().map(|key| key.0).collect::<Vec<_>>())
    .bind(changes.keys().map(|key| key.1).collect::<Vec<_>>())
    .bind(changes.keys().map(|key| key.2).collect::<Vec<_>>())
    .bind(column(|tally| tally.negative))
    .bind(column(|tally| tally.neutral))
    .bind(column(|tally| tally.positive))
    .bind(changes.values().map(|tally| tally.polarity_sum).collect::<Vec<_>>())
    .bind(column(|tally| tally.unscored))
    .execute(connection)
    .await
    .map(drop)
}
