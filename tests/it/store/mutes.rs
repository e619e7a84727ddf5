//! Mutes: whatever happens at the same time, a mention is hidden exactly while a mute in force is about it,
//! and the counts are those of the others.

use std::sync::Arc;

use overheard::domain::{AuthorKey, MuteOf, Post};
use overheard::store::{NewMute, Store, StoredPost, StoredRemoval};
use sqlx::{AssertSqlSafe, PgPool};

use super::pictures::{finished, lease, pictured};
use super::{BAD, EVEN, GOOD, at, post};
use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;

fn mute(of: MuteOf) -> NewMute {
    NewMute { of, brand: None, since: None, by: "the test".to_owned(), note: None }
}

fn phrase(words: &str) -> NewMute {
    mute(MuteOf::Phrase(words.to_owned()))
}

async fn sweep(store: &Store) -> (u64, u64, u64) {
    let swept = store.sweep_mutes(|_, _| ()).await.unwrap();
    (swept.hidden, swept.shown, swept.kept_hidden)
}

fn saying(text: &str, stored: StoredPost) -> StoredPost {
    StoredPost { post: Post { text: text.to_owned(), ..stored.post }, ..stored }
}

async fn number(pool: &PgPool, query: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(pool).await.unwrap()
}

const HIDDEN: &str = "SELECT count(*) FROM overheard.mentions WHERE muted_by IS NOT NULL";
const COUNTED: &str = "SELECT coalesce(sum(mentions), 0)::bigint FROM overheard.mention_counts";

#[tokio::test]
async fn edits_removals_and_pictures_of_what_is_muted_change_no_figure() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let spam =
        |id: &str| saying("Buy with promo code X", post(id, "2026-03-01T12:00:00Z", &[("acme", GOOD)]));
    let shown = pictured("seen", 0, &[("acme", GOOD)], &["https://a.example/1"]);
    let shown = saying("A promo code", shown);
    store
        .write(&[
            spam("edited"),
            spam("gone"),
            shown,
            post("plain", "2026-03-01T12:00:00Z", &[("acme", BAD)]),
        ])
        .await
        .unwrap();
    let id = store.add_mute(&phrase("promo code")).await.unwrap();
    assert_eq!(sweep(&store).await, (3, 0, 0));
    assert_eq!((number(&pool, HIDDEN).await, number(&pool, COUNTED).await), (3, 1));
    assert_counts_match_rows(&pool).await;

    // A logo of the brand that the text names, and one of another brand.
    let work = lease(&store, 1).await.remove(0);
    store.finish_pictures(&[finished(&work, &["acme", "vmware"], EVEN)]).await.unwrap();
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.sightings").await, 2);
    assert_eq!((number(&pool, HIDDEN).await, number(&pool, COUNTED).await), (4, 1));
    let seen = "SELECT (SELECT count(*) FROM overheard.recent_mentions) + (SELECT count(*) FROM overheard.recent_sightings)";
    assert_eq!(number(&pool, seen).await, 1);
    assert_counts_match_rows(&pool).await;

    // An edit that says something else is shown; a deletion takes nothing from the counts.
    let mut edit = post("edited", "2026-03-01T12:00:00Z", &[("acme", BAD)]);
    (edit.post.is_edit, edit.post.version) = (true, at("2026-03-01T12:30:00Z"));
    store.write(&[edit]).await.unwrap();
    let deletion = StoredRemoval::Post {
        source: "bluesky".to_owned(),
        ids: vec!["gone".to_owned()],
        at: at("2026-03-01T13:00:00Z"),
    };
    store.remove(&[deletion]).await.unwrap();
    assert_eq!((number(&pool, HIDDEN).await, number(&pool, COUNTED).await), (2, 2));
    assert_counts_match_rows(&pool).await;

    assert!(store.remove_mute(id, "the test").await.unwrap());
    assert!(!store.remove_mute(id, "the test").await.unwrap(), "it is removed once");
    assert_eq!(sweep(&store).await, (0, 2, 0));
    assert_eq!((number(&pool, HIDDEN).await, number(&pool, COUNTED).await), (0, 4));
    assert_counts_match_rows(&pool).await;
    assert_eq!(sweep(&store).await, (0, 0, 0), "nothing is left to sweep");
}

