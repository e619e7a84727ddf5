//! Writes a batch of changes in one transaction: posts with their mentions, edits, removals; rows,
//! counts of the rows that are new or gone, and the pictures to look at.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::advisory_lock::CHANGE_MENTIONS;
use super::audience::AudienceChanges;
use super::client::{Options, Store};
use super::counts::CountChanges;
use super::erasure::{Erasure, erase};
use super::error::StoreError;
use super::identity::{self, Claim, Effect, Identity, Known, State, effect};
use super::mentions::{MentionRow, MentionRows, insert_mentions};
use super::mute_rules::{Mutes, hiding};
use super::mutes::mutes_of_now;
use super::pictures::{QueueRows, enqueue_pictures};
use super::posts::{PostRows, RowKey, StoredPost, insert_posts, kept_topics, microseconds};
use super::removals::{self, StoredRemoval};
use super::watermarks::{self, Watermark};
use crate::domain::{AuthorKey, Delivery, Durable, Evidence, Topics};

/// How much changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Posts inserted.
    pub posts: u64,
    /// Mentions inserted, and so counted.
    pub mentions: u64,
    /// Those of them that a mute hides: they are in no figure.
    pub muted: u64,
    /// Pictures added to the queue.
    pub pictures: u64,
    /// Posts that a later version replaced.
    pub edited: u64,
    /// Posts that were taken away.
    pub removed: u64,
}

impl AddAssign for Written {
    fn add_assign(&mut self, other: Self) {
        let Self { posts, mentions, muted, pictures, edited, removed } = other;
        self.posts += posts;
        self.mentions += mentions;
        self.muted += muted;
        self.pictures += pictures;
        self.edited += edited;
        self.removed += removed;
    }
}

/// A change to store.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A post, or a new version of one.
    Post(Box<StoredPost>),
    /// A post or an account is taken away.
    Removal(StoredRemoval),
}

/// A change to store, with the delivery that it came from.
#[derive(Debug)]
pub struct DeliveredChange {
    /// The change.
    pub change: Change,
    /// The record that it was decoded from, with the ack of its offset.
    pub delivery: Delivery,
}

impl Store {
    /// Stores changes as [`write`](Self::write) and [`remove`](Self::remove) do, in one transaction,
    /// and gives back the acks of their deliveries, proven.
    ///
    /// # Errors
    /// As for [`write`](Self::write). The batch comes back.
    pub async fn settle(
        &self,
        batch: Vec<DeliveredChange>,
    ) -> Result<(Durable, Written), (StoreError, Vec<DeliveredChange>)> {
        let (mut posts, mut removals) = (Vec::new(), Vec::new());
        for delivered in &batch {
            match &delivered.change {
                Change::Post(post) => posts.push(&**post),
                Change::Removal(removal) => removals.push(removal),
            }
        }
        let watermarks = watermarks::of_deliveries(batch.iter().map(|delivered| &delivered.delivery));
        match self.change(&posts, &removals, &watermarks).await {
            Ok(written) => {
                Ok((Durable::attest(batch.into_iter().map(|delivered| delivered.delivery.ack)), written))
            }
            Err(error) => Err((error, batch)),
        }
    }

    /// Writes posts and their mentions in one transaction, and queues their pictures. Rows that are
    /// there already stay as they are and are not counted again, unless this is an edit of a later
    /// version; what was removed is not written.
    ///
    /// # Errors
    /// Nothing was written, or, where the connection broke during the commit, everything may have
    /// been. Writing the batch again is right in both cases. An error that is not
    /// [transient](StoreError::is_transient) is the fault of a post in the batch.
    pub async fn write(&self, posts: &[StoredPost]) -> Result<Written, StoreError> {
        self.change(&posts.iter().collect::<Vec<_>>(), &[], &[]).await
    }

