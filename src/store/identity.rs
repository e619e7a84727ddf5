//! Identity: what is known of a post by (source, id), and what a delivery of it therefore does.
//!
//! A batch claims the identities of its posts first, in the order of their keys: two processes that
//! deliver the same post wait for each other there, and the second one sees what the first wrote.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::parse::parse_name;
use crate::domain::AuthorKey;

/// A post's identity, as rows are sorted by it.
pub(super) type Identity<'a> = (&'a str, &'a str);

/// What is known of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Stored as it was first delivered.
    Present,
    /// Replaced by a later version.
    Edited,
    /// Taken away.
    Removed,
}

impl State {
    const ALL: [Self; 3] = [Self::Present, Self::Edited, Self::Removed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Edited => "edited",
            Self::Removed => "removed",
        }
    }
}

/// A claim of an identity: what is written where the post is not known yet.
pub(super) struct Claim<'a> {
    pub(super) identity: Identity<'a>,
    pub(super) state: State,
    pub(super) version: DateTime<Utc>,
    /// The claimed time of the rows that come with it; none where none do.
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) author_key: Option<AuthorKey>,
}

/// What was known of a post before its claim, or that nothing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    New,
    Before {
        state: State,
        version: DateTime<Utc>,
        created_at: Option<DateTime<Utc>>,
        author_key: Option<AuthorKey>,
    },
}

/// What a delivery of a post does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Its rows are written.
    Insert,
    /// It is known in this version. Only what is missing is written, under the time of the first
    /// delivery: a brand may have been configured since.
    Complete { created_at: Option<DateTime<Utc>> },
    /// The rows of the earlier version go, and those of this one are written.
    Replace,
    /// A later version is known, or it was removed.
    Nothing,
}

/// What a version of a post does, by what is known of it.
pub(super) fn effect(is_edit: bool, version: DateTime<Utc>, known: Known) -> Effect {
    let Known::Before { state, version: stored, created_at, .. } = known else { return Effect::Insert };
    match state {
        State::Removed => Effect::Nothing,
        _ if is_edit && version > stored => Effect::Replace,
        State::Present if !is_edit => Effect::Complete { created_at },
        State::Edited if version == stored => Effect::Complete { created_at },
        State::Present | State::Edited => Effect::Nothing,
    }
}

type ClaimedRow = (String, DateTime<Utc>, Option<DateTime<Utc>>, Option<[u8; 16]>, bool);

/// Claims identities, which come in the order of their keys and each once. Gives back what was known,
/// in the same order; each row is locked until the transaction ends.
pub(super) async fn claim(
    connection: &mut PgConnection,
    claims: &[Claim<'_>],
) -> Result<Vec<Known>, sqlx::Error> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    // Where the identity is known, the update changes nothing: it locks the row and returns it.
    // A row that this statement inserted has no `xmax`.
    let rows: Vec<ClaimedRow> = sqlx::query_as(
        "WITH claimed AS (
             INSERT INTO overheard.post_states AS known (source, id, state, version, created_at, author_key)
             SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[],
                                  $6::bytea[])
             ON CONFLICT (source, id) DO UPDATE SET version = known.version
             RETURNING source, id, state, version, created_at, author_key, xmax = 0 AS is_new
         )
         SELECT state, version, created_at, author_key, is_new FROM claimed ORDER BY source, id",
    )
    .bind(claims.iter().map(|claim| claim.identity.0).collect::<Vec<_>>())
    .bind(claims.iter().map(|claim| claim.identity.1).collect::<Vec<_>>())
    .bind(claims.iter().map(|claim| claim.state.as_str()).collect::<Vec<_>>())
    .bind(claims.iter().map(|claim| claim.version).collect::<Vec<_>>())
    .bind(claims.iter().map(|claim| claim.created_at).collect::<Vec<_>>())
    .bind(author_keys(claims.iter().map(|claim| claim.author_key)))
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(state, version, created_at, author_key, is_new)| {
            if is_new {
                return Ok(Known::New);
            }
            let state = parse_name("post_states.state", &state, &State::ALL, State::as_str)?;
            Ok(Known::Before { state, version, created_at, author_key: author_key.map(AuthorKey) })
        })
        .collect()
}

