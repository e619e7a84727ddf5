//! Writes a batch of posts: rows, and counts of the rows that are really new, in one transaction.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::evidence::NewMentions;
use super::listing::{WorkRows, list_pictures};
use super::{Options, Store, StoreError};
use crate::domain::{Durable, Evidence, Judgement, Language, Mention, Post, PostKey, Sentiment, Span};

/// A post on its way into the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPost {
    /// What was posted.
    pub post: Post,
    /// When it was read from Kafka.
    pub received_at: DateTime<Utc>,
    /// What it says about brands; it may name none.
    pub mentions: Vec<Mention>,
    /// Whether it gets a row. One that names no brand may be kept only if its pictures show one,
    /// and until then is known to the list of work alone.
    pub kept: bool,
}

/// How many rows were new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Posts inserted.
    pub posts: u64,
    /// Mentions inserted, and so counted.
    pub mentions: u64,
    /// Pictures inserted into the list of work.
    pub pictures: u64,
}

impl Store {
    /// Writes posts and their mentions in one transaction, and lists their pictures to be looked
    /// at. What is there already stays as it is and is not counted again. An empty batch is durable
    /// at once.
    ///
    /// # Errors
    /// Nothing was written, or, where the connection broke during the commit, everything may have
    /// been: writing the batch again is right in both cases. An error that is not
    /// [transient](StoreError::is_transient) is the fault of some post in the batch.
    pub async fn write(&self, posts: &[StoredPost]) -> Result<(Durable, Written), StoreError> {
        if posts.is_empty() {
            return Ok((Durable::attest(), Written::default()));
        }
        let (post_rows, mention_rows) = rows(posts, &self.options);
        let work_rows = WorkRows::of(posts, &self.options);
        let written = self
            .within("write posts", async {
                let mut transaction = self.pool.begin().await?;
                // In the order in which finished pictures are written, too: the list of work first.
                let pictures = list_pictures(&mut transaction, &work_rows).await?;
                let posts = insert_posts(&mut transaction, &post_rows).await?;
                let new = insert_mentions(&mut transaction, Evidence::Text, &mention_rows).await?;
                let mentions = new.iter().map(NewMentions::mentions).sum();
                transaction.commit().await?;
                Ok(Written { posts, mentions, pictures })
            })
            .await?;
        Ok((Durable::attest(), written))
    }
}

/// Columns of the posts to insert, one entry a row.
#[derive(Default)]
pub(super) struct PostRows<'a> {
    source: Vec<&'a str>,
    id: Vec<&'a str>,
    created_at: Vec<DateTime<Utc>>,
    received_at: Vec<DateTime<Utc>>,
    kind: Vec<&'static str>,
    author: Vec<Option<&'a str>>,
    text: Vec<Option<&'a str>>,
    link: Vec<Option<&'a str>>,
    language: Vec<Option<&'a str>>,
    reach: Vec<Option<i64>>,
}

/// Columns of the mentions to insert, one entry a row.
#[derive(Default)]
pub(super) struct MentionRows<'a> {
    source: Vec<&'a str>,
    post_id: Vec<&'a str>,
    created_at: Vec<DateTime<Utc>>,
    brand: Vec<&'a str>,
    language: Vec<Option<&'a str>>,
    label: Vec<Option<&'static str>>,
    negative: Vec<Option<f32>>,
    neutral: Vec<Option<f32>>,
    positive: Vec<Option<f32>>,
    polarity: Vec<Option<f32>>,
    model: Vec<Option<&'a str>>,
    spans: Vec<String>,
    received_at: Vec<DateTime<Utc>>,
}

/// A post's key as rows are sorted by.
pub(super) type RowKey<'a> = (&'a str, &'a str, DateTime<Utc>);