    /// Takes posts away, with everything that is stored of them and what they count for. Posts that
    /// come later are not stored while the removal is remembered.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub async fn remove(&self, removals: &[StoredRemoval]) -> Result<Written, StoreError> {
        self.change(&[], &removals.iter().collect::<Vec<_>>(), &[]).await
    }

    async fn change(
        &self,
        posts: &[&StoredPost],
        removals: &[&StoredRemoval],
        watermarks: &[Watermark],
    ) -> Result<Written, StoreError> {
        if posts.is_empty() && removals.is_empty() {
            return Ok(Written::default());
        }
        let removals = Removals::of(removals);
        let mut latest = latest(posts);
        latest.retain(|identity, _| !removals.posts.contains_key(identity));
        self.within(if posts.is_empty() { "remove posts" } else { "write posts" }, async {
            let mut transaction = self.pool.begin().await?;
            let erases = !removals.is_empty() || latest.values().any(|stored| stored.post.is_edit);
            if erases {
                CHANGE_MENTIONS.lock(&mut transaction).await?;
            } else {
                CHANGE_MENTIONS.share(&mut transaction).await?;
            }
            let mutes = mutes_of_now(&mut transaction, &self.known_mutes).await?;
            let written = write(&mut transaction, latest, &removals, erases, (&self.options, &mutes)).await?;
            watermarks::advance(&mut transaction, self.group.as_deref(), watermarks).await?;
            transaction.commit().await?;
            Ok(written)
        })
        .await
    }
}

/// The removals of a batch, each once.
#[derive(Default)]
struct Removals<'a> {
    /// The identities that removed posts have now.
    posts: BTreeMap<Identity<'a>, DateTime<Utc>>,
    /// Others that they may have had.
    former: Vec<(Identity<'a>, DateTime<Utc>)>,
    accounts: Vec<(AuthorKey, DateTime<Utc>)>,
}

impl<'a> Removals<'a> {
    fn of(removals: &[&'a StoredRemoval]) -> Self {
        let (mut all, mut accounts) = (Self::default(), BTreeMap::new());
        let later = |time: &mut DateTime<Utc>, at: DateTime<Utc>| *time = (*time).max(at);
        for removal in removals {
            match removal {
                StoredRemoval::Post { source, ids, at } => {
                    let mut identities = ids.iter().map(|id| (source.as_str(), id.as_str()));
                    if let Some(present) = identities.next() {
                        later(all.posts.entry(present).or_insert(*at), *at);
                    }
                    all.former.extend(identities.map(|identity| (identity, *at)));
                }
                StoredRemoval::Account { keys, at } => {
                    for key in keys {
                        later(accounts.entry(*key).or_insert(*at), *at);
                    }
                }
            }
        }
        all.accounts = accounts.into_iter().collect();
        all
    }

    fn is_empty(&self) -> bool {
        self.posts.is_empty() && self.accounts.is_empty()
    }
}

/// The posts by identity, each in its latest version. Of two first versions the first one is taken,
/// as if the second came in a later batch.
fn latest<'a>(posts: &[&'a StoredPost]) -> BTreeMap<Identity<'a>, &'a StoredPost> {
    let mut latest: BTreeMap<Identity<'a>, &'a StoredPost> = BTreeMap::new();
    for stored in posts {
        let post = &stored.post;
        let known = latest.entry((&post.key.source, &post.key.id)).or_insert(stored);
        if post.is_edit && (!known.post.is_edit || post.version > known.post.version) {
            *known = stored;
        }
    }
    latest
}

/// A post of which rows are to be written, with the key that they have.
type Placed<'a> = (RowKey<'a>, &'a StoredPost);

