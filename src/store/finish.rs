//! Finishes pictures: what they show, the mentions that this makes or strengthens, counts, and the
//! end of the work, in one transaction.
//!
//! The work rows go first, each only if its lease is still the one named. So a picture that two
//! processes looked at is written by one of them; and since every row is keyed by the post, a post
//! that Kafka delivers again is looked at again and changes nothing.

use std::collections::BTreeMap;

use sqlx::postgres::PgConnection;

use super::evidence::{EvidenceChanges, NewMentions, NewSightings};
use super::locks::CHANGE_MENTIONS;
use super::memory::{self, MediaOutcome};
use super::sightings::{SightingRows, insert_sightings, strengthen_mentions};
use super::work::{Leases, PictureWork};
use super::write::{MentionRow, MentionRows, PostRows, insert_mentions, insert_posts, key};
use super::{Options, Store, StoreError};
use crate::domain::{BrandId, Evidence, Judgement, Sighting};

/// A picture of which everything is known that will be.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedPicture {
    /// The work that is done.
    pub work: PictureWork,
    /// What became of its address.
    pub outcome: MediaOutcome,
    /// Whether that is to be remembered; not where it was taken from the memory of this address.
    pub is_news: bool,
    /// The logos of configured brands. Only a picture that was fetched shows any.
    pub sightings: Vec<Sighting>,
    /// What was found out about the post's text, needed where a brand is seen that it does not name.
    pub judgement: Option<Judgement>,
}

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
    /// Writes what was found and removes the work. A picture whose lease has ended and that was
    /// taken again is left to whoever has it now.
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
            let ours = take_off_the_list(&mut transaction, pictures).await?;
            let counts = write(&mut transaction, &ours, &self.options).await?;
            transaction.commit().await?;
            Ok(counts)
        })
        .await
    }
}

/// Removes the work whose leases still hold; gives back those pictures.
async fn take_off_the_list<'a>(
    connection: &mut PgConnection,
    pictures: &'a [FinishedPicture],
) -> Result<Vec<&'a FinishedPicture>, sqlx::Error> {
    let leases = Leases::of(pictures.iter().map(|picture| &picture.work));
    let mut taken: Vec<i64> = sqlx::query_scalar(
        "WITH mine AS MATERIALIZED (
             SELECT source, post_id, created_at, position, lease.number
             FROM overheard.picture_work work
             JOIN UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::integer[])
                  WITH ORDINALITY AS lease (source, post_id, created_at, position, attempts, number)
               USING (source, post_id, created_at, position, attempts)
             WHERE work.leased
             ORDER BY 1, 2, 3, 4
             FOR UPDATE OF work
         )
         DELETE FROM overheard.picture_work work USING mine
         WHERE work.source = mine.source AND work.post_id = mine.post_id
           AND work.created_at = mine.created_at AND work.position = mine.position
         RETURNING mine.number",
    )
    .bind(&leases.source)
    .bind(&leases.post_id)
    .bind(&leases.created_at)
    .bind(&leases.position)
    .bind(&leases.attempts)
    .fetch_all(connection)
    .await?;
    taken.sort_unstable();
    let place = |number: i64| usize::try_from(number - 1).ok();
    Ok(taken.into_iter().filter_map(place).filter_map(|index| pictures.get(index)).collect())
}

/// The order is that of [`Store::write`]: work, memory, posts, mentions, counts.
async fn write(
    connection: &mut PgConnection,
    pictures: &[&FinishedPicture],
    options: &Options,
) -> Result<FinishedCounts, sqlx::Error> {
    let news = pictures.iter().filter(|picture| picture.is_news);
    memory::remember(connection, news.map(|picture| (picture.work.url.as_str(), &picture.outcome))).await?;

    // Each brand once a post, in the order of keys.
    let mut shown: BTreeMap<_, &FinishedPicture> = BTreeMap::new();
    for picture in pictures {
        for sighting in &picture.sightings {
            shown.entry((key(&picture.work.post.key), sighting.brand.as_str())).or_insert(picture);
        }
    }
    let (mut posts, mut mentions) = (BTreeMap::new(), MentionRows::default());
    for ((key, brand), picture) in &shown {
        let is_named = picture.work.named.iter().map(BrandId::as_str).any(|named| named == *brand);
        let Some(judgement) = picture.judgement.as_ref().filter(|_| !is_named) else { continue };
        posts.insert(*key, *picture);
        let received_at = picture.work.received_at;
        mentions.push(&MentionRow { post: &picture.work.post, brand, judgement, spans: &[], received_at });
    }
    let mut post_rows = PostRows::default();
    for (key, picture) in posts {
        post_rows.push(key, &picture.work.post, picture.work.received_at, options);
    }
    let posts = insert_posts(connection, &post_rows).await?;
    let strengthened = strengthen_mentions(connection, shown.keys().copied()).await?;
    let by_image = insert_mentions(connection, Evidence::Image, &mentions).await?;
    let sightings = insert_sightings(connection, &SightingRows::of(pictures)).await?;

    let mut changes = EvidenceChanges::default();
    changes.add_mentions(Evidence::Both, &strengthened);
    changes.add_mentions(Evidence::Image, &by_image);
    changes.add_sightings(&sightings);
    changes.write(connection).await?;
    Ok(FinishedCounts {
        pictures: pictures.len() as u64,
        sightings: sightings.iter().map(NewSightings::sightings).sum(),
        mentions: by_image.iter().map(NewMentions::mentions).sum(),
        strengthened: strengthened.iter().map(NewMentions::mentions).sum(),
        posts,
    })
}
