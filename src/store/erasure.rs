//! Erasure: takes a post's rows away, with what they count for.
//!
//! Whoever erases holds [`CHANGE_MENTIONS`](super::advisory_lock::CHANGE_MENTIONS) exclusively, so
//! that nobody counts or completes a picture of the post meanwhile.

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

use super::audience::AudienceChanges;
use super::counts::{CountChanges, CountedMention};
use super::identity::author_keys;
use crate::domain::{AuthorKey, Topics};

/// A post to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Erasure {
    pub(super) source: String,
    pub(super) id: String,
    /// The claimed time of its rows; without, only its queued pictures go.
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) author_key: Option<AuthorKey>,
}

/// Erases posts: their rows, queued pictures, and their words in messages that are still in the
/// outbox. What they count for is added to the changes, as something to be taken away.
pub(super) async fn erase(
    connection: &mut PgConnection,
    posts: &[Erasure],
    counts: &mut CountChanges,
    audience: &mut AudienceChanges,
) -> Result<(), sqlx::Error> {
    if posts.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM overheard.picture_queue queued USING UNNEST($1::text[], $2::text[]) AS gone (source, id)
         WHERE queued.source = gone.source AND queued.post_id = gone.id",
    )
    .bind(posts.iter().map(|post| post.source.as_str()).collect::<Vec<_>>())
    .bind(posts.iter().map(|post| post.id.as_str()).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    // Most deletions of a network are of posts that never had rows.
    let stored: Vec<&Erasure> = posts.iter().filter(|post| post.created_at.is_some()).collect();
    if stored.is_empty() {
        return Ok(());
    }
    redact_outbox(connection, &stored).await?;
    for mention in delete_rows(connection, &stored).await? {
        if mention.counted.muted {
            continue;
        }
        let mut taken = mention.counted.counts()?;
        taken.sightings = mention.sightings;
        audience.add(&mention.counted.key, mention.author_key, &mention.topics, -1);
        counts.take(mention.counted.key, taken);
    }
    Ok(())
}

/// Messages that wait or were sent within a day show posts as examples.
async fn redact_outbox(connection: &mut PgConnection, posts: &[&Erasure]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE overheard.outbox SET payload = jsonb_set(payload, '{examples}', (
             SELECT coalesce(jsonb_agg(example ORDER BY place), '[]')
             FROM jsonb_array_elements(payload->'examples') WITH ORDINALITY AS shown (example, place)
             WHERE (example->>'source', example->>'post_id')
                   NOT IN (SELECT * FROM UNNEST($1::text[], $2::text[]))
         ))
         WHERE EXISTS (
             SELECT FROM jsonb_array_elements(payload->'examples') AS shown (example)
             WHERE (example->>'source', example->>'post_id')
                   IN (SELECT * FROM UNNEST($1::text[], $2::text[])))",
    )
    .bind(posts.iter().map(|post| post.source.as_str()).collect::<Vec<_>>())
    .bind(posts.iter().map(|post| post.id.as_str()).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(drop)
}

/// A mention that was deleted.
struct DeletedMention {
    counted: CountedMention,
    sightings: i64,
    author_key: Option<AuthorKey>,
    topics: Topics,
}

impl sqlx::FromRow<'_, PgRow> for DeletedMention {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let author_key: Option<[u8; 16]> = row.try_get("author_key")?;
        let names =
            |column| Ok::<_, sqlx::Error>(row.try_get::<Option<Vec<String>>, _>(column)?.unwrap_or_default());
        Ok(Self {
            counted: CountedMention::from_row(row)?,
            sightings: row.try_get("sightings")?,
            author_key: author_key.map(AuthorKey),
            topics: Topics { links: names("links")?, hashtags: names("hashtags")?, hosts: names("hosts")? },
        })
    }
}

async fn delete_rows(
    connection: &mut PgConnection,
    stored: &[&Erasure],
) -> Result<Vec<DeletedMention>, sqlx::Error> {
    let times: Vec<DateTime<Utc>> = stored.iter().filter_map(|post| post.created_at).collect();
    // The bounds on the time make Postgres read those days' partitions only.
    sqlx::query_as(
        "WITH gone AS MATERIALIZED (
             SELECT * FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::bytea[])
               AS gone (source, id, created_at, author_key)
         ),
         post AS (
             DELETE FROM overheard.posts p USING gone
             WHERE p.source = gone.source AND p.id = gone.id AND p.created_at = gone.created_at
               AND p.created_at BETWEEN $5 AND $6
             RETURNING p.source, p.id, p.links, p.hashtags, p.hosts
         ),
         seen AS (
             DELETE FROM overheard.sightings s USING gone
             WHERE s.source = gone.source AND s.post_id = gone.id AND s.created_at = gone.created_at
               AND s.created_at BETWEEN $5 AND $6
             RETURNING s.source, s.post_id, s.brand
         ),
         mention AS (
             DELETE FROM overheard.mentions m USING gone
             WHERE m.source = gone.source AND m.post_id = gone.id AND m.created_at = gone.created_at
               AND m.created_at BETWEEN $5 AND $6
             RETURNING m.source, m.post_id, m.created_at, m.brand, m.language, m.kind, m.evidence, m.label,
                       m.polarity, m.muted_by IS NOT NULL AS muted, gone.author_key
         )
         SELECT m.brand, date_trunc('minute', m.created_at, 'UTC') AS minute, m.source,
                coalesce(m.language, 'und') AS language, m.kind, m.evidence, m.label, m.polarity,
                m.post_id, m.muted, m.author_key, post.links, post.hashtags, post.hosts,
                (SELECT count(*) FROM seen
                 WHERE seen.source = m.source AND seen.post_id = m.post_id AND seen.brand = m.brand) AS sightings
         FROM mention m LEFT JOIN post ON post.source = m.source AND post.id = m.post_id",
    )
    .bind(stored.iter().map(|post| post.source.as_str()).collect::<Vec<_>>())
    .bind(stored.iter().map(|post| post.id.as_str()).collect::<Vec<_>>())
    .bind(&times)
    .bind(author_keys(stored.iter().map(|post| post.author_key)))
    .bind(times.iter().min())
    .bind(times.iter().max())
    .fetch_all(connection)
    .await
}