/// Everything is written in the order of identities, and in the same order of tables by everybody,
/// so that processes whose batches overlap don't deadlock: queue, identities, posts, mentions, counts.
/// A batch that erases has [`CHANGE_MENTIONS`] for itself, and may queue pictures last.
async fn write<'a>(
    connection: &mut PgConnection,
    mut latest: BTreeMap<Identity<'a>, &'a StoredPost>,
    removals: &Removals<'a>,
    erases: bool,
    (options, mutes): (&Options, &Mutes),
) -> Result<Written, sqlx::Error> {
    removals::remember_accounts(connection, &removals.accounts).await?;
    drop_late(connection, &mut latest).await?;

    let mut written = Written::default();
    let is_claimed = |stored: &StoredPost| stored.kept || stored.post.is_edit;
    let by_look_up = latest.iter().filter(|(_, stored)| !erases || !is_claimed(stored));
    let mut queued = place(connection, by_look_up.map(|(key, stored)| (*key, *stored)).collect()).await?;
    if !erases {
        written.pictures = enqueue_pictures(connection, &QueueRows::of(&queued, options)).await?;
    }

    let mut claims: BTreeMap<Identity<'_>, (Claim<'_>, Option<&StoredPost>)> = BTreeMap::new();
    for (identity, at) in &removals.posts {
        claims.insert(*identity, (removed(*identity, *at), None));
    }
    for (identity, stored) in latest.into_iter().filter(|(_, stored)| is_claimed(stored)) {
        let created_at = microseconds(stored.post.key.created_at);
        let claim = Claim {
            identity,
            state: if stored.post.is_edit { State::Edited } else { State::Present },
            version: microseconds(stored.post.version),
            created_at: stored.kept.then_some(created_at),
            author_key: stored.post.author_key,
        };
        claims.insert(identity, (claim, Some(stored)));
    }
    let (claims, stored): (Vec<_>, Vec<_>) = claims.into_values().unzip();
    let known = identity::claim(connection, &claims).await?;

    let mut placed: Vec<Placed<'_>> = Vec::new();
    let mut erasures: BTreeMap<(String, String), Erasure> = BTreeMap::new();
    let mut updates: Vec<Claim<'_>> = Vec::new();
    for ((claim, stored), known) in claims.into_iter().zip(stored).zip(known) {
        let identity = claim.identity;
        let Some(stored) = stored else {
            // Pictures may be queued although no row stands.
            add(&mut erasures, erasure(identity, known));
            if matches!(known, Known::Before { state, .. } if state != State::Removed) {
                written.removed += 1;
                updates.push(claim);
            }
            continue;
        };
        let own = microseconds(stored.post.key.created_at);
        match effect(stored.post.is_edit, claim.version, known) {
            Effect::Insert => {
                if stored.post.is_edit {
                    // Or pictures of the version before would be completed with its text.
                    add(&mut erasures, erasure(identity, known));
                }
                placed.push(((identity.0, identity.1, own), stored));
            }
            Effect::Complete { created_at } => {
                placed.push(((identity.0, identity.1, created_at.unwrap_or(own)), stored));
            }
            Effect::Replace => {
                add(&mut erasures, erasure(identity, known));
                placed.push(((identity.0, identity.1, own), stored));
                written.edited += 1;
                updates.push(claim);
            }
            Effect::Nothing => {}
        }
    }
    let former: Vec<Identity<'_>> = removals.former.iter().map(|(identity, _)| *identity).collect();
    let mut also = removals::stored(connection, &former).await?;
    also.extend(removals::stored_of(connection, &removals.accounts).await?);
    for erasure in &also {
        let is_new = add(&mut erasures, erasure.clone());
        if is_new {
            written.removed += 1;
            updates.push(removed((&erasure.source, &erasure.id), at_of(erasure, removals)));
        }
    }
    removals::delete_queued_of(connection, &removals.accounts).await?;

    let (mut counts, mut audience) = (CountChanges::default(), AudienceChanges::default());
    let erasures: Vec<Erasure> = erasures.into_values().collect();
    erase(connection, &erasures, &mut counts, &mut audience).await?;
    identity::update(connection, &updates).await?;

    placed.sort_by_key(|(key, _)| *key);
    if erases {
        queued.extend(placed.iter().copied());
        queued.sort_by_key(|(key, _)| *key);
        written.pictures = enqueue_pictures(connection, &QueueRows::of(&queued, options)).await?;
    }
    insert(connection, &placed, (options, mutes), &mut counts, &mut audience, &mut written).await?;
    counts.write(connection).await?;
    audience.write(connection).await?;
    Ok(written)
}