/// What is known of posts, without a claim. Posts that nothing is known of are left out.
pub(super) async fn look_up(
    connection: &mut PgConnection,
    identities: &[Identity<'_>],
) -> Result<BTreeMap<(String, String), (State, Option<DateTime<Utc>>)>, sqlx::Error> {
    if identities.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(String, String, String, Option<DateTime<Utc>>)> = sqlx::query_as(
        "SELECT source, id, state, created_at FROM overheard.post_states
         WHERE (source, id) IN (SELECT * FROM UNNEST($1::text[], $2::text[]))",
    )
    .bind(identities.iter().map(|identity| identity.0).collect::<Vec<_>>())
    .bind(identities.iter().map(|identity| identity.1).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(source, id, state, created_at)| {
            let state = parse_name("post_states.state", &state, &State::ALL, State::as_str)?;
            Ok(((source, id), (state, created_at)))
        })
        .collect()
}

/// Says where the rows of posts are that stood nowhere.
pub(super) async fn place(connection: &mut PgConnection, claims: &[&Claim<'_>]) -> Result<(), sqlx::Error> {
    if claims.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE overheard.post_states known SET
             created_at = new.created_at, author_key = new.author_key, changed_at = now()
         FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::bytea[])
           AS new (source, id, created_at, author_key)
         WHERE known.source = new.source AND known.id = new.id AND known.state <> 'removed'",
    )
    .bind(claims.iter().map(|claim| claim.identity.0).collect::<Vec<_>>())
    .bind(claims.iter().map(|claim| claim.identity.1).collect::<Vec<_>>())
    .bind(claims.iter().map(|claim| claim.created_at).collect::<Vec<_>>())
    .bind(author_keys(claims.iter().map(|claim| claim.author_key)))
    .execute(connection)
    .await
    .map(drop)
}

/// What identities are from now on. They must be known.
pub(super) async fn update(connection: &mut PgConnection, claims: &[Claim<'_>]) -> Result<(), sqlx::Error> {
    if claims.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE overheard.post_states known SET
             state = new.state, version = new.version, created_at = new.created_at,
             author_key = new.author_key, changed_at = now()
         FROM UNNEST($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bytea[])
           AS new (source, id, state, version, created_at, author_key)
         WHERE known.source = new.source AND known.id = new.id",
    )
    .bind(claims.iter().map(|claim| claim.identity.0).collect::<Vec<_>>())
    .bind(claims.iter().map(|claim| claim.identity.1).collect::<Vec<_>>())
    .bind(claims.iter().map(|claim| claim.state.as_str()).collect::<Vec<_>>())
    .bind(claims.iter().map(|claim| claim.version).collect::<Vec<_>>())
    .bind(claims.iter().map(|claim| claim.created_at).collect::<Vec<_>>())
    .bind(author_keys(claims.iter().map(|claim| claim.author_key)))
    .execute(connection)
    .await
    .map(drop)
}

/// Pseudonyms as a column.
pub(super) fn author_keys(keys: impl Iterator<Item = Option<AuthorKey>>) -> Vec<Option<Vec<u8>>> {
    keys.map(|key| key.map(|key| key.0.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn the_latest_version_stays_and_what_was_removed_never_comes_back() {
        let claimed = Some(at(1));
        let author_key = Some(AuthorKey([7; 16]));
        let known =
            |state, version| Known::Before { state, version: at(version), created_at: claimed, author_key };
        let complete = Effect::Complete { created_at: claimed };
        for (is_edit, version, known, expected) in [
            (false, 1, Known::New, Effect::Insert),
            (true, 5, Known::New, Effect::Insert),
            // Delivered again, also with another time.
            (false, 1, known(State::Present, 1), complete),
            (false, 9, known(State::Present, 1), complete),
            (true, 5, known(State::Present, 1), Effect::Replace),
            (true, 9, known(State::Edited, 5), Effect::Replace),
            (true, 5, known(State::Edited, 5), complete),
            // Out of order.
            (true, 4, known(State::Edited, 5), Effect::Nothing),
            (false, 1, known(State::Edited, 5), Effect::Nothing),
            (false, 1, known(State::Removed, 9), Effect::Nothing),
            (true, 99, known(State::Removed, 9), Effect::Nothing),
        ] {
            assert_eq!(effect(is_edit, at(version), known), expected, "{is_edit} {version} {known:?}");
        }
    }
}