#[tokio::test]
async fn what_one_mute_lets_go_another_one_still_hides() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let key = AuthorKey([9; 16]);
    let mut spam =
        saying("A promo code", post("1", "2026-03-01T12:00:00Z", &[("acme", GOOD), ("vmware", BAD)]));
    spam.post.author_key = Some(key);
    spam.post.links = vec!["https://www.shop.example/x".to_owned()];
    let mut other = saying("Nothing", post("2", "2026-03-02T12:00:00Z", &[("acme", GOOD)]));
    other.post.author_key = Some(key);
    store.write(&[spam, other]).await.unwrap();
    let author = MuteOf::Author { source: "bluesky".to_owned(), keys: vec![AuthorKey([8; 16]), key] };
    let author =
        store.add_mute(&NewMute { brand: Some("acme".parse().unwrap()), ..mute(author) }).await.unwrap();
    assert_eq!(sweep(&store).await, (2, 0, 0));
    let host = store.add_mute(&mute(MuteOf::Host("shop.example".to_owned()))).await.unwrap();
    assert_eq!(sweep(&store).await, (1, 0, 0), "one brand was hidden already");
    store.remove_mute(author, "the test").await.unwrap();
    assert_eq!(sweep(&store).await, (0, 1, 1));
    let by = "SELECT count(*) FROM overheard.mentions WHERE post_id = '1' AND muted_by = ";
    assert_eq!(number(&pool, &format!("{by}{host}")).await, 2);
    assert_counts_match_rows(&pool).await;

    // From a time on.
    let since = Some(at("2026-03-02T00:00:00Z"));
    store.add_mute(&NewMute { since, ..mute(MuteOf::Source("bluesky".to_owned())) }).await.unwrap();
    assert_eq!(sweep(&store).await, (1, 0, 0));
    let days: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT kind, subject, brand, mentions FROM overheard.muted_mention_days ORDER BY day, brand",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let owned = |(a, b, c, d): (&str, &str, &str, i64)| (a.to_owned(), b.to_owned(), c.to_owned(), d);
    let expected = [
        ("host", "shop.example", "acme", 1),
        ("host", "shop.example", "vmware", 1),
        ("source", "bluesky", "acme", 1),
    ];
    assert_eq!(days, expected.map(owned));
    let listed = store.mutes(true).await.unwrap();
    let hides: Vec<_> =
        listed.iter().map(|mute| (mute.mentions, mute.swept, mute.removed_by.is_some())).collect();
    assert_eq!(hides, [(0, true, true), (2, true, false), (1, true, false)]);
    let pseudonyms = "SELECT count(*) FROM overheard.mutes WHERE author_keys IS NOT NULL";
    assert_eq!(number(&pool, pseudonyms).await, 0, "nothing is kept of an author who is muted no more");
    assert_counts_match_rows(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_are_under_way_while_mutes_come_and_go_end_in_line_with_them() {
    let database = TestDatabase::create().await;
    let (store, pool) = (Arc::new(database.store().await), database.pool().await);
    let writers = (0..3).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for batch in 0..30 {
                let posts: Vec<StoredPost> = (0..10)
                    .map(|number| {
                        let id = format!("{writer}-{batch}-{number}");
                        let text = if number % 2 == 0 { "A promo code" } else { "An honest word" };
                        saying(text, post(&id, "2026-03-01T12:00:00Z", &[("acme", GOOD)]))
                    })
                    .collect();
                store.write(&posts).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    // Several stores, as of several processes: each knows mutes of its own.
    let (one, two) = (database.store().await, database.store().await);
    for _ in 0..3 {
        let id = one.add_mute(&phrase("promo code")).await.unwrap();
        let (first, second) = tokio::join!(one.sweep_mutes(|_, _| ()), two.sweep_mutes(|_, _| ()));
        first.unwrap();
        second.unwrap();
        two.remove_mute(id, "the test").await.unwrap();
        sweep(&one).await;
    }
    one.add_mute(&phrase("promo code")).await.unwrap();
    sweep(&two).await;
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!((number(&pool, HIDDEN).await, number(&pool, COUNTED).await), (450, 450));
    let wrong = "SELECT count(*) FROM overheard.mentions m JOIN overheard.posts p ON p.id = m.post_id
                 WHERE (p.text = 'A promo code') <> (m.muted_by IS NOT NULL)";
    assert_eq!(number(&pool, wrong).await, 0);
    assert_counts_match_rows(&pool).await;
}
