//! The mutes themselves: added and removed by whom and when, and listed.

use std::sync::{Arc, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

use crate::domain::{AuthorKey, BrandId, Mute, MuteOf};
use crate::store::advisory_lock::CHANGE_MENTIONS;
use crate::store::client::Store;
use crate::store::error::StoreError;
use crate::store::mute_rules::{KnownMutes, Mutes};
use crate::store::parse::{brand, unknown_value};

/// A mute to add.
#[derive(Clone, Debug)]
pub struct NewMute {
    /// What it hides by.
    pub of: MuteOf,
    /// Only mentions of this brand.
    pub brand: Option<BrandId>,
    /// Only posts that claim this time or a later one.
    pub since: Option<DateTime<Utc>>,
    /// Who adds it.
    pub by: String,
    /// Why.
    pub note: Option<String>,
}

/// A mute as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize, sqlx::FromRow)]
pub struct ListedMute {
    /// Its number.
    pub id: i64,
    /// `author`, `host`, `phrase` or `source`.
    pub kind: String,
    /// The network, of authors and sources.
    pub source: Option<String>,
    /// The host or the phrase; of an author its name, where one of its posts is stored with it, else its
    /// pseudonym.
    pub subject: Option<String>,
    /// The only brand.
    pub brand: Option<String>,
    /// From when on posts are hidden, by the time that they claim.
    pub since: Option<DateTime<Utc>>,
    /// When it was added.
    pub added_at: DateTime<Utc>,
    /// By whom.
    pub added_by: String,
    /// Why.
    pub note: Option<String>,
    /// When it was removed.
    pub removed_at: Option<DateTime<Utc>>,
    /// By whom.
    pub removed_by: Option<String>,
    /// Whether all stored mentions are in line with it.
    pub swept: bool,
    /// Mentions that it hides.
    pub mentions: i64,
}

/// The mutes in force. Asked in a transaction that shares [`CHANGE_MENTIONS`], or has it: none is added or
/// removed until it ends.
pub(in crate::store) async fn mutes_of_now(
    connection: &mut PgConnection,
    known: &KnownMutes,
) -> Result<Arc<Mutes>, sqlx::Error> {
    let generation: i64 = sqlx::query_scalar("SELECT coalesce(max(generation), 0) FROM overheard.mutes")
        .fetch_one(&mut *connection)
        .await?;
    let of_then = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((of, mutes)) = of_then
        && of == generation
    {
        return Ok(mutes);
    }
    let rows = sqlx::query(
        "SELECT id, kind, source, author_keys, subject, brand, since FROM overheard.mutes
         WHERE removed_at IS NULL",
    )
    .fetch_all(connection)
    .await?;
    let mutes = Arc::new(Mutes::new(rows.iter().map(mute).collect::<Result<Vec<_>, _>>()?));
    *known.lock().unwrap_or_else(PoisonError::into_inner) = Some((generation, mutes.clone()));
    Ok(mutes)
}

/// A mute of a row.
pub(super) fn mute(row: &PgRow) -> Result<Mute, sqlx::Error> {
    let text = |column| row.try_get::<String, _>(column);
    let kind = text("kind")?;
    let of = match kind.as_str() {
        "author" => {
            let keys: Vec<[u8; 16]> = row.try_get("author_keys")?;
            MuteOf::Author { source: text("source")?, keys: keys.into_iter().map(AuthorKey).collect() }
        }
        "host" => MuteOf::Host(text("subject")?),
        "phrase" => MuteOf::Phrase(text("subject")?),
        "source" => MuteOf::Source(text("source")?),
        _ => return Err(unknown_value("mutes.kind", &kind)),
    };
    let is_of_one = row.try_get::<Option<&str>, _>("brand")?.is_some();
    let brand = if is_of_one { Some(brand(row)?) } else { None };
    Ok(Mute { id: row.try_get("id")?, of, brand, since: row.try_get("since")? })
}

impl Store {
    /// Adds a mute. From then on new mentions that it is about are hidden; those that are stored follow
    /// with [`sweep_mutes`](Self::sweep_mutes). Returns its number.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn add_mute(&self, mute: &NewMute) -> Result<i64, StoreError> {
        let (source, keys, subject) = match &mute.of {
            MuteOf::Author { source, keys } => (Some(source), Some(keys), None),
            MuteOf::Source(source) => (Some(source), None, None),
            MuteOf::Host(subject) | MuteOf::Phrase(subject) => (None, None, Some(subject)),
        };
        self.within("add a mute", async {
            let mut transaction = self.pool.begin().await?;
            CHANGE_MENTIONS.lock(&mut transaction).await?;
            let id = sqlx::query_scalar(
                "INSERT INTO overheard.mutes (kind, source, author_keys, subject, brand, since, added_by, note)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
            )
            .bind(mute.of.kind())
            .bind(source)
            .bind(keys.map(|keys| keys.iter().map(|key| key.0.to_vec()).collect::<Vec<_>>()))
            .bind(subject)
            .bind(mute.brand.as_ref().map(BrandId::as_str))
            .bind(mute.since)
            .bind(&mute.by)
            .bind(&mute.note)
            .fetch_one(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(id)
        })
        .await
    }

    /// Removes a mute: its row stays, without the author's pseudonyms, and says who did it and when. The mentions that it hides
    /// come back with [`sweep_mutes`](Self::sweep_mutes). Says whether there was one in force.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn remove_mute(&self, id: i64, by: &str) -> Result<bool, StoreError> {
        self.within("remove a mute", async {
            let mut transaction = self.pool.begin().await?;
            CHANGE_MENTIONS.lock(&mut transaction).await?;
            let removed = sqlx::query(
                "UPDATE overheard.mutes SET
                     removed_at = now(), removed_by = $2, author_keys = NULL, swept = false,
                     generation = nextval('overheard.mute_generations')
                 WHERE id = $1 AND removed_at IS NULL",
            )
            .bind(id)
            .bind(by)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(removed.rows_affected() > 0)
        })
        .await
    }

    /// The mutes in force, or all that ever were, by their numbers.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn mutes(&self, removed_too: bool) -> Result<Vec<ListedMute>, StoreError> {
        self.within("list mutes", async {
            sqlx::query_as(
                "SELECT id, kind, source, brand, since, added_at, added_by, note, removed_at, removed_by, swept,
                        coalesce(subject,
                            (SELECT p.author FROM overheard.post_states known
                             JOIN overheard.posts p ON p.source = known.source AND p.id = known.id
                                                   AND p.created_at = known.created_at
                             WHERE known.author_key = ANY (mutes.author_keys) AND p.author IS NOT NULL LIMIT 1),
                            encode(author_keys[1], 'hex')) AS subject,
                        (SELECT count(*) FROM overheard.mentions m WHERE m.muted_by = mutes.id) AS mentions
                 FROM overheard.mutes WHERE removed_at IS NULL OR $1 ORDER BY id",
            )
            .bind(removed_too)
            .fetch_all(&self.pool)
            .await
        })
        .await
    }
}
