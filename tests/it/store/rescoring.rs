//! Mentions that are judged anew while their pictures are finished.

use std::time::{Duration, Instant};

use overheard::domain::{BrandId, Judgement};
use overheard::store::{RescoreRange, StaleMention, Store};
use sqlx::PgPool;

use super::pictures::{finished, lease, pictured};
use super::{BAD, GOOD, at, judgement};
use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;

/// Waits until so many sessions wait for a lock in this database.
async fn until_waiting(pool: &PgPool, wanted: i64) {
    let began = Instant::now();
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(pool).await.unwrap() < wanted {
        assert!(began.elapsed() < Duration::from_secs(20), "{wanted} sessions don't wait");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn rescore_in_german(store: &Store) -> u64 {
    let (brand, judged) = judged_in_german(store).await;
    store.rescore(&brand, &judged).await.unwrap()
}

async fn judged_in_german(store: &Store) -> (BrandId, Vec<(StaleMention, Judgement)>) {
    let brand: BrandId = "acme".parse().unwrap();
    let (since, until) = (at("2026-03-01T00:00:00Z"), at("2026-03-02T00:00:00Z"));
    let range = RescoreRange { brand: brand.clone(), since, until, models: Vec::new() };
    let stale = store.stale_mentions(&range, None, 10).await.unwrap();
    let german = Judgement { language: Some("de".parse().unwrap()), ..judgement(GOOD, "m@2") };
    (brand, stale.into_iter().map(|mention| (mention, german.clone())).collect())
}

#[tokio::test]
async fn a_score_of_the_text_before_an_edit_is_not_written() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let first = pictured("p", 0, &[("acme", BAD)], &[]);
    store.write(std::slice::from_ref(&first)).await.unwrap();
    let (brand, judged) = judged_in_german(&store).await;
    let mut edit = pictured("p", 0, &[("acme", BAD)], &[]);
    (edit.post.is_edit, edit.post.version) = (true, at("2026-03-01T13:00:00Z"));
    edit.received_at = at("2026-03-01T13:00:01Z");
    assert_eq!(store.write(&[edit]).await.unwrap().edited, 1);
    assert_eq!((judged.len(), store.rescore(&brand, &judged).await.unwrap()), (1, 0));
    assert_counts_match_rows(&pool).await;
    assert_eq!(rescore_in_german(&store).await, 1, "the edit is there to be judged");
}

#[tokio::test(flavor = "multi_thread")]
async fn logos_that_are_counted_meanwhile_move_with_their_mention() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let urls = ["https://a.example/1", "https://a.example/2"];
    store.write(&[pictured("p", 0, &[("acme", BAD)], &urls)]).await.unwrap();
    let leased = lease(&store, 10).await;
    store.finish_pictures(&[finished(&leased[0], &["acme"], BAD)]).await.unwrap();

    // The second picture has read under which language its mention is counted, and waits to count.
    let mut hold = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM overheard.mention_counts FOR UPDATE").execute(&mut *hold).await.unwrap();
    let second = finished(&leased[1], &["acme", "acme"], BAD);
    let finishing = tokio::spawn({
        let store = store.clone();
        async move { store.finish_pictures(&[second]).await.unwrap() }
    });
    until_waiting(&pool, 1).await;
    let rescoring = tokio::spawn({
        let store = store.clone();
        async move { rescore_in_german(&store).await }
    });
    until_waiting(&pool, 2).await;
    hold.commit().await.unwrap();
    assert_eq!(finishing.await.unwrap().sightings, 2);
    assert_eq!(rescoring.await.unwrap(), 1);

    let counts: Vec<(String, i64, i64, i64)> =
        sqlx::query_as("SELECT language, mentions, positive, sightings FROM overheard.mention_counts")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(counts, [("de".to_owned(), 1, 1, 3)]);
    assert_counts_match_rows(&pool).await;
    assert_eq!(rescore_in_german(&store).await, 0, "the same again changes nothing");
}
