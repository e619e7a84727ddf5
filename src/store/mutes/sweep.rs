//! Brings stored mentions into line with the mutes: rows and counts in one transaction a batch.
//!
//! A batch is read and decided outside of any transaction. An edit in between writes another mention, which
//! is left as it is: it was written under the mutes of then.

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, FromRow, Row};

use super::table::{mute, mutes_of_now};
use crate::domain::{AuthorKey, Counts, Mute, MuteOf, Post, PostKey, Topics};
use crate::store::advisory_lock::CHANGE_MENTIONS;
use crate::store::audience::AudienceChanges;
use crate::store::client::Store;
use crate::store::counts::{CountChanges, CountedMention};
use crate::store::error::StoreError;
use crate::store::mute_rules::{Mutes, hiding};

/// Mentions in one transaction.
const BATCH: i64 = 1000;

/// What a sweep has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Mentions looked at.
    pub seen: u64,
    /// Mentions that are hidden now and were not.
    pub hidden: u64,
    /// Mentions that are shown now and were not.
    pub shown: u64,
    /// Mentions that one mute let go and another one hides.
    pub kept_hidden: u64,
}

/// A stored mention, with what mutes look at.
struct Stored {
    post: Post,
    brand: String,
    received_at: DateTime<Utc>,
    muted_by: Option<i64>,
}

impl FromRow<'_, PgRow> for Stored {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let key = PostKey {
            source: row.try_get("source")?,
            id: row.try_get("post_id")?,
            created_at: row.try_get("created_at")?,
        };
        let text: Option<String> = row.try_get("text")?;
        let mut post = Post::new(key, text.unwrap_or_default());
        let list = |column| row.try_get::<Option<Vec<String>>, _>(column).map(Option::unwrap_or_default);
        post.links = list("links")?;
        post.hashtags = list("hashtags")?;
        post.author_key = row.try_get::<Option<[u8; 16]>, _>("author_key")?.map(AuthorKey);
        Ok(Self {
            post,
            brand: row.try_get("brand")?,
            received_at: row.try_get("received_at")?,
            muted_by: row.try_get("muted_by")?,
        })
    }
}

/// A mention that another mute hides from now on, or none.
struct Change {
    stored: Stored,
    becomes: Option<i64>,
}

impl Store {
    /// Sweeps after every mute that was added or removed and is not swept yet, and tells of the progress
    /// after each batch. Another sweep at the same time does no harm, and one that was cut off is gone on
    /// with by the next.
    ///
    /// # Errors
    /// Postgres refused or did not answer. What was swept stays.
    pub async fn sweep_mutes(&self, mut tell: impl FnMut(i64, Swept)) -> Result<Swept, StoreError> {
        let mut all = Swept::default();
        for (id, generation, added) in self.unswept().await? {
            let mut swept = Swept::default();
            let mut last = None;
            while let Some(end) = self.sweep_batch(id, added.as_ref(), last.take(), &mut swept).await? {
                last = Some(end);
                tell(id, swept);
            }
            self.mark_swept(id, generation).await?;
            all.seen += swept.seen;
            all.hidden += swept.hidden;
            all.shown += swept.shown;
            all.kept_hidden += swept.kept_hidden;
        }
        Ok(all)
    }

    /// The mutes to sweep after, with the generation of their latest change: those that were added come
    /// with the mute.
    async fn unswept(&self) -> Result<Vec<(i64, i64, Option<Mute>)>, StoreError> {
        self.within("read mutes", async {
            let rows = sqlx::query(
                "SELECT id, generation, kind, source, author_keys, subject, brand, since,
                        removed_at IS NULL AS in_force
                 FROM overheard.mutes WHERE NOT swept ORDER BY id",
            )
            .fetch_all(&self.pool)
            .await?;
            let read = |row: &PgRow| {
                let added = if row.try_get("in_force")? { Some(mute(row)?) } else { None };
                Ok((row.try_get("id")?, row.try_get("generation")?, added))
            };
            rows.iter().map(read).collect()
        })
        .await
    }

    /// Sweeps the next mentions, and gives back the last one; none where there are no more.
    async fn sweep_batch(
        &self,
        id: i64,
        added: Option<&Mute>,
        after: Option<(PostKey, String)>,
        swept: &mut Swept,
    ) -> Result<Option<(PostKey, String)>, StoreError> {
        self.within("sweep mentions", async {
            let stored = match added {
                Some(mute) => candidates(&mut *self.pool.acquire().await?, mute, after.as_ref()).await?,
                None => hidden_by(&mut *self.pool.acquire().await?, id, after.as_ref()).await?,
            };
            let Some(last) = stored.last() else { return Ok(None) };
            let end = (last.post.key.clone(), last.brand.clone());
            swept.seen += stored.len() as u64;
            let mut transaction = self.pool.begin().await?;
            CHANGE_MENTIONS.lock(&mut transaction).await?;
            let mutes = mutes_of_now(&mut transaction, &self.known_mutes).await?;
            let changes: Vec<Change> =
                stored.into_iter().filter_map(|stored| change(&mutes, stored)).collect();
            apply(&mut transaction, &changes, swept).await?;
            transaction.commit().await?;
            Ok(Some(end))
        })
        .await
    }