impl<'a> PostRows<'a> {
    /// Adds a row; rows come in the order of their keys.
    pub(super) fn push(
        &mut self,
        (source, id, created_at): RowKey<'a>,
        post: &'a Post,
        received_at: DateTime<Utc>,
        options: &Options,
    ) {
        self.source.push(source);
        self.id.push(id);
        self.created_at.push(created_at);
        self.received_at.push(received_at);
        self.kind.push(post.kind.as_str());
        self.author.push(post.author.as_deref().filter(|_| options.keep_author));
        self.text.push(Some(post.text.as_str()).filter(|_| options.keep_text));
        self.link.push(post.link.as_deref());
        self.language.push(post.language.as_deref());
        self.reach.push(post.reach.map(|reach| i64::try_from(reach).unwrap_or(i64::MAX)));
    }
}

/// What a post says about one brand.
pub(super) struct MentionRow<'a> {
    pub(super) post: &'a Post,
    pub(super) brand: &'a str,
    pub(super) judgement: &'a Judgement,
    pub(super) spans: &'a [Span],
    pub(super) received_at: DateTime<Utc>,
}

impl<'a> MentionRows<'a> {
    /// Adds a row; rows come in the order of their keys.
    pub(super) fn push(&mut self, row: &MentionRow<'a>) {
        let (source, post_id, created_at) = key(&row.post.key);
        let score = row.judgement.score.as_ref();
        let sentiment = score.map(|score| score.sentiment);
        self.source.push(source);
        self.post_id.push(post_id);
        self.created_at.push(created_at);
        self.brand.push(row.brand);
        self.language.push(row.judgement.language.as_ref().map(Language::as_str));
        self.label.push(sentiment.map(|sentiment| sentiment.label().as_str()));
        self.negative.push(sentiment.map(Sentiment::negative));
        self.neutral.push(sentiment.map(Sentiment::neutral));
        self.positive.push(sentiment.map(Sentiment::positive));
        self.polarity.push(sentiment.map(Sentiment::polarity));
        self.model.push(score.map(|score| score.model.as_str()));
        self.spans.push(range_array(row.spans));
        self.received_at.push(row.received_at);
    }
}

/// Both kinds of rows in the order of their keys. Every process inserts in this order, so two that
/// write overlapping batches wait for each other in one direction only, never in a circle.
fn rows<'a>(posts: &'a [StoredPost], options: &Options) -> (PostRows<'a>, MentionRows<'a>) {
    // Of two posts with one key the first is written, as if the second had come in a later batch.
    let mut unique_posts = BTreeMap::new();
    let mut unique_mentions = BTreeMap::new();
    for stored in posts.iter().filter(|stored| stored.kept) {
        let key = key(&stored.post.key);
        unique_posts.entry(key).or_insert(stored);
        for mention in &stored.mentions {
            unique_mentions.entry((key, mention.brand.as_str())).or_insert((stored, mention));
        }
    }
    let mut post_rows = PostRows::default();
    for (key, stored) in unique_posts {
        post_rows.push(key, &stored.post, stored.received_at, options);
    }
    let mut mention_rows = MentionRows::default();
    for ((_, brand), (stored, mention)) in unique_mentions {
        mention_rows.push(&MentionRow {
            post: &stored.post,
            brand,
            judgement: &mention.judgement,
            spans: &mention.spans,
            received_at: stored.received_at,
        });
    }
    (post_rows, mention_rows)
}

/// A post's key as Postgres will see it: its times are whole microseconds.
pub(super) fn key(key: &PostKey) -> RowKey<'_> {
    let exact = key.created_at;
    let created_at = DateTime::from_timestamp_micros(exact.timestamp_micros()).unwrap_or(exact);
    (&key.source, &key.id, created_at)
}

/// Spans as the text of an `int4range[]`. (`UNNEST` would flatten an array of arrays.)
fn range_array(spans: &[Span]) -> String {
    let mut text = String::from("{");
    for (index, span) in spans.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a `String` can't fail.
        let _ = write!(text, "{comma}\"[{},{})\"", span.start, span.end);
    }
    text.push('}');
    text
}

