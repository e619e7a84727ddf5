//! Finishes pictures: what they show, the mentions that this makes or strengthens, counts, and the
//! removal of the row of the queue, in one transaction.
//!
//! The rows of the queue go first, each only if its lease is still the one named. So a picture that two
//! processes looked at is written by one of them; and since every row is keyed by the post, a post
//! that Kafka delivers again is looked at again and changes nothing.

use std::collections::BTreeMap;

use sqlx::postgres::PgConnection;

use super::finished::FinishedPicture;
use super::known;
use super::leases::Leases;
use super::sightings::{NewSightings, SightingRows, insert_sightings, strengthen_mentions};
use crate::domain::{BrandId, Evidence, QueryVersion};
use crate::store::advisory_lock::CHANGE_MENTIONS;
use crate::store::audience::AudienceChanges;
use crate::store::client::{Options, Store};
use crate::store::counts::CountChanges;
use crate::store::error::StoreError;
use crate::store::identity::{self, Claim, Known, State};
use crate::store::mentions::{MentionRow, MentionRows, insert_mentions};
use crate::store::mute_rules::{Mutes, hiding};
use crate::store::mutes::mutes_of_now;
use crate::store::posts::{PostRows, insert_posts, kept_topics, key};

/// How much was new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FinishedCounts {
    /// Pictures that were still ours to finish.
    pub pictures: u64,
    /// Sightings inserted.
    pub sightings: u64,
    /// Mentions by picture alone, inserted.
    pub mentions: u64,
    /// Mentions by text that a picture now shows as well.
    pub strengthened: u64,
    /// Posts inserted.
    pub posts: u64,
}

impl Store {
    /// Writes what was found and removes the rows of the queue. A picture whose lease has ended and that was
    /// taken again is left to whoever has it now, but its attempt no longer counts, since it came to
    /// a result.
    ///
    /// # Errors
    /// Nothing was written, or, where the connection broke during the commit, everything may have
    /// been: finishing again is right in both cases.
    pub async fn finish_pictures(&self, pictures: &[FinishedPicture]) -> Result<FinishedCounts, StoreError> {
        if pictures.is_empty() {
            return Ok(FinishedCounts::default());
        }
        self.within("finish pictures", async {
            let mut transaction = self.pool.begin().await?;
            // Or a mention could change its language between being read and being counted under it.
            CHANGE_MENTIONS.share(&mut transaction).await?;
            // What blocks this must not hold the rows for longer than their leases last.
            limit_statements(&mut transaction, &self.options).await?;
            let ours = take_off_the_list(&mut transaction, pictures).await?;
            if ours.len() < pictures.len() {
                uncount_attempts(&mut transaction, pictures).await?;
            }
            let mutes = mutes_of_now(&mut transaction, &self.known_mutes).await?;
            let counts = write(&mut transaction, &ours, &self.options, &mutes).await?;
            transaction.commit().await?;
            Ok(counts)
        })
        .await
    }
}

async fn limit_statements(connection: &mut PgConnection, options: &Options) -> Result<(), sqlx::Error> {
    let limit = options.statement_timeout.min(options.pictures.lease / 4);
    sqlx::query("SELECT set_config('statement_timeout', $1, true)")
        .bind(format!("{}ms", limit.as_millis().max(1)))
        .execute(connection)
        .await
        .map(drop)
}

/// Takes back the attempts of late results: rows that others have taken since. Rows that somebody is
/// writing are about to go.
async fn uncount_attempts(
    connection: &mut PgConnection,
    pictures: &[FinishedPicture],
) -> Result<(), sqlx::Error> {
    let leases = Leases::of(pictures.iter().map(|picture| &picture.queued));
    sqlx::query(
        "WITH late AS MATERIALIZED (
             SELECT work.source, work.post_id, work.created_at, work.position
             FROM overheard.picture_queue work
             JOIN UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::bigint[])
                  AS held (source, post_id, created_at, position, lease)
               USING (source, post_id, created_at, position)
             WHERE work.lease > held.lease AND work.attempts > 0
             ORDER BY 1, 2, 3, 4
             FOR UPDATE OF work SKIP LOCKED
         )
         UPDATE overheard.picture_queue work SET attempts = work.attempts - 1
         FROM late
         WHERE work.source = late.source AND work.post_id = late.post_id
           AND work.created_at = late.created_at AND work.position = late.position",
    )
    .bind(&leases.source)
    .bind(&leases.post_id)
    .bind(&leases.created_at)
    .bind(&leases.position)
    .bind(&leases.lease)
    .execute(connection)
    .await
    .map(drop)
}

/// Removes the rows whose leases still hold; returns those pictures.
async fn take_off_the_list<'a>(
    connection: &mut PgConnection,
    pictures: &'a [FinishedPicture],
) -> Result<Vec<&'a FinishedPicture>, sqlx::Error> {
    let leases = Leases::of(pictures.iter().map(|picture| &picture.queued));
    let mut taken: Vec<i64> = sqlx::query_scalar(
        "WITH mine AS MATERIALIZED (
             SELECT source, post_id, created_at, position, held.number
             FROM overheard.picture_queue work
             JOIN UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::bigint[])
                  WITH ORDINALITY AS held (source, post_id, created_at, position, lease, number)
               USING (source, post_id, created_at, position, lease)
             WHERE work.leased
             ORDER BY 1, 2, 3, 4
             FOR UPDATE OF work
         )
         DELETE FROM overheard.picture_queue work USING mine
         WHERE work.source = mine.source AND work.post_id = mine.post_id
           AND work.created_at = mine.created_at AND work.position = mine.position
         RETURNING mine.number",
    )
    .bind(&leases.source)
    .bind(&leases.post_id)
    .bind(&leases.created_at)
    .bind(&leases.position)
    .bind(&leases.lease)
    .fetch_all(connection)
    .await?;
    taken.sort_unstable();
    let place = |number: i64| usize::try_from(number - 1).ok();
    Ok(taken.into_iter().filter_map(place).filter_map(|index| pictures.get(index)).collect())
}