    async fn mark_swept(&self, id: i64, generation: i64) -> Result<(), StoreError> {
        self.within("finish a sweep", async {
            sqlx::query("UPDATE overheard.mutes SET swept = true WHERE id = $1 AND generation = $2")
                .bind(id)
                .bind(generation)
                .execute(&self.pool)
                .await
                .map(drop)
        })
        .await
    }
}

/// What the mutes of now say of a mention, if that is something else. One that is hidden by a mute in force
/// stays so, though an earlier one may hide it as well.
fn change(mutes: &Mutes, stored: Stored) -> Option<Change> {
    let of_post = mutes.of_post(&stored.post);
    if of_post.iter().any(|mute| Some(mute.id) == stored.muted_by) {
        return None;
    }
    let becomes = hiding(&of_post, &stored.brand, stored.post.key.created_at);
    (becomes != stored.muted_by).then_some(Change { stored, becomes })
}

const COLUMNS: &str = "m.source, m.post_id, m.created_at, m.brand, m.received_at, m.muted_by,
                       p.text, p.links, p.hashtags, known.author_key";
const POST: &str = "LEFT JOIN overheard.posts p
                           ON p.source = m.source AND p.id = m.post_id AND p.created_at = m.created_at";
const AFTER: &str = "(m.source, m.post_id, m.created_at, m.brand) > ($1, $2, $3, $4)
                 ORDER BY m.source, m.post_id, m.created_at, m.brand LIMIT $5";

/// The next mentions that a mute may hide and that none hides.
async fn candidates(
    connection: &mut PgConnection,
    mute: &Mute,
    after: Option<&(PostKey, String)>,
) -> Result<Vec<Stored>, sqlx::Error> {
    let of_author = "JOIN overheard.post_states known
                       ON known.source = m.source AND known.id = m.post_id AND known.author_key = ANY ($8)";
    let of_all = "LEFT JOIN overheard.post_states known ON known.source = m.source AND known.id = m.post_id";
    let (of, source, keys) = match &mute.of {
        MuteOf::Author { source, keys } => (of_author, Some(source), keys.as_slice()),
        MuteOf::Source(source) => (of_all, Some(source), &[][..]),
        MuteOf::Host(_) | MuteOf::Phrase(_) => (of_all, None, &[][..]),
    };
    page(
        connection,
        &format!(
            "SELECT {COLUMNS} FROM overheard.mentions m {of} {POST}
             WHERE m.muted_by IS NULL AND m.created_at >= coalesce($6, '-infinity')
               AND ($7::text IS NULL OR m.brand = $7) AND ($9::text IS NULL OR m.source = $9)
               AND cardinality($8::bytea[]) >= 0 AND {AFTER}"
        ),
        after,
        |query| {
            query
                .bind(mute.since)
                .bind(mute.brand.as_ref().map(|brand| brand.as_str().to_owned()))
                .bind(keys.iter().map(|key| key.0.to_vec()).collect::<Vec<_>>())
                .bind(source.cloned())
        },
    )
    .await
}

/// The next mentions that a mute hides.
async fn hidden_by(
    connection: &mut PgConnection,
    id: i64,
    after: Option<&(PostKey, String)>,
) -> Result<Vec<Stored>, sqlx::Error> {
    page(
        connection,
        &format!(
            "SELECT {COLUMNS} FROM overheard.mentions m
             LEFT JOIN overheard.post_states known ON known.source = m.source AND known.id = m.post_id {POST}
             WHERE m.muted_by = $6 AND {AFTER}"
        ),
        after,
        |query| query.bind(id),
    )
    .await
}

type Asked<'q> = sqlx::query::QueryAs<'q, sqlx::Postgres, Stored, sqlx::postgres::PgArguments>;

