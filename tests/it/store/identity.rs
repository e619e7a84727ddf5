//! Identity: redelivery, edits, deletions and removed accounts, in whatever order they come.

use overheard::domain::{AuthorKey, PictureOutcome, Post};
use overheard::store::{Store, StoredPost, StoredRemoval, Subject, Written};
use sqlx::PgPool;

use super::pictures::{finished, lease, pictured};
use super::{BAD, EVEN, GOOD, at, post};
use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;

const SOMEBODY: AuthorKey = AuthorKey([1; 16]);
const ANOTHER: AuthorKey = AuthorKey([2; 16]);

fn of(author: AuthorKey, stored: StoredPost) -> StoredPost {
    StoredPost { post: Post { author_key: Some(author), ..stored.post }, ..stored }
}

fn edit(version: &str, stored: StoredPost) -> StoredPost {
    StoredPost { post: Post { is_edit: true, version: at(version), ..stored.post }, ..stored }
}

fn deletion(id: &str) -> StoredRemoval {
    StoredRemoval::Post {
        source: "bluesky".to_owned(),
        ids: vec![id.to_owned()],
        at: at("2026-03-01T13:00:00Z"),
    }
}

async fn number(pool: &PgPool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

/// All rows that tell anything of posts, as text.
async fn rows(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT 'post ' || (p.id, p.created_at, p.text, p.hosts)::text FROM overheard.posts p
         UNION ALL SELECT 'mention ' || (post_id, created_at, brand, label)::text FROM overheard.mentions
         UNION ALL SELECT 'sighting ' || (post_id, brand)::text FROM overheard.sightings
         UNION ALL SELECT 'queued ' || (post_id, position)::text FROM overheard.picture_queue
         UNION ALL SELECT 'minute ' || m::text FROM overheard.mention_counts m
         UNION ALL SELECT 'hour ' || h::text FROM overheard.mention_hours h
         UNION ALL SELECT 'hour by evidence ' || e::text FROM overheard.evidence_hours e
         UNION ALL SELECT 'day by evidence ' || e::text FROM overheard.evidence_days e
         UNION ALL SELECT 'author ' || a::text FROM overheard.author_days a
         UNION ALL SELECT 'topic ' || t::text FROM overheard.topic_hours t ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn redelivery_with_another_time_changes_nothing() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&[post("a", "2026-03-01T12:00:10Z", &[("acme", BAD)])]).await.unwrap();
    let before = rows(&pool).await;
    let again = post("a", "2026-03-04T08:00:00Z", &[("acme", BAD)]);
    assert_eq!(store.write(&[again]).await.unwrap(), Written::default());
    assert_eq!(rows(&pool).await, before);
}

#[tokio::test]
async fn an_edit_replaces_text_scores_and_counts() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let first = of(SOMEBODY, post("a", "2026-03-01T12:00:10Z", &[("acme", BAD), ("vmware", EVEN)]));
    let other = of(ANOTHER, post("b", "2026-03-01T12:00:20Z", &[("acme", BAD)]));
    store.write(&[first, other]).await.unwrap();

    // Another text, another time, one brand less and one more.
    let mut second = of(SOMEBODY, post("a", "2026-03-02T09:30:00Z", &[("acme", GOOD), ("other", EVEN)]));
    second.post.text = "see https://news.example/1 #cloud".to_owned();
    let second = edit("2026-03-02T09:30:00Z", second);
    let written = store.write(std::slice::from_ref(&second)).await.unwrap();
    assert_eq!(written, Written { posts: 1, mentions: 2, edited: 1, ..Written::default() });
    assert_counts_match_rows(&pool).await;
    let left: Vec<(String, String, String)> =
        sqlx::query_as("SELECT post_id, brand, label FROM overheard.mentions ORDER BY post_id, brand")
            .fetch_all(&pool)
            .await
            .unwrap();
    let expected = [("a", "acme", "positive"), ("a", "other", "neutral"), ("b", "acme", "negative")];
    assert_eq!(left, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.topic_hours").await, 6, "of two brands");

    let before = rows(&pool).await;
    assert_eq!(store.write(&[second]).await.unwrap(), Written::default(), "twice");
    let first = of(SOMEBODY, post("a", "2026-03-01T12:00:10Z", &[("acme", BAD), ("vmware", EVEN)]));
    store.write(&[first]).await.unwrap();
    let stale =
        edit("2026-03-02T09:29:59Z", of(SOMEBODY, post("a", "2026-03-02T09:30:00Z", &[("vmware", BAD)])));
    store.write(&[stale]).await.unwrap();
    assert_eq!(rows(&pool).await, before, "an earlier version comes late");

    // The last brand goes, and with it the post.
    let mut silent = edit("2026-03-03T00:00:00Z", of(SOMEBODY, post("a", "2026-03-02T09:30:00Z", &[])));
    silent.kept = false;
    store.write(&[silent]).await.unwrap();
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.posts").await, 1);
    assert_counts_match_rows(&pool).await;
}

