//! Counts that change in minutes that were judged already.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use overheard::domain::AlertState;
use overheard::store::{Store, StoredPost};
use sqlx::PgPool;

use super::alerts::{brands, evaluated, evaluation, minute, rules};
use super::{BAD, EVEN, post};
use crate::support::database::TestDatabase;

fn angry(at: i64, count: usize) -> Vec<StoredPost> {
    let one = |number| post(&format!("{at}-{number}"), &minute(at).to_rfc3339(), &[("vmware", BAD)]);
    (0..count).map(one).collect()
}

async fn marks(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM overheard.late_counts").fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_burst_in_a_past_minute_alerts_once_with_its_own_start_and_says_that_it_is_late() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let rules = &rules()[..1];
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    assert_eq!(evaluated(&mut lock, rules, &brands(), minute(40)).await.unwrap(), []);
    store.write(&angry(20, 20)).await.unwrap();
    assert_eq!(marks(&pool).await, 1, "a brand and a minute, once a transaction");
    let told = evaluated(&mut lock, rules, &brands(), minute(40)).await.unwrap();
    let [alert] = &told[..] else { panic!("{told:?}") };
    assert_eq!((alert.state, alert.started_at, alert.late), (AlertState::Firing, minute(21), true));
    assert_eq!(alert.examples.len(), 5);
    assert_eq!(marks(&pool).await, 0);
    // The same posts again are no change, and more of them are the same incident.
    store.write(&angry(20, 20)).await.unwrap();
    assert_eq!(marks(&pool).await, 0);
    store.write(&angry(22, 20)).await.unwrap();
    assert_eq!(evaluated(&mut lock, rules, &brands(), minute(41)).await.unwrap(), []);
    let mut ended = Vec::new();
    for now in 42..50 {
        ended.extend(evaluated(&mut lock, rules, &brands(), minute(now)).await.unwrap());
    }
    assert_eq!(ended.iter().map(|alert| alert.state).collect::<Vec<_>>(), [AlertState::Resolved]);
    let late: bool = sqlx::query_scalar("SELECT late FROM overheard.alerts").fetch_one(&pool).await.unwrap();
    assert!(late);
}

#[tokio::test]
async fn late_posts_do_not_disturb_an_alert_that_is_open() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let rules = &rules()[..1];
    store.write(&angry(40, 20)).await.unwrap();
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    evaluated(&mut lock, rules, &brands(), minute(41)).await.unwrap();
    let open = evaluated(&mut lock, rules, &brands(), minute(42)).await.unwrap();
    let before = lock.phases().await.unwrap();
    store.write(&angry(20, 20)).await.unwrap();
    let told = evaluated(&mut lock, rules, &brands(), minute(42)).await.unwrap();
    let told: Vec<_> = told.iter().map(|alert| (alert.id != open[0].id, alert.state)).collect();
    assert_eq!(told, [(true, AlertState::Firing), (true, AlertState::Resolved)], "an incident that is over");
    assert_eq!(lock.phases().await.unwrap(), before);
}

#[tokio::test]
async fn what_is_later_than_the_lateness_is_counted_and_neither_marked_nor_told() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let rules = &rules()[..1];
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    evaluated(&mut lock, rules, &brands(), minute(100)).await.unwrap();
    store.write(&angry(30, 20)).await.unwrap();
    let counted: i64 =
        sqlx::query_scalar("SELECT mentions FROM overheard.mention_counts").fetch_one(&pool).await.unwrap();
    assert_eq!((counted, marks(&pool).await), (20, 0));
    // On time when it was marked, and too late when it is judged.
    store.write(&angry(45, 20)).await.unwrap();
    assert_eq!(marks(&pool).await, 1);
    assert_eq!(evaluated(&mut lock, rules, &brands(), minute(120)).await.unwrap(), []);
    assert_eq!(marks(&pool).await, 0);
}

/// Whether a session waits for the lock that announcements take.
async fn until_somebody_waits(pool: &PgPool, query: &'static str) {
    let began = Instant::now();
    while sqlx::query_scalar::<_, i64>(query).fetch_one(pool).await.unwrap() == 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "nobody waits");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_announcement_waits_for_counts_that_do_not_know_of_it() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&[post("first", &minute(30).to_rfc3339(), &[("vmware", EVEN)])]).await.unwrap();
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    // A batch is on its way: it has looked at what is announced, and can't go on.
    let mut busy = pool.begin().await.unwrap();
    sqlx::query("SELECT * FROM overheard.mention_counts FOR UPDATE").fetch_all(&mut *busy).await.unwrap();
    let writer: Store = store.clone();
    let second = post("second", &minute(30).to_rfc3339(), &[("vmware", EVEN)]);
    let writing = tokio::spawn(async move { writer.write(&[second]).await });
    until_somebody_waits(&pool, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INTO overheard.mention_counts%'").await;
    let announcing = tokio::spawn(async move {
        let announced = lock.announce(minute(31), minute(0)).await;
        (lock, announced)
    });
    until_somebody_waits(&pool, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'").await;
    busy.rollback().await.unwrap();
    writing.await.unwrap().unwrap();
    let (mut lock, announced) = announcing.await.unwrap();
    announced.unwrap();
    // So what it counted is seen, and needs no mark.
    let from = brands().into_iter().map(|brand| (brand, minute(30))).collect();
    let series = lock.series(&from, minute(31), None, &overheard::store::Pasts::new()).await.unwrap();
    assert!(format!("{series:?}").contains("neutral: 2"), "{series:?}");
    assert_eq!(marks(&pool).await, 0);
    // Who comes later knows.
    let third = post("third", &(minute(30) + TimeDelta::seconds(9)).to_rfc3339(), &[("vmware", EVEN)]);
    store.write(&[third]).await.unwrap();
    assert_eq!(marks(&pool).await, 1);
}