/// The order of tables is that of [`Store::write`]: queue, known pictures, identities, posts, mentions,
/// counts.
async fn write(
    connection: &mut PgConnection,
    pictures: &[&FinishedPicture],
    options: &Options,
    mutes: &Mutes,
) -> Result<FinishedCounts, sqlx::Error> {
    let new = pictures.iter().filter(|picture| picture.is_new);
    known::upsert(connection, new.map(|picture| (picture.queued.url.as_str(), &picture.outcome))).await?;

    let pictures = claim(connection, pictures).await?;
    // Each brand once a post, in the order of keys.
    let mut shown: BTreeMap<_, (&FinishedPicture, &QueryVersion)> = BTreeMap::new();
    for picture in &pictures {
        for sighting in &picture.sightings {
            shown
                .entry((key(&picture.queued.post.key), sighting.brand.as_str()))
                .or_insert((picture, &sighting.query));
        }
    }
    let (mut posts, mut mentions) = (BTreeMap::new(), MentionRows::default());
    for ((key, brand), (picture, query)) in &shown {
        let Some(judgement) = picture.judgement.as_ref().filter(|_| !is_named(picture, brand)) else {
            continue;
        };
        let (post, received_at) = (&picture.queued.post, picture.queued.received_at);
        posts.entry(*key).or_insert_with(|| (*picture, kept_topics(post, options)));
        let muted_by = hiding(&mutes.of_post(post), brand, key.2);
        mentions.push(&MentionRow {
            key: *key,
            post,
            brand,
            query,
            judgement,
            spans: &[],
            received_at,
            muted_by,
        });
    }
    let mut post_rows = PostRows::default();
    for (key, (picture, topics)) in &posts {
        post_rows.push(*key, &picture.queued.post, topics, picture.queued.received_at, options);
    }
    let by_identity: BTreeMap<_, _> = posts.iter().map(|(key, post)| ((key.0, key.1), post)).collect();
    let inserted_posts = insert_posts(connection, &post_rows).await?;
    let strengthened = strengthen_mentions(connection, shown.keys().copied()).await?;
    let by_image = insert_mentions(connection, Evidence::Image, &mentions).await?;
    let sightings = insert_sightings(connection, &SightingRows::of(&pictures, options)).await?;

    let (mut changes, mut audience) = (CountChanges::default(), AudienceChanges::default());
    for mention in by_image.iter().filter(|mention| !mention.muted) {
        changes.add(mention.key.clone(), mention.counts()?);
        let identity = (mention.key.source.as_str(), mention.post_id.as_str());
        if let Some((picture, topics)) = by_identity.get(&identity) {
            audience.add(&mention.key, picture.queued.post.author_key, topics, 1);
        }
    }
    for mention in strengthened.iter().filter(|mention| !mention.muted) {
        let (by_text, counts) = (mention.key.with_evidence(Evidence::Text), mention.counts()?);
        changes.shift(by_text, counts, mention.key.clone(), counts);
    }
    let mut inserted = 0;
    for NewSightings { mention, sightings } in sightings {
        inserted += u64::try_from(sightings).unwrap_or_default();
        if let Some(mention) = mention {
            changes.add_sightings(mention, sightings);
        }
    }
    changes.write(connection).await?;
    audience.write(connection).await?;
    Ok(FinishedCounts {
        pictures: pictures.len() as u64,
        sightings: inserted,
        mentions: by_image.len() as u64,
        strengthened: strengthened.len() as u64,
        posts: inserted_posts,
    })
}

fn is_named(picture: &FinishedPicture, brand: &str) -> bool {
    picture.queued.named.iter().map(BrandId::as_str).any(|named| named == brand)
}

/// Claims the identities of posts that a picture alone makes mentions of. Leaves out pictures of a post
/// that stands under another time: they are those of a second delivery.
async fn claim<'a>(
    connection: &mut PgConnection,
    pictures: &[&'a FinishedPicture],
) -> Result<Vec<&'a FinishedPicture>, sqlx::Error> {
    let mut claims = BTreeMap::new();
    for picture in pictures {
        let post = &picture.queued.post;
        if picture.sightings.iter().any(|sighting| !is_named(picture, sighting.brand.as_str())) {
            let identity = (post.key.source.as_str(), post.key.id.as_str());
            claims.entry(identity).or_insert(Claim {
                identity,
                state: State::Present,
                version: post.version,
                created_at: Some(key(&post.key).2),
                author_key: post.author_key,
            });
        }
    }
    let claims: Vec<_> = claims.into_values().collect();
    let known = identity::claim(connection, &claims).await?;
    let elsewhere = |picture: &FinishedPicture| {
        let post = &picture.queued.post;
        let identity = (post.key.source.as_str(), post.key.id.as_str());
        claims.iter().zip(&known).any(|(claim, known)| {
            let Known::Before { created_at: Some(stands_at), .. } = known else { return false };
            claim.identity == identity && *stands_at != key(&post.key).2
        })
    };
    // A post that was edited so that it names no brand stands nowhere until a picture shows one.
    let placed: Vec<_> = claims
        .iter()
        .zip(&known)
        .filter(|(_, known)| matches!(known, Known::Before { created_at: None, .. }))
        .map(|(claim, _)| claim)
        .collect();
    identity::place(connection, &placed).await?;
    Ok(pictures.iter().copied().filter(|picture| !elsewhere(picture)).collect())
}