#[tokio::test]
async fn a_deletion_takes_everything_away_before_its_post_and_after_it() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&[of(ANOTHER, post("other", "2026-03-01T12:00:10Z", &[("acme", GOOD)]))]).await.unwrap();
    let before = rows(&pool).await;

    // Named and shown, with one picture done and one still queued.
    let urls = ["https://a.example/1", "https://a.example/2"];
    let shown = of(SOMEBODY, pictured("p", 0, &[("acme", BAD)], &urls));
    let unnamed = of(SOMEBODY, pictured("q", 1, &[], &urls[..1]));
    store.write(&[shown.clone(), unnamed.clone()]).await.unwrap();
    let leased = lease(&store, 3).await;
    let examined = leased.iter().filter(|work| work.position == 0);
    let looks: Vec<_> = examined.map(|work| finished(work, &["acme", "vmware"], BAD)).collect();
    store.finish_pictures(&looks).await.unwrap();
    assert_counts_match_rows(&pool).await;
    assert!(number(&pool, "SELECT count(*) FROM overheard.sightings").await >= 4);

    let written = store.remove(&[deletion("p"), deletion("q")]).await.unwrap();
    assert_eq!(written, Written { removed: 2, ..Written::default() });
    assert_eq!(rows(&pool).await, before);
    assert_eq!(store.remove(&[deletion("p")]).await.unwrap(), Written::default(), "twice");

    // Redelivery, an edit, and posts whose deletion came first.
    let late = edit("2026-03-09T00:00:00Z", shown.clone());
    store.remove(&[deletion("early"), deletion("unkept")]).await.unwrap();
    let early = post("early", "2026-03-01T12:00:10Z", &[("acme", GOOD)]);
    let mut unkept = pictured("unkept", 0, &[], &urls);
    unkept.kept = false;
    store.write(&[shown, unnamed, late, early, unkept]).await.unwrap();
    assert_eq!(rows(&pool).await, before);
    assert_counts_match_rows(&pool).await;
}

#[tokio::test]
async fn a_picture_that_is_examined_while_its_post_is_deleted_leaves_nothing() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let before = rows(&pool).await;
    let mut unkept = pictured("p", 0, &[], &["https://a.example/1"]);
    unkept.kept = false;
    store.write(&[unkept]).await.unwrap();
    let leased = lease(&store, 1).await;
    store.remove(&[deletion("p")]).await.unwrap();
    let looks: Vec<_> = leased.iter().map(|work| finished(work, &["acme"], BAD)).collect();
    assert_eq!(store.finish_pictures(&looks).await.unwrap().pictures, 0);
    assert_eq!(rows(&pool).await, before);
}

#[tokio::test]
async fn a_picture_of_an_earlier_version_says_nothing_of_the_edit() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let url = ["https://a.example/1"];
    store.write(&[pictured("p", 0, &[("acme", BAD)], &url)]).await.unwrap();
    let stale = lease(&store, 1).await;
    store.write(&[edit("2026-03-01T13:00:00Z", pictured("p", 0, &[("acme", GOOD)], &url))]).await.unwrap();
    let fresh = lease(&store, 1).await;
    assert_eq!((stale.len(), fresh.len()), (1, 1));
    let looks: Vec<_> = stale.iter().map(|work| finished(work, &["vmware"], BAD)).collect();
    assert_eq!(store.finish_pictures(&looks).await.unwrap().pictures, 0);
    let mut done = finished(&fresh[0], &[], BAD);
    done.outcome = PictureOutcome::Failed("gone".to_owned());
    assert_eq!(store.finish_pictures(&[done]).await.unwrap().pictures, 1);
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.mentions").await, 1);
    assert_counts_match_rows(&pool).await;
}

