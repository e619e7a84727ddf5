//! Mentions as rows.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::counts::CountedMention;
use super::posts::RowKey;
use crate::domain::{Evidence, Judgement, Language, Post, QueryVersion, Sentiment, Span};

/// The mentions to insert, column by column.
#[derive(Default)]
pub(super) struct MentionRows<'a> {
    source: Vec<&'a str>,
    post_id: Vec<&'a str>,
    created_at: Vec<DateTime<Utc>>,
    brand: Vec<&'a str>,
    query: Vec<&'a str>,
    kind: Vec<&'static str>,
    language: Vec<Option<&'a str>>,
    label: Vec<Option<&'static str>>,
    negative: Vec<Option<f32>>,
    neutral: Vec<Option<f32>>,
    positive: Vec<Option<f32>>,
    polarity: Vec<Option<f32>>,
    model: Vec<Option<&'a str>>,
    spans: Vec<String>,
    received_at: Vec<DateTime<Utc>>,
    muted_by: Vec<Option<i64>>,
}

/// What a post says about one brand.
pub(super) struct MentionRow<'a> {
    pub(super) key: RowKey<'a>,
    pub(super) post: &'a Post,
    pub(super) brand: &'a str,
    pub(super) query: &'a QueryVersion,
    pub(super) judgement: &'a Judgement,
    pub(super) spans: &'a [Span],
    pub(super) received_at: DateTime<Utc>,
    /// The mute that hides it.
    pub(super) muted_by: Option<i64>,
}

impl<'a> MentionRows<'a> {
    /// Adds a row; rows come in the order of their keys.
    pub(super) fn push(&mut self, row: &MentionRow<'a>) {
        let (source, post_id, created_at) = row.key;
        let score = row.judgement.score.as_ref();
        let sentiment = score.map(|score| score.sentiment);
        self.source.push(source);
        self.post_id.push(post_id);
        self.created_at.push(created_at);
        self.brand.push(row.brand);
        self.query.push(row.query.as_str());
        self.kind.push(row.post.kind.as_str());
        self.language.push(row.judgement.language.as_ref().map(Language::as_str));
        self.label.push(sentiment.map(|sentiment| sentiment.label().as_str()));
        self.negative.push(sentiment.map(Sentiment::negative));
        self.neutral.push(sentiment.map(Sentiment::neutral));
        self.positive.push(sentiment.map(Sentiment::positive));
        self.polarity.push(sentiment.map(Sentiment::polarity));
        self.model.push(score.map(|score| score.model.as_str()));
        self.spans.push(range_array(row.spans));
        self.received_at.push(row.received_at);
        self.muted_by.push(row.muted_by);
    }
}

/// Inserts mentions that are not there yet, and returns these, as they are to be counted.
pub(super) async fn insert_mentions(
    connection: &mut PgConnection,
    evidence: Evidence,
    rows: &MentionRows<'_>,
) -> Result<Vec<CountedMention>, sqlx::Error> {
    if rows.source.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_as(
        "INSERT INTO overheard.mentions
             (source, post_id, created_at, brand, kind, language, label,
              negative, neutral, positive, polarity, spans, model, received_at, evidence, query, muted_by)
         SELECT source, post_id, created_at, brand, kind, language, label,
                negative, neutral, positive, polarity, spans::int4range[], model, received_at, $15, query, muted_by
         FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[],
                     $7::text[], $8::real[], $9::real[], $10::real[], $11::real[], $12::text[], $13::text[],
                     $14::timestamptz[], $16::text[], $17::bigint[])
           AS new (source, post_id, created_at, brand, kind, language, label,
                   negative, neutral, positive, polarity, spans, model, received_at, query, muted_by)
         ON CONFLICT DO NOTHING
         RETURNING brand, date_trunc('minute', created_at, 'UTC') AS minute, source,
                   coalesce(language, 'und') AS language, kind, evidence, post_id, label, polarity,
                   muted_by IS NOT NULL AS muted",
    )
    .bind(&rows.source)
    .bind(&rows.post_id)
    .bind(&rows.created_at)
    .bind(&rows.brand)
    .bind(&rows.kind)
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
    .bind(&rows.query)
    .bind(&rows.muted_by)
    .fetch_all(connection)
    .await
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
