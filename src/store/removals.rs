//! Removals: which stored posts a removal is about, and what stands in the way of later ones.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::erasure::Erasure;
use super::identity::Identity;
use crate::domain::AuthorKey;

/// A removal, by the names under which posts are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredRemoval {
    /// One post.
    Post {
        /// The network.
        source: String,
        /// The identifiers that it may be stored under, the one that it would have now first.
        ids: Vec<String>,
        /// When it was removed.
        at: DateTime<Utc>,
    },
    /// All posts of an account up to a time.
    Account {
        /// The pseudonyms that it may be stored under.
        keys: Vec<AuthorKey>,
        /// When it was removed.
        at: DateTime<Utc>,
    },
}

/// Of these identities those that are stored, with where their rows are. Locks them, in the order of
/// their keys.
pub(super) async fn stored(
    connection: &mut PgConnection,
    identities: &[Identity<'_>],
) -> Result<Vec<Erasure>, sqlx::Error> {
    if identities.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT source, id, created_at, author_key FROM overheard.post_states
         WHERE (source, id) IN (SELECT * FROM UNNEST($1::text[], $2::text[])) AND state <> 'removed'
         ORDER BY source, id FOR UPDATE",
    )
    .bind(identities.iter().map(|identity| identity.0).collect::<Vec<_>>())
    .bind(identities.iter().map(|identity| identity.1).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Erasure::from).collect())
}

/// The stored posts of accounts whose version is not later than the account's removal. Locks them, in
/// the order of their keys.
pub(super) async fn stored_of(
    connection: &mut PgConnection,
    accounts: &[(AuthorKey, DateTime<Utc>)],
) -> Result<Vec<Erasure>, sqlx::Error> {
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let (keys, times) = columns(accounts);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT known.source, known.id, known.created_at, known.author_key
         FROM overheard.post_states known
         JOIN UNNEST($1::bytea[], $2::timestamptz[]) AS gone (author_key, removed_at)
           ON gone.author_key = known.author_key AND known.version <= gone.removed_at
         ORDER BY 1, 2 FOR UPDATE OF known",
    )
    .bind(keys)
    .bind(times)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Erasure::from).collect())
}

/// Takes the queued pictures of accounts away, also those of posts that have no rows yet.
pub(super) async fn delete_queued_of(
    connection: &mut PgConnection,
    accounts: &[(AuthorKey, DateTime<Utc>)],
) -> Result<(), sqlx::Error> {
    if accounts.is_empty() {
        return Ok(());
    }
    let (keys, times) = columns(accounts);
    sqlx::query(
        "DELETE FROM overheard.picture_queue queued
         USING UNNEST($1::bytea[], $2::timestamptz[]) AS gone (author_key, removed_at)
         WHERE queued.author_key = gone.author_key AND queued.version <= gone.removed_at",
    )
    .bind(keys)
    .bind(times)
    .execute(connection)
    .await
    .map(drop)
}

/// Remembers that accounts were removed, so that posts which come late are not stored.
pub(super) async fn remember_accounts(
    connection: &mut PgConnection,
    accounts: &[(AuthorKey, DateTime<Utc>)],
) -> Result<(), sqlx::Error> {
    if accounts.is_empty() {
        return Ok(());
    }
    let (keys, times) = columns(accounts);
    sqlx::query(
        "INSERT INTO overheard.removed_accounts AS known (author_key, removed_at)
         SELECT * FROM UNNEST($1::bytea[], $2::timestamptz[])
         ON CONFLICT (author_key) DO UPDATE SET
             removed_at = greatest(known.removed_at, excluded.removed_at), changed_at = now()",
    )
    .bind(keys)
    .bind(times)
    .execute(connection)
    .await
    .map(drop)
}

/// Of these accounts those that were removed, and when.
pub(super) async fn removed_accounts(
    connection: &mut PgConnection,
    keys: &[AuthorKey],
) -> Result<Vec<(AuthorKey, DateTime<Utc>)>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<([u8; 16], DateTime<Utc>)> = sqlx::query_as(
        "SELECT author_key, removed_at FROM overheard.removed_accounts WHERE author_key = ANY ($1)",
    )
    .bind(keys.iter().map(|key| key.0.to_vec()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(key, at)| (AuthorKey(key), at)).collect())
}

/// Accounts with the times of their removals, column by column.
fn columns(accounts: &[(AuthorKey, DateTime<Utc>)]) -> (Vec<Vec<u8>>, Vec<DateTime<Utc>>) {
    accounts.iter().map(|(key, at)| (key.0.to_vec(), *at)).unzip()
}

#[derive(sqlx::FromRow)]
struct Row {
    source: String,
    id: String,
    created_at: Option<DateTime<Utc>>,
    author_key: Option<[u8; 16]>,
}

impl From<Row> for Erasure {
    fn from(row: Row) -> Self {
        let Row { source, id, created_at, author_key } = row;
        Self { source, id, created_at, author_key: author_key.map(AuthorKey) }
    }
}