/// Inserts posts that are not there yet; gives back how many.
pub(super) async fn insert_posts(
    connection: &mut PgConnection,
    rows: &PostRows<'_>,
) -> Result<u64, sqlx::Error> {
    if rows.source.is_empty() {
        return Ok(0);
    }
    let result = sqlx::query(
        "INSERT INTO overheard.posts
             (source, id, created_at, received_at, kind, author, text, link, language, reach)
         SELECT * FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[],
                              $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[])
         ON CONFLICT DO NOTHING",
    )
    .bind(&rows.source)
    .bind(&rows.id)
    .bind(&rows.created_at)
    .bind(&rows.received_at)
    .bind(&rows.kind)
    .bind(&rows.author)
    .bind(&rows.text)
    .bind(&rows.link)
    .bind(&rows.language)
    .bind(&rows.reach)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

/// Inserts mentions that are not there yet, and counts them; gives back these counts.
pub(super) async fn insert_mentions(
    connection: &mut PgConnection,
    evidence: Evidence,
    rows: &MentionRows<'_>,
) -> Result<Vec<NewMentions>, sqlx::Error> {
    if rows.source.is_empty() {
        return Ok(Vec::new());
    }
    // The counts are added up from what the insert returns, so a mention that was there already
    // adds nothing; and upserted in the order of their key, for the same reason as the rows.
    sqlx::query_as(
        "WITH inserted AS (
             INSERT INTO overheard.mentions
                 (source, post_id, created_at, brand, language, label,
                  negative, neutral, positive, polarity, spans, model, received_at, evidence)
             SELECT source, post_id, created_at, brand, language, label,
                    negative, neutral, positive, polarity, spans::int4range[], model, received_at, $14
             FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[],
                         $7::real[], $8::real[], $9::real[], $10::real[], $11::text[], $12::text[], $13::timestamptz[])
               AS new (source, post_id, created_at, brand, language, label,
                       negative, neutral, positive, polarity, spans, model, received_at)
             ON CONFLICT DO NOTHING
             RETURNING source, created_at, brand, language, label, polarity
         ),
         new_counts AS (
             SELECT brand, date_trunc('minute', created_at, 'UTC') AS minute, source,
                    coalesce(language, 'und') AS language,
                    count(*) AS mentions,
                    count(*) FILTER (WHERE label = 'negative') AS negative,
                    count(*) FILTER (WHERE label = 'neutral') AS neutral,
                    count(*) FILTER (WHERE label = 'positive') AS positive,
                    coalesce(sum(polarity::double precision), 0) AS polarity_sum,
                    count(*) FILTER (WHERE label IS NULL) AS unscored
             FROM inserted
             GROUP BY 1, 2, 3, 4
             ORDER BY 1, 2, 3, 4
         ),
         counted AS (
             INSERT INTO overheard.mention_counts AS counts
                 (brand, minute, source, language, mentions, negative, neutral, positive, polarity_sum, unscored)
             SELECT * FROM new_counts
             ON CONFLICT (brand, minute, source, language) DO UPDATE SET
                 mentions = counts.mentions + excluded.mentions,
                 negative = counts.negative + excluded.negative,
                 neutral = counts.neutral + excluded.neutral,
                 positive = counts.positive + excluded.positive,
                 polarity_sum = counts.polarity_sum + excluded.polarity_sum,
                 unscored = counts.unscored + excluded.unscored
         )
         SELECT brand, minute, source, language, negative, neutral, positive, polarity_sum, unscored
         FROM new_counts",
    )
    .bind(&rows.source)
    .bind(&rows.post_id)
    .bind(&rows.created_at)
    .bind(&rows.brand)
    .bind(&rows.language)
    .bind(&rows.label)
    .bind(&rows.negative)
    .bind(&rows.neutral)
    .bind(&rows.positive)
    .bind(&rows.polarity)
    .bind(&rows.spans)
    .bind(&rows.model)
    .bind(&rows.received_at)
    .bind(evidence.as_str())
    .fetch_all(connection)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_become_an_array_of_half_open_ranges() {
        assert_eq!(range_array(&[]), "{}");
        let spans = [Span { start: 0, end: 4 }, Span { start: 10, end: 14 }];
        assert_eq!(range_array(&spans), r#"{"[0,4)","[10,14)"}"#);
    }
}
