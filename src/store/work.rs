//! The list of pictures to be looked at: leases, what is put off, and how long the list is.
//!
//! A row is taken by moving its `due_at` to the end of the lease. Whoever finishes, puts it off or
//! gives it back names the lease by its number of attempts, so that a process whose lease has
//! ended and was given to another changes nothing.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::write::key;
use super::{Store, StoreError};
use crate::domain::{BrandId, Post, PostKey, PostKind};

/// A picture that is leased to this process.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureWork {
    /// Where it is.
    pub url: String,
    /// The host in that address; `-` where there is none.
    pub host: String,
    /// Which of the post's pictures it is.
    pub position: i16,
    /// How often it was taken, this time included.
    pub attempts: u32,
    /// Why it was last put off.
    pub put_off_for: Option<String>,
    /// The post that carries it, without its links, tags and pictures.
    pub post: Post,
    /// The brands that the post's text names.
    pub named: Vec<BrandId>,
    /// When the post was read from Kafka.
    pub received_at: DateTime<Utc>,
}

/// How many pictures may be leased, and of which hosts.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// At most so many.
    pub pictures: u32,
    /// At most so many of one host, with those that are being looked at already.
    pub per_host: u32,
    /// Hosts whose pictures are being looked at, and how many of each.
    pub busy: Vec<(String, u32)>,
    /// The host after which to begin, so that all have their turn.
    pub after: String,
}

/// The state of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backlog {
    /// Rows in the list.
    pub pictures: u64,
    /// Of these, rows that are leased or were put off.
    pub waiting: u64,
    /// Age of the oldest row.
    pub oldest: Duration,
    /// Rows that were removed and that vacuum has yet to clear up, as Postgres estimates.
    pub dead_rows: u64,
}

impl Store {
    /// Leases pictures that are due, those of each host by how long they are due. Hosts come in
    /// alphabetical order from `wanted.after` on, not beginning anew at the end.
    ///
    /// # Errors
    /// Postgres refused or did not answer. What was leased without our knowing comes free with the
    /// end of the lease.
    pub async fn lease_pictures(&self, wanted: &Wanted) -> Result<Vec<PictureWork>, StoreError> {
        let (hosts, counts): (Vec<&str>, Vec<i32>) =
            wanted.busy.iter().map(|(host, count)| (host.as_str(), signed(*count))).unzip();
        let rows = self
            .within("lease pictures", async {
                // One step of the recursion a host: the index leads from each to the next, however
                // many pictures a host has.
                sqlx::query(
                    "WITH RECURSIVE hosts AS (
                         (SELECT host FROM overheard.picture_work WHERE host > $1 ORDER BY host LIMIT 1)
                         UNION ALL
                         SELECT (SELECT next.host FROM overheard.picture_work next
                                 WHERE next.host > hosts.host ORDER BY next.host LIMIT 1)
                         FROM hosts WHERE hosts.host IS NOT NULL
                     ),
                     due AS MATERIALIZED (
                         SELECT picture.source, picture.post_id, picture.created_at, picture.position
                         FROM (
                             SELECT hosts.host, $3 - coalesce(busy.count, 0) AS free
                             FROM hosts
                             LEFT JOIN UNNEST($4::text[], $5::integer[]) AS busy (host, count)
                                    ON busy.host = hosts.host
                             WHERE hosts.host IS NOT NULL
                         ) allowed
                         CROSS JOIN LATERAL (
                             SELECT source, post_id, created_at, position
                             FROM overheard.picture_work
                             WHERE host = allowed.host AND due_at <= now()
                             ORDER BY due_at
                             LIMIT greatest(allowed.free, 0)
                             FOR UPDATE SKIP LOCKED
                         ) picture
                         LIMIT $2
                     )
                     UPDATE overheard.picture_work work SET
                         due_at = now() + make_interval(secs => $6), leased = true, attempts = attempts + 1
                     FROM due
                     WHERE work.source = due.source AND work.post_id = due.post_id
                       AND work.created_at = due.created_at AND work.position = due.position
                     RETURNING work.*",
                )
                .bind(&wanted.after)
                .bind(i64::from(wanted.pictures))
                .bind(signed(wanted.per_host))
                .bind(&hosts)
                .bind(&counts)
                .bind(self.options.pictures.lease.as_secs_f64())
                .fetch_all(&self.pool)
                .await?
                .iter()
                .map(work)
                .collect()
            })
            .await?;
        Ok(rows)
    }

    /// Puts a picture off, with the reason. Where no attempt was really made it is not counted.
    ///
    /// # Errors
    /// Postgres refused or did not answer; the picture comes free with the end of its lease.
    pub async fn put_off(
        &self,
        work: &PictureWork,
        pause: Duration,
        reason: &str,
        is_attempt: bool,
    ) -> Result<(), StoreError> {
        let (source, post_id, created_at) = key(&work.post.key);
        self.within("put a picture off", async {
            sqlx::query(
                "UPDATE overheard.picture_work SET
                     due_at = now() + make_interval(secs => $6), leased = false, put_off_for = $7,
                     attempts = attempts - CASE WHEN $8 THEN 0 ELSE 1 END
                 WHERE source = $1 AND post_id = $2 AND created_at = $3 AND position = $4
                   AND attempts = $5 AND leased",
            )
            .bind(source)
            .bind(post_id)
            .bind(created_at)
            .bind(work.position)
            .bind(signed(work.attempts))
            .bind(pause.as_secs_f64())
            .bind(reason)
            .bind(is_attempt)
            .execute(&self.pool)
            .await
            .map(drop)
        })
        .await
    }

    /// Gives pictures back that were not looked at: any process may take them at once, and it was
    /// no attempt.
    ///
    /// # Errors
    /// Postgres refused or did not answer; they come free with the end of their leases.
    pub async fn give_back(&self, pictures: &[PictureWork]) -> Result<(), StoreError> {
        if pictures.is_empty() {
            return Ok(());
        }
        let leases = Leases::of(pictures.iter());
        self.within("give pictures back", async {
            sqlx::query(
                "WITH mine AS MATERIALIZED (
                     SELECT work.source, work.post_id, work.created_at, work.position
                     FROM overheard.picture_work work
                     JOIN UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::integer[])
                          AS lease (source, post_id, created_at, position, attempts)
                       USING (source, post_id, created_at, position, attempts)
                     WHERE work.leased
                     ORDER BY 1, 2, 3, 4
                     FOR UPDATE OF work
                 )
                 UPDATE overheard.picture_work work SET due_at = now(), leased = false, attempts = attempts - 1
                 FROM mine
                 WHERE work.source = mine.source AND work.post_id = mine.post_id
                   AND work.created_at = mine.created_at AND work.position = mine.position",
            )
            .bind(&leases.source)
            .bind(&leases.post_id)
            .bind(&leases.created_at)
            .bind(&leases.position)
            .bind(&leases.attempts)
            .execute(&self.pool)
            .await
            .map(drop)
        })
        .await
    }

    /// How long the list is, and how old.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        self.within("measure the list of pictures", async {
            let row = sqlx::query(
                "SELECT count(*) AS pictures, count(*) FILTER (WHERE due_at > now()) AS waiting,
                        coalesce(extract(epoch FROM now() - min(listed_at)), 0)::double precision AS oldest,
                        coalesce((SELECT n_dead_tup FROM pg_stat_all_tables
                                  WHERE relid = 'overheard.picture_work'::regclass), 0) AS dead_rows
                 FROM overheard.picture_work",
            )
            .fetch_one(&self.pool)
            .await?;
            let number = |name| row.try_get::<i64, _>(name).map(|n| u64::try_from(n).unwrap_or_default());
            let oldest: f64 = row.try_get("oldest")?;
            Ok(Backlog {
                pictures: number("pictures")?,
                waiting: number("waiting")?,
                oldest: Duration::try_from_secs_f64(oldest).unwrap_or_default(),
                dead_rows: number("dead_rows")?,
            })
        })
        .await
    }
}