#[tokio::test]
async fn posts_of_a_removed_account_go_and_later_ones_stay() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let version = |stored: StoredPost, at: &str| {
        let version = super::at(at);
        StoredPost { post: Post { version, ..stored.post }, ..stored }
    };
    let post = |id, time: &str| version(of(SOMEBODY, post(id, time, &[("acme", BAD)])), time);
    let mut unkept = of(SOMEBODY, pictured("pictures", 0, &[], &["https://a.example/1"]));
    unkept.kept = false;
    let batch = [
        post("a", "2026-03-01T12:00:10Z"),
        post("b", "2026-03-01T12:10:10Z"),
        post("later", "2026-03-01T14:00:00Z"),
        of(ANOTHER, super::post("c", "2026-03-01T12:00:10Z", &[("acme", GOOD)])),
        unkept.clone(),
    ];
    store.write(&batch).await.unwrap();
    let removal = StoredRemoval::Account { keys: vec![SOMEBODY], at: at("2026-03-01T13:00:00Z") };
    // In one batch with a post of the account, and before another one.
    let written = store.remove(std::slice::from_ref(&removal)).await.unwrap();
    assert_eq!(written, Written { removed: 2, ..Written::default() });
    let late = [batch[0].clone(), unkept, post("d", "2026-03-01T12:59:59Z")];
    assert_eq!(store.write(&late).await.unwrap(), Written::default());
    let left: Vec<String> =
        sqlx::query_scalar("SELECT id FROM overheard.posts ORDER BY id").fetch_all(&pool).await.unwrap();
    assert_eq!(left, ["c", "later"]);
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.picture_queue").await, 0);
    assert_counts_match_rows(&pool).await;

    let subject = Subject::Author {
        source: "bluesky".to_owned(),
        name: "did:plc:someone".to_owned(),
        keys: vec![SOMEBODY],
    };
    assert!(!store.trace(&subject).await.unwrap().is_empty());
}

#[tokio::test]
async fn messages_that_wait_in_the_outbox_lose_the_words_of_a_deleted_post() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&[post("a", "2026-03-01T12:00:10Z", &[("acme", BAD)])]).await.unwrap();
    sqlx::query(
        r#"INSERT INTO overheard.outbox (message_id, key, payload) VALUES
           ('1', 'acme', '{"id": "1", "examples": [
               {"source": "bluesky", "post_id": "z", "text": "stays"},
               {"source": "bluesky", "post_id": "a", "text": "what a says"},
               {"source": "forum", "post_id": "a", "text": "stays too"}]}'),
           ('2', 'acme', '{"id": "2", "examples": []}')"#,
    )
    .execute(&pool)
    .await
    .unwrap();
    let subject = Subject::Post { source: "bluesky".to_owned(), ids: vec!["a".to_owned()] };
    let traces = store.trace(&subject).await.unwrap();
    let places: Vec<(&str, i64)> = traces.iter().map(|(place, rows)| (place.as_str(), *rows)).collect();
    assert_eq!(places, [("mentions", 1), ("outbox", 1), ("post_states", 1), ("posts", 1)]);
    store.remove(&[deletion("a")]).await.unwrap();
    assert_eq!(store.trace(&subject).await.unwrap(), []);
    let texts: Vec<String> = sqlx::query_scalar(
        "SELECT jsonb_path_query_array(payload, '$.examples[*].text')::text FROM overheard.outbox ORDER BY id",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(texts, [r#"["stays", "stays too"]"#, "[]"]);
}

#[tokio::test]
async fn removals_are_forgotten_after_a_while() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&[post("a", "2026-03-01T12:00:10Z", &[("acme", BAD)])]).await.unwrap();
    let account = StoredRemoval::Account { keys: vec![SOMEBODY], at: at("2026-03-01T13:00:00Z") };
    store.remove(&[deletion("gone"), account]).await.unwrap();
    let soon = chrono::Utc::now() + chrono::TimeDelta::hours(23);
    assert_eq!(store.apply_retention(soon).await.unwrap().identities, 0);
    assert_eq!(store.apply_retention(soon + chrono::TimeDelta::hours(2)).await.unwrap().identities, 2);
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.post_states").await, 1, "the post's");
}