/// Where first versions stand, without a claim: posts that are not kept never claim an identity, and
/// pictures are queued before identities are claimed. Posts that were edited or removed are left out.
async fn place<'a>(
    connection: &mut PgConnection,
    posts: BTreeMap<Identity<'a>, &'a StoredPost>,
) -> Result<Vec<Placed<'a>>, sqlx::Error> {
    let identities: Vec<Identity<'_>> = posts
        .iter()
        .filter(|(_, stored)| !stored.post.pictures.is_empty())
        .map(|(identity, _)| *identity)
        .collect();
    let known = identity::look_up(connection, &identities).await?;
    let mut placed = Vec::with_capacity(posts.len());
    for (identity, stored) in posts {
        let own = microseconds(stored.post.key.created_at);
        match known.get(&(identity.0.to_owned(), identity.1.to_owned())) {
            None => placed.push(((identity.0, identity.1, own), stored)),
            Some((State::Present, created_at)) => {
                placed.push(((identity.0, identity.1, created_at.unwrap_or(own)), stored));
            }
            Some((State::Edited | State::Removed, _)) => {}
        }
    }
    Ok(placed)
}

/// Leaves out posts of accounts that were removed later.
async fn drop_late(
    connection: &mut PgConnection,
    latest: &mut BTreeMap<Identity<'_>, &StoredPost>,
) -> Result<(), sqlx::Error> {
    let mut authors: Vec<AuthorKey> = latest.values().filter_map(|stored| stored.post.author_key).collect();
    authors.sort_unstable();
    authors.dedup();
    let gone: BTreeMap<AuthorKey, DateTime<Utc>> =
        removals::removed_accounts(connection, &authors).await?.into_iter().collect();
    latest.retain(|_, stored| {
        let removed_at = stored.post.author_key.and_then(|author| gone.get(&author));
        removed_at.is_none_or(|at| microseconds(stored.post.version) > *at)
    });
    Ok(())
}

