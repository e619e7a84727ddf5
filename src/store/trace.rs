//! Traces: which tables hold something of a post or an author.

use sqlx::postgres::PgConnection;

use super::client::Store;
use super::error::StoreError;
use crate::domain::AuthorKey;

/// Whom or what traces are looked for of, by all names that it may be stored under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A post.
    Post {
        /// The network.
        source: String,
        /// Its identifiers.
        ids: Vec<String>,
    },
    /// An account.
    Author {
        /// The network.
        source: String,
        /// The account's name there.
        name: String,
        /// Its pseudonyms.
        keys: Vec<AuthorKey>,
    },
}

impl Store {
    /// The tables that hold something of it, with the number of rows. Reads whole tables where the
    /// question is about an author.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn trace(&self, subject: &Subject) -> Result<Vec<(String, i64)>, StoreError> {
        self.within("look for traces", async {
            let mut connection = self.pool.acquire().await?;
            match subject {
                Subject::Post { source, ids } => of_post(&mut connection, source, ids).await,
                Subject::Author { source, name, keys } => {
                    of_author(&mut connection, source, name, keys).await
                }
            }
        })
        .await
    }
}

async fn of_post(
    connection: &mut PgConnection,
    source: &str,
    ids: &[String],
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT place, count(*) FROM (
             SELECT 'posts' AS place FROM overheard.posts WHERE source = $1 AND id = ANY ($2)
             UNION ALL SELECT 'mentions' FROM overheard.mentions WHERE source = $1 AND post_id = ANY ($2)
             UNION ALL SELECT 'sightings' FROM overheard.sightings WHERE source = $1 AND post_id = ANY ($2)
             UNION ALL SELECT 'picture_queue' FROM overheard.picture_queue
                       WHERE source = $1 AND post_id = ANY ($2)
             UNION ALL SELECT 'post_states' FROM overheard.post_states
                       WHERE source = $1 AND id = ANY ($2) AND state <> 'removed'
             UNION ALL SELECT 'outbox' FROM overheard.outbox
                       CROSS JOIN LATERAL jsonb_array_elements(payload->'examples') AS shown (example)
                       WHERE example->>'source' = $1 AND example->>'post_id' = ANY ($2)
         ) traces GROUP BY place ORDER BY place",
    )
    .bind(source)
    .bind(ids)
    .fetch_all(connection)
    .await
}

async fn of_author(
    connection: &mut PgConnection,
    source: &str,
    name: &str,
    keys: &[AuthorKey],
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    sqlx::query_as(
        "WITH theirs AS MATERIALIZED (
             SELECT source, id FROM overheard.post_states WHERE author_key = ANY ($3)
             UNION SELECT source, id FROM overheard.posts WHERE source = $1 AND author = $2
         )
         SELECT place, count(*) FROM (
             SELECT 'posts' AS place FROM overheard.posts JOIN theirs USING (source, id)
             UNION ALL SELECT 'mentions' FROM overheard.mentions m
                       JOIN theirs ON theirs.source = m.source AND theirs.id = m.post_id
             UNION ALL SELECT 'sightings' FROM overheard.sightings s
                       JOIN theirs ON theirs.source = s.source AND theirs.id = s.post_id
             UNION ALL SELECT 'picture_queue' FROM overheard.picture_queue
                       WHERE author_key = ANY ($3) OR (source = $1 AND author = $2)
             UNION ALL SELECT 'post_states' FROM overheard.post_states WHERE author_key = ANY ($3)
             UNION ALL SELECT 'author_days' FROM overheard.author_days WHERE author_key = ANY ($3)
             UNION ALL SELECT 'mutes' FROM overheard.mutes WHERE author_keys && $3
             UNION ALL SELECT 'outbox' FROM overheard.outbox
                       CROSS JOIN LATERAL jsonb_array_elements(payload->'examples') AS shown (example)
                       JOIN theirs ON theirs.source = example->>'source' AND theirs.id = example->>'post_id'
         ) traces GROUP BY place ORDER BY place",
    )
    .bind(source)
    .bind(name)
    .bind(keys.iter().map(|key| key.0.to_vec()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await
}