enum Event {
    Post(Box<StoredPost>),
    Removal(StoredRemoval),
}

/// Versions and deletions of a few posts, in any order, cut into any batches, from two writers at
/// once, each delivered twice.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_order_the_last_word_counts() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let mut random = 7_u64;
    let mut draw = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    };
    let mut events = Vec::new();
    for number in 0..60 {
        let id = format!("p{number:02}");
        let author = AuthorKey([u8::try_from(number % 7).unwrap(); 16]);
        let time = format!("2026-03-01T12:{:02}:10Z", number % 60);
        events.push(Event::Post(Box::new(of(author, post(&id, &time, &[("acme", BAD), ("vmware", EVEN)])))));
        if number % 2 == 0 {
            events.push(Event::Post(Box::new(edit(
                "2026-03-01T13:00:00Z",
                of(author, post(&id, &time, &[("acme", GOOD)])),
            ))));
        }
        if number % 3 == 0 {
            events.push(Event::Post(Box::new(edit(
                "2026-03-01T14:00:00Z",
                of(author, post(&id, "2026-03-01T15:00:00Z", &[("other", GOOD)])),
            ))));
        }
        if number % 5 == 0 {
            events.push(Event::Removal(deletion(&id)));
        }
    }
    let mut orders = Vec::new();
    for _ in 0..2 {
        let mut order: Vec<usize> = (0..events.len()).collect();
        for index in (1..order.len()).rev() {
            order.swap(index, draw(index + 1));
        }
        let sizes: Vec<usize> = (0..order.len()).map(|_| 1 + draw(12)).collect();
        orders.push((order, sizes));
    }
    let write = async |order: &[usize], sizes: &[usize]| {
        let mut rest = order;
        for size in sizes {
            let (batch, later) = rest.split_at((*size).min(rest.len()));
            rest = later;
            let (mut posts, mut removals) = (Vec::new(), Vec::new());
            for index in batch {
                match &events[*index] {
                    Event::Post(post) => posts.push((**post).clone()),
                    Event::Removal(removal) => removals.push(removal.clone()),
                }
            }
            until_written(&store, &posts, &removals).await;
        }
    };
    let ((one, one_sizes), (two, two_sizes)) = (&orders[0], &orders[1]);
    tokio::join!(write(one, one_sizes), write(two, two_sizes));

    let found: Vec<(String, String, String)> =
        sqlx::query_as("SELECT post_id, brand, label FROM overheard.mentions ORDER BY 1, 2")
            .fetch_all(&pool)
            .await
            .unwrap();
    let mut expected = Vec::new();
    for number in (0..60).filter(|number| number % 5 != 0) {
        let of = |brand: &str, label: &str| (format!("p{number:02}"), brand.to_owned(), label.to_owned());
        match (number % 2, number % 3) {
            (_, 0) => expected.push(of("other", "positive")),
            (0, _) => expected.push(of("acme", "positive")),
            _ => expected.extend([of("acme", "negative"), of("vmware", "neutral")]),
        }
    }
    assert_eq!(found, expected);
    assert_counts_match_rows(&pool).await;
}

/// As the pipeline does: what is transient, such as a deadlock, is tried again.
async fn until_written(store: &Store, posts: &[StoredPost], removals: &[StoredRemoval]) {
    for _ in 0..20 {
        let written = async {
            store.write(posts).await?;
            store.remove(removals).await
        };
        match written.await {
            Ok(_) => return,
            Err(error) => assert!(error.is_transient(), "{error}"),
        }
    }
    panic!("nothing can be written");
}