fn removed(identity: Identity<'_>, at: DateTime<Utc>) -> Claim<'_> {
    Claim { identity, state: State::Removed, version: microseconds(at), created_at: None, author_key: None }
}

fn erasure((source, id): Identity<'_>, known: Known) -> Erasure {
    let (created_at, author_key) = match known {
        Known::New => (None, None),
        Known::Before { created_at, author_key, .. } => (created_at, author_key),
    };
    Erasure { source: source.to_owned(), id: id.to_owned(), created_at, author_key }
}

/// Adds an erasure, unless there is one of this post. Says whether it was added.
fn add(erasures: &mut BTreeMap<(String, String), Erasure>, erasure: Erasure) -> bool {
    let identity = (erasure.source.clone(), erasure.id.clone());
    let is_new = !erasures.contains_key(&identity);
    erasures.entry(identity).or_insert(erasure);
    is_new
}

/// When a post was removed that a former identity or its account led to.
fn at_of(erasure: &Erasure, removals: &Removals<'_>) -> DateTime<Utc> {
    let by_identity =
        removals.former.iter().find(|(identity, _)| *identity == (&erasure.source, &erasure.id));
    let by_account = removals.accounts.iter().find(|(key, _)| Some(*key) == erasure.author_key);
    by_identity.map(|(_, at)| *at).or(by_account.map(|(_, at)| *at)).unwrap_or_default()
}

async fn insert(
    connection: &mut PgConnection,
    placed: &[Placed<'_>],
    (options, mutes): (&Options, &Mutes),
    counts: &mut CountChanges,
    audience: &mut AudienceChanges,
    written: &mut Written,
) -> Result<(), sqlx::Error> {
    let (mut posts, mut mentions) = (PostRows::default(), MentionRows::default());
    let mut by_identity: BTreeMap<Identity<'_>, (&StoredPost, Topics)> = BTreeMap::new();
    for (key, stored) in placed.iter().filter(|(_, stored)| stored.kept) {
        let received_at = stored.received_at;
        let topics = kept_topics(&stored.post, options);
        posts.push(*key, &stored.post, &topics, received_at, options);
        by_identity.insert((key.0, key.1), (stored, topics));
        let fallen_under = mutes.of_post(&stored.post);
        let mut of_post: Vec<_> = stored.mentions.iter().collect();
        of_post.sort_by(|a, b| a.brand.cmp(&b.brand));
        of_post.dedup_by(|a, b| a.brand == b.brand);
        for mention in of_post {
            mentions.push(&MentionRow {
                key: *key,
                post: &stored.post,
                brand: mention.brand.as_str(),
                query: &mention.query,
                judgement: &mention.judgement,
                spans: &mention.spans,
                received_at,
                muted_by: hiding(&fallen_under, mention.brand.as_str(), key.2),
            });
        }
    }
    written.posts = insert_posts(connection, &posts).await?;
    let new = insert_mentions(connection, Evidence::Text, &mentions).await?;
    written.mentions = new.len() as u64;
    written.muted = new.iter().filter(|mention| mention.muted).count() as u64;
    for mention in new.iter().filter(|mention| !mention.muted) {
        counts.add(mention.key.clone(), mention.counts()?);
        let identity = (mention.key.source.as_str(), mention.post_id.as_str());
        if let Some((stored, topics)) = by_identity.get(&identity) {
            audience.add(&mention.key, stored.post.author_key, topics, 1);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroUsize};
    use std::time::Duration;

    use super::*;
    use crate::domain::{Ack, Epoch, Position, Post, PostKey, Record, SecretString};
    use crate::store::client::PictureOptions;
    use chrono::DateTime;

    /// A store without a server: nothing listens on port 1.
    fn unreachable() -> Store {
        Store::connect_lazy(Options {
            url: SecretString::from("postgres://nobody@127.0.0.1:1/none"),
            password: None,
            max_connections: NonZeroUsize::MIN,
            connect_timeout: Duration::from_millis(200),
            statement_timeout: Duration::from_millis(200),
            lock_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(5),
            migrate: false,
            keep_text: true,
            keep_author: true,
            remember_removals: Duration::from_hours(1),
            partitions_ahead: 1,
            retention_posts: None,
            retention_counts: None,
            pictures: PictureOptions {
                per_post: 0,
                lease: Duration::from_secs(1),
                attempts: NonZeroU32::MIN,
                remember: Duration::from_secs(1),
            },
        })
        .unwrap()
    }

    fn delivered(offset: i64) -> DeliveredChange {
        let position = Position { topic: "posts".into(), partition: 0, offset };
        let received_at = DateTime::UNIX_EPOCH;
        let key = PostKey { source: "test".to_owned(), id: offset.to_string(), created_at: received_at };
        let record =
            Record { position: position.clone(), key: None, payload: None, appended_at: None, received_at };
        DeliveredChange {
            change: Change::Post(Box::new(StoredPost {
                post: Post::new(key, "text"),
                received_at,
                mentions: Vec::new(),
                kept: true,
            })),
            delivery: Delivery { record: record.into(), ack: Ack::new(position, Epoch(1)) },
        }
    }

    #[tokio::test]
    async fn what_was_not_committed_comes_back_with_its_acks_and_unproven() {
        let store = unreachable();
        let (error, batch) = store.settle(vec![delivered(1), delivered(2)]).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        for (expected, came) in [1, 2].into_iter().zip(&batch) {
            assert_eq!(came.delivery.ack.position().offset, expected);
            assert_eq!(came.delivery.record.position.offset, expected);
            let Change::Post(stored) = &came.change else { panic!("{came:?}") };
            assert_eq!(stored.post.key.id, expected.to_string());
        }
        assert_eq!(batch.len(), 2);
    }

    #[tokio::test]
    async fn an_empty_batch_proves_nothing() {
        let (durable, written) = unreachable().settle(Vec::new()).await.unwrap();
        assert_eq!((durable.records(), written), (0, Written::default()));
    }
}