/// Columns that name leases, one entry each, in the order of their keys.
#[derive(Default)]
pub(super) struct Leases<'a> {
    pub(super) source: Vec<&'a str>,
    pub(super) post_id: Vec<&'a str>,
    pub(super) created_at: Vec<DateTime<Utc>>,
    pub(super) position: Vec<i16>,
    pub(super) attempts: Vec<i32>,
}

impl<'a> Leases<'a> {
    pub(super) fn of(pictures: impl Iterator<Item = &'a PictureWork>) -> Self {
        let mut leases = Self::default();
        for work in pictures {
            let (source, post_id, created_at) = key(&work.post.key);
            leases.source.push(source);
            leases.post_id.push(post_id);
            leases.created_at.push(created_at);
            leases.position.push(work.position);
            leases.attempts.push(signed(work.attempts));
        }
        leases
    }
}

fn work(row: &PgRow) -> Result<PictureWork, sqlx::Error> {
    let key = PostKey {
        source: row.try_get("source")?,
        id: row.try_get("post_id")?,
        created_at: row.try_get("created_at")?,
    };
    let kind: &str = row.try_get("kind")?;
    let reach: Option<i64> = row.try_get("reach")?;
    let named: Vec<String> = row.try_get("named")?;
    let attempts: i32 = row.try_get("attempts")?;
    let post = Post {
        kind: PostKind::ALL.into_iter().find(|known| known.as_str() == kind).unwrap_or(PostKind::Original),
        author: row.try_get("author")?,
        link: row.try_get("link")?,
        language: row.try_get("language")?,
        reach: reach.and_then(|reach| u64::try_from(reach).ok()),
        ..Post::new(key, row.try_get::<String, _>("text")?)
    };
    Ok(PictureWork {
        url: row.try_get("url")?,
        host: row.try_get("host")?,
        position: row.try_get("position")?,
        attempts: u32::try_from(attempts).unwrap_or_default(),
        put_off_for: row.try_get("put_off_for")?,
        post,
        // What is no id any more can't be a configured brand either.
        named: named.iter().filter_map(|brand| brand.parse().ok()).collect(),
        received_at: row.try_get("received_at")?,
    })
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
