//! The roll-up: what mentions and sightings are counted under, and what rules make of it.

use std::time::Duration;

use overheard::alerting::{Condition, Rule, Watched};
use overheard::domain::PostKind;

use super::alerts::evaluated;
use super::batch::some_posts;
use super::pictures::{finished, lease, pictured};
use super::{BAD, at};
use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;

#[tokio::test]
async fn mentions_are_counted_by_their_posts_kind() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let mut posts = some_posts();
    posts[1].post.kind = PostKind::Repost;
    store.write(&posts).await.unwrap();
    assert_counts_match_rows(&pool).await;
    let kinds: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT kind, mentions, positive FROM overheard.mention_counts
         WHERE brand = 'acme' AND minute = '2026-03-01T12:00:00Z' AND evidence = 'text' ORDER BY kind",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(kinds, [("original".to_owned(), 1, 0), ("repost".to_owned(), 1, 1)]);
    let minute = "SELECT mentions FROM overheard.brand_minutes
                  WHERE brand = 'acme' AND minute = '2026-03-01T12:00:00Z'";
    let all: i64 = sqlx::query_scalar(minute).fetch_one(&pool).await.unwrap();
    assert_eq!(all, 2, "a view adds them up");
}

#[tokio::test]
async fn alerts_count_mentions_by_picture_and_tell_of_sightings() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let posts: Vec<_> =
        (0..20).map(|n| pictured(&format!("p{n:02}"), 0, &[], &["https://a.example/1"])).collect();
    store.write(&posts).await.unwrap();
    let leased = lease(&store, 20).await;
    let looks: Vec<_> = leased.iter().map(|work| finished(work, &["acme", "acme"], BAD)).collect();
    store.finish_pictures(&looks).await.unwrap();
    let rule = Rule {
        id: "share".to_owned(),
        condition: Condition::NegativeShare { share: 0.5, min_mentions: 10 },
        brands: Watched::All,
        window: Duration::from_mins(5),
        hold_for: Duration::ZERO,
        keep_firing_for: Duration::from_mins(1),
        cooldown: Duration::from_mins(1),
    };
    let mut lock = store.candidate().try_lock().await.unwrap().unwrap();
    let brands = ["acme".parse().unwrap()];
    let now = at("2026-03-01T12:01:30Z");
    let alerts = evaluated(&mut lock, &[rule], &brands, now).await.unwrap();
    assert_eq!(alerts.len(), 1);
    assert_eq!((alerts[0].counts.mentions(), alerts[0].counts.sightings), (20, 40));
    assert!(crate::schemas::alert().is_valid(&serde_json::to_value(&alerts[0]).unwrap()));
}

#[tokio::test]
async fn a_mention_that_is_counted_no_more_is_strengthened_without_a_count() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let mut reply = pictured("p", 0, &[("acme", BAD)], &["https://a.example/1"]);
    reply.post.kind = PostKind::Reply;
    store.write(&[reply, pictured("q", 1, &[("acme", BAD)], &["https://a.example/2"])]).await.unwrap();
    // Counts may be kept for a shorter time than mentions.
    sqlx::query("DELETE FROM overheard.mention_counts WHERE kind = 'original'").execute(&pool).await.unwrap();
    let looks: Vec<_> =
        lease(&store, 10).await.iter().map(|work| finished(work, &["acme", "acme"], BAD)).collect();
    assert_eq!(store.finish_pictures(&looks).await.unwrap().strengthened, 2);
    let counts: Vec<(String, String, i64, i64)> =
        sqlx::query_as("SELECT kind, evidence, mentions, sightings FROM overheard.mention_counts")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(counts, [("reply".to_owned(), "both".to_owned(), 1, 2)], "no row is left by text");
}