async fn page(
    connection: &mut PgConnection,
    query: &str,
    after: Option<&(PostKey, String)>,
    bind: impl FnOnce(Asked<'_>) -> Asked<'_>,
) -> Result<Vec<Stored>, sqlx::Error> {
    // No source is empty, so this sorts before all others.
    let (source, id, created_at, brand) = match after {
        Some((key, brand)) => (key.source.as_str(), key.id.as_str(), key.created_at, brand.as_str()),
        None => ("", "", DateTime::UNIX_EPOCH, ""),
    };
    let first = sqlx::query_as(AssertSqlSafe(query.to_owned()))
        .bind(source.to_owned())
        .bind(id.to_owned())
        .bind(created_at)
        .bind(brand.to_owned())
        .bind(BATCH);
    bind(first).fetch_all(connection).await
}

/// A mention that was changed, and what it counts for.
struct Changed {
    counted: CountedMention,
    sightings: i64,
    author_key: Option<AuthorKey>,
    topics: Topics,
    was: Option<i64>,
    becomes: Option<i64>,
}

impl FromRow<'_, PgRow> for Changed {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let list = |column| row.try_get::<Option<Vec<String>>, _>(column).map(Option::unwrap_or_default);
        Ok(Self {
            counted: CountedMention::from_row(row)?,
            sightings: row.try_get("sightings")?,
            author_key: row.try_get::<Option<[u8; 16]>, _>("author_key")?.map(AuthorKey),
            topics: Topics { links: list("links")?, hashtags: list("hashtags")?, hosts: list("hosts")? },
            was: row.try_get("was")?,
            becomes: row.try_get("becomes")?,
        })
    }
}

/// Changes rows, and counts with them.
async fn apply(
    connection: &mut PgConnection,
    changes: &[Change],
    swept: &mut Swept,
) -> Result<(), sqlx::Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let (mut counts, mut audience) = (CountChanges::default(), AudienceChanges::default());
    for changed in change_rows(connection, changes).await? {
        let mention = Counts { sightings: changed.sightings, ..changed.counted.counts()? };
        let Changed { counted, author_key, topics, .. } = changed;
        match (changed.was, changed.becomes) {
            (None, Some(_)) => {
                audience.add(&counted.key, author_key, &topics, -1);
                counts.take(counted.key, mention);
                swept.hidden += 1;
            }
            (Some(_), None) => {
                audience.add(&counted.key, author_key, &topics, 1);
                counts.add(counted.key, mention);
                swept.shown += 1;
            }
            _ => swept.kept_hidden += 1,
        }
    }
    counts.write(connection).await?;
    audience.write(connection).await
}

async fn change_rows(connection: &mut PgConnection, changes: &[Change]) -> Result<Vec<Changed>, sqlx::Error> {
    let of =
        |text: fn(&Stored) -> &str| changes.iter().map(|change| text(&change.stored)).collect::<Vec<_>>();
    let times: Vec<DateTime<Utc>> = changes.iter().map(|change| change.stored.post.key.created_at).collect();
    // The bounds on the time make Postgres read those days' partitions only.
    sqlx::query_as(
        "WITH changing AS MATERIALIZED (
             SELECT m.source, m.post_id, m.created_at, m.brand, m.language, m.kind, m.evidence, m.label,
                    m.polarity, new.was, new.becomes
             FROM overheard.mentions m
             JOIN UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::timestamptz[],
                         $6::bigint[], $7::bigint[])
               AS new (source, post_id, created_at, brand, received_at, was, becomes)
               USING (source, post_id, created_at, brand, received_at)
             WHERE m.muted_by IS NOT DISTINCT FROM new.was AND m.created_at BETWEEN $8 AND $9
             ORDER BY 1, 2, 3, 4
             FOR UPDATE OF m
         ),
         changed AS (
             UPDATE overheard.mentions m SET muted_by = changing.becomes FROM changing
             WHERE m.source = changing.source AND m.post_id = changing.post_id
               AND m.created_at = changing.created_at AND m.brand = changing.brand
               AND m.created_at BETWEEN $8 AND $9
         )
         SELECT m.brand, date_trunc('minute', m.created_at, 'UTC') AS minute, m.source,
                coalesce(m.language, 'und') AS language, m.kind, m.evidence, m.label, m.polarity, m.post_id,
                false AS muted, m.was, m.becomes, known.author_key, p.links, p.hashtags, p.hosts,
                (SELECT count(*) FROM overheard.sightings s
                 WHERE s.source = m.source AND s.post_id = m.post_id AND s.created_at = m.created_at
                   AND s.brand = m.brand AND s.created_at BETWEEN $8 AND $9) AS sightings
         FROM changing m
         LEFT JOIN overheard.post_states known
                ON known.source = m.source AND known.id = m.post_id AND known.created_at = m.created_at
         LEFT JOIN overheard.posts p
                ON p.source = m.source AND p.id = m.post_id AND p.created_at = m.created_at
               AND p.created_at BETWEEN $8 AND $9",
    )
    .bind(of(|stored| &stored.post.key.source))
    .bind(of(|stored| &stored.post.key.id))
    .bind(&times)
    .bind(of(|stored| &stored.brand))
    .bind(changes.iter().map(|change| change.stored.received_at).collect::<Vec<_>>())
    .bind(changes.iter().map(|change| change.stored.muted_by).collect::<Vec<_>>())
    .bind(changes.iter().map(|change| change.becomes).collect::<Vec<_>>())
    .bind(times.iter().min())
    .bind(times.iter().max())
    .fetch_all(connection)
    .await
}
