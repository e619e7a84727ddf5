//! What becomes of a lease: it is renewed, put off or given back. Finishing ends it as well
//! (`completion`).
//!
//! Each lease has a number of its own, and whoever changes a row names it. So a process whose lease
//! has ended, and whose picture was given to another, changes nothing.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::queue::{QueuedPicture, signed};
use crate::store::client::Store;
use crate::store::error::StoreError;
use crate::store::posts::key;

/// A picture that is tried again later.
#[derive(Clone, Debug, PartialEq)]
pub struct PutOffPicture {
    /// Its row of the queue.
    pub queued: QueuedPicture,
    /// How long it is put off.
    pub pause: Duration,
    /// Why.
    pub reason: String,
    /// Whether it counts as an attempt.
    pub is_attempt: bool,
}

/// A lease to renew.
#[derive(Clone, Debug)]
pub struct HeldLease {
    /// Its row of the queue.
    pub queued: QueuedPicture,
    /// Whether the picture came to a result that waits to be written. Then its attempt does not
    /// count, whatever happens to this process.
    pub has_result: bool,
}

impl Store {
    /// Renews leases: each lasts as long from now on as a new one. Rows that are just being written
    /// are left alone, and so are leases that were given to others.
    ///
    /// # Errors
    /// Postgres refused or did not answer; the leases end when they were to end.
    pub async fn renew_leases(&self, held: &[HeldLease]) -> Result<(), StoreError> {
        if held.is_empty() {
            return Ok(());
        }
        let leases = Leases::of(held.iter().map(|held| &held.queued));
        let counted: Vec<i32> =
            held.iter().map(|held| signed(held.queued.attempts) - i32::from(held.has_result)).collect();
        self.within("renew leases of pictures", async {
            sqlx::query(
                "WITH mine AS MATERIALIZED (
                     SELECT work.source, work.post_id, work.created_at, work.position, held.counted
                     FROM overheard.picture_queue work
                     JOIN UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::bigint[],
                                 $6::integer[])
                          AS held (source, post_id, created_at, position, lease, counted)
                       USING (source, post_id, created_at, position, lease)
                     WHERE work.leased
                     ORDER BY 1, 2, 3, 4
                     FOR UPDATE OF work SKIP LOCKED
                 )
                 UPDATE overheard.picture_queue work SET
                     due_at = now() + make_interval(secs => $7), ready = false,
                     attempts = greatest(least(work.attempts, mine.counted), 0)
                 FROM mine
                 WHERE work.source = mine.source AND work.post_id = mine.post_id
                   AND work.created_at = mine.created_at AND work.position = mine.position",
            )
            .bind(&leases.source)
            .bind(&leases.post_id)
            .bind(&leases.created_at)
            .bind(&leases.position)
            .bind(&leases.lease)
            .bind(&counted)
            .bind(self.options.pictures.lease.as_secs_f64())
            .execute(&self.pool)
            .await
            .map(drop)
        })
        .await
    }

    /// Puts pictures off, with the reason, in one transaction. Where no attempt was really made it
    /// is not counted.
    ///
    /// # Errors
    /// Postgres refused or did not answer; the pictures come free with the end of their leases.
    pub async fn put_off(&self, pictures: &[PutOffPicture]) -> Result<(), StoreError> {
        if pictures.is_empty() {
            return Ok(());
        }
        let leases = Leases::of(pictures.iter().map(|picture| &picture.queued));
        let pauses: Vec<f64> = pictures.iter().map(|picture| picture.pause.as_secs_f64()).collect();
        // Postgres takes no zero byte in a text, and a reason may quote a server.
        let reasons: Vec<String> = pictures.iter().map(|picture| picture.reason.replace('\0', "")).collect();
        let attempts: Vec<bool> = pictures.iter().map(|picture| picture.is_attempt).collect();
        self.within("put pictures off", async {
            sqlx::query(
                "WITH mine AS MATERIALIZED (
                     SELECT work.source, work.post_id, work.created_at, work.position,
                            held.pause, held.reason, held.is_attempt
                     FROM overheard.picture_queue work
                     JOIN UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::bigint[],
                                 $6::double precision[], $7::text[], $8::boolean[])
                          AS held (source, post_id, created_at, position, lease, pause, reason, is_attempt)
                       USING (source, post_id, created_at, position, lease)
                     WHERE work.leased
                     ORDER BY 1, 2, 3, 4
                     FOR UPDATE OF work
                 )
                 UPDATE overheard.picture_queue work SET
                     due_at = now() + make_interval(secs => mine.pause), ready = false, leased = false,
                     put_off_for = mine.reason,
                     attempts = greatest(work.attempts - CASE WHEN mine.is_attempt THEN 0 ELSE 1 END, 0)
                 FROM mine
                 WHERE work.source = mine.source AND work.post_id = mine.post_id
                   AND work.created_at = mine.created_at AND work.position = mine.position",
            )
            .bind(&leases.source)
            .bind(&leases.post_id)
            .bind(&leases.created_at)
            .bind(&leases.position)
            .bind(&leases.lease)
            .bind(&pauses)
            .bind(&reasons)
            .bind(&attempts)
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
    pub async fn give_back(&self, pictures: &[QueuedPicture]) -> Result<(), StoreError> {
        if pictures.is_empty() {
            return Ok(());
        }
        let leases = Leases::of(pictures.iter());
        self.within("give pictures back", async {
            sqlx::query(
                "WITH mine AS MATERIALIZED (
                     SELECT work.source, work.post_id, work.created_at, work.position
                     FROM overheard.picture_queue work
                     JOIN UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::bigint[])
                          AS held (source, post_id, created_at, position, lease)
                       USING (source, post_id, created_at, position, lease)
                     WHERE work.leased
                     ORDER BY 1, 2, 3, 4
                     FOR UPDATE OF work
                 )
                 UPDATE overheard.picture_queue work SET
                     due_at = now(), ready = true, leased = false, attempts = greatest(work.attempts - 1, 0)
                 FROM mine
                 WHERE work.source = mine.source AND work.post_id = mine.post_id
                   AND work.created_at = mine.created_at AND work.position = mine.position",
            )
            .bind(&leases.source)
            .bind(&leases.post_id)
            .bind(&leases.created_at)
            .bind(&leases.position)
            .bind(&leases.lease)
            .execute(&self.pool)
            .await
            .map(drop)
        })
        .await
    }
}

/// Columns that name leases, one entry each.
#[derive(Default)]
pub(super) struct Leases<'a> {
    pub(super) source: Vec<&'a str>,
    pub(super) post_id: Vec<&'a str>,
    pub(super) created_at: Vec<DateTime<Utc>>,
    pub(super) position: Vec<i16>,
    pub(super) lease: Vec<i64>,
}

impl<'a> Leases<'a> {
    pub(super) fn of(pictures: impl Iterator<Item = &'a QueuedPicture>) -> Self {
        let mut leases = Self::default();
        for work in pictures {
            let (source, post_id, created_at) = key(&work.post.key);
            leases.source.push(source);
            leases.post_id.push(post_id);
            leases.created_at.push(created_at);
            leases.position.push(work.position);
            leases.lease.push(work.lease);
        }
        leases
    }
}
