//! The queue of pictures: what is taken from it.
//!
//! A row is taken by moving its `due_at` to the end of the lease. What becomes of the lease is in
//! `leases` and `completion`.

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::domain::{AuthorKey, BrandId, Post, PostKey, PostKind};
use crate::store::client::Store;
use crate::store::error::StoreError;
use crate::store::parse::{parse_name, unknown_value};

/// A picture that is leased to this process.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedPicture {
    /// Where it is.
    pub url: String,
    /// The host in that address; `-` where there is none.
    pub host: String,
    /// Which of the post's pictures it is.
    pub position: i16,
    /// The number of this lease: no other one, of whatever picture, has it.
    pub lease: i64,
    /// How often it was taken without coming to a result, this time included.
    pub attempts: u32,
    /// Why it was last put off.
    pub put_off_for: Option<String>,
    /// The post that carries it, without its pictures.
    pub post: Post,
    /// The brands that the post's text names.
    pub named: Vec<BrandId>,
    /// When the post was read from Kafka.
    pub received_at: DateTime<Utc>,
}

/// How many pictures may be leased, and of which hosts.
#[derive(Clone, Debug)]
pub struct LeaseRequest {
    /// At most so many.
    pub pictures: u32,
    /// At most so many of one host, with those that are in progress already.
    pub per_host: u32,
    /// Hosts whose pictures are in progress, and how many of each.
    pub busy: Vec<(String, u32)>,
    /// The host after which to begin, so that all have their turn.
    pub after: String,
}

/// One step of the recursion a host: the index leads from each that has something ready to the next,
/// however many pictures a host has, and however many hosts have nothing.
pub const LEASE_QUERY: &str = "
    WITH RECURSIVE hosts AS (
        (SELECT host FROM overheard.picture_queue WHERE ready AND host > $1 ORDER BY host LIMIT 1)
        UNION ALL
        SELECT (SELECT next.host FROM overheard.picture_queue next
                WHERE next.ready AND next.host > hosts.host ORDER BY next.host LIMIT 1)
        FROM hosts WHERE hosts.host IS NOT NULL
    ),
    due AS MATERIALIZED (
        SELECT picture.place
        FROM (
            SELECT hosts.host, $3 - coalesce(busy.count, 0) AS free
            FROM hosts
            LEFT JOIN UNNEST($4::text[], $5::integer[]) AS busy (host, count) ON busy.host = hosts.host
            WHERE hosts.host IS NOT NULL
        ) allowed
        CROSS JOIN LATERAL (
            SELECT ctid AS place
            FROM overheard.picture_queue
            WHERE ready AND host = allowed.host
            ORDER BY due_at
            LIMIT greatest(allowed.free, 0)
            FOR UPDATE SKIP LOCKED
        ) picture
        LIMIT $2
    )
    UPDATE overheard.picture_queue work SET
        due_at = now() + make_interval(secs => $6), ready = false, leased = true,
        lease = nextval('overheard.picture_leases'), attempts = attempts + 1
    WHERE work.ctid = ANY (ARRAY(SELECT due.place FROM due))
    RETURNING work.*";

/// Rows whose time has come become ready: leases that ended and pictures that were put off. So many
/// at once that this keeps up, and no more than is quickly done.
pub const READY_QUERY: &str = "
    UPDATE overheard.picture_queue SET ready = true
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM overheard.picture_queue WHERE NOT ready AND due_at <= now()
        ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED))";

impl Store {
    /// Leases pictures that are due, those of each host by how long they are due. Hosts come in
    /// alphabetical order from `request.after` on, not beginning anew at the end.
    ///
    /// # Errors
    /// Postgres refused or did not answer. What was leased without our knowing comes free with the
    /// end of the lease.
    pub async fn lease_pictures(&self, request: &LeaseRequest) -> Result<Vec<QueuedPicture>, StoreError> {
        let (hosts, counts): (Vec<&str>, Vec<i32>) =
            request.busy.iter().map(|(host, count)| (host.as_str(), signed(*count))).unzip();
        let rows = self
            .within("lease pictures", async {
                sqlx::query(READY_QUERY).execute(&self.pool).await?;
                sqlx::query(LEASE_QUERY)
                    .bind(&request.after)
                    .bind(i64::from(request.pictures))
                    .bind(signed(request.per_host))
                    .bind(&hosts)
                    .bind(&counts)
                    .bind(self.options.pictures.lease.as_secs_f64())
                    .fetch_all(&self.pool)
                    .await
            })
            .await?;
        // The others are leased already, so one row that can't be read must not cost them an attempt.
        let mut pictures = Vec::with_capacity(rows.len());
        for row in &rows {
            match queued(row) {
                Ok(picture) => pictures.push(picture),
                Err(error) => self.park(row, &error).await?,
            }
        }
        Ok(pictures)
    }

    /// Keeps a row that can't be read, with the reason, where no process takes it again.
    async fn park(&self, row: &PgRow, error: &sqlx::Error) -> Result<(), StoreError> {
        tracing::error!(error = %error, "Parks a picture in the queue whose row can't be read");
        self.within("park a picture", async {
            sqlx::query(
                "UPDATE overheard.picture_queue SET
                     due_at = now() + interval '100 years', ready = false, leased = false, put_off_for = $5
                 WHERE source = $1 AND post_id = $2 AND created_at = $3 AND position = $4",
            )
            .bind(row.try_get::<&str, _>("source")?)
            .bind(row.try_get::<&str, _>("post_id")?)
            .bind(row.try_get::<DateTime<Utc>, _>("created_at")?)
            .bind(row.try_get::<i16, _>("position")?)
            .bind(error.to_string())
            .execute(&self.pool)
            .await
            .map(drop)
        })
        .await
    }
}

fn queued(row: &PgRow) -> Result<QueuedPicture, sqlx::Error> {
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
        kind: parse_name("picture_queue.kind", kind, &PostKind::ALL, PostKind::as_str)?,
        author: row.try_get("author")?,
        author_key: row.try_get::<Option<[u8; 16]>, _>("author_key")?.map(AuthorKey),
        version: row.try_get("version")?,
        links: row.try_get("links")?,
        hashtags: row.try_get("hashtags")?,
        link: row.try_get("link")?,
        languages: row.try_get("languages")?,
        reach: reach.map(|reach| count("reach", reach)).transpose()?,
        ..Post::new(key, row.try_get::<String, _>("text")?)
    };
    Ok(QueuedPicture {
        url: row.try_get("url")?,
        host: row.try_get("host")?,
        position: row.try_get("position")?,
        lease: row.try_get("lease")?,
        attempts: count("attempts", i64::from(attempts))?,
        put_off_for: row.try_get("put_off_for")?,
        post,
        named: named.iter().map(|brand| brand_id(brand)).collect::<Result<_, _>>()?,
        received_at: row.try_get("received_at")?,
    })
}

fn brand_id(text: &str) -> Result<BrandId, sqlx::Error> {
    text.parse().map_err(|_| unknown_value("picture_queue.named", text))
}

fn count<T: TryFrom<i64>>(column: &'static str, number: i64) -> Result<T, sqlx::Error> {
    number.try_into().map_err(|_| unknown_value("picture_queue", &format!("{column} = {number}")))
}

pub(super) fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
