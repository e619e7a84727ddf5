//! How far the world was read, and what is not judged beyond.

use chrono::{DateTime, TimeDelta, Utc};
use overheard::alerting::Reach;
use overheard::domain::{Alert, AlertState, BehindState};
use overheard::pipeline::{PastCache, evaluate_rules, tell_behind};
use overheard::store::{Evaluation, LeaderLock, Watermark};

use super::alerts::{TIMING, brands, evaluated, evaluation, minute, rules};
use super::{BAD, post};
use crate::support::database::TestDatabase;

async fn with_horizon(
    lock: &mut LeaderLock<Evaluation>,
    now: DateTime<Utc>,
    horizon: DateTime<Utc>,
) -> Vec<Alert> {
    let reach = Reach { now, horizon: Some(horizon) };
    evaluate_rules(lock, &rules()[..1], &brands(), reach, TIMING, &mut PastCache::default()).await.unwrap()
}

fn mark(topic: &str, partition: i32, read_until: DateTime<Utc>) -> Watermark {
    Watermark { topic: topic.into(), partition, read_until }
}

#[tokio::test]
async fn the_horizon_is_the_least_watermark_of_the_partitions_that_there_are() {
    let database = TestDatabase::create().await;
    let store = database.store().await.reading_as("group");
    let other = store.clone().reading_as("another");
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    let there = |partitions: &[(&str, i32)]| -> Vec<(String, i32)> {
        partitions.iter().map(|(topic, number)| ((*topic).to_owned(), *number)).collect()
    };
    let both = there(&[("posts", 0), ("posts", 1)]);
    assert_eq!(lock.horizon(&both).await.unwrap(), None);
    store.advance_watermarks(&[mark("posts", 0, minute(10))]).await.unwrap();
    assert_eq!(lock.horizon(&both).await.unwrap(), None, "of one nothing is known yet");
    store.advance_watermarks(&[mark("posts", 1, minute(5)), mark("posts", 0, minute(3))]).await.unwrap();
    assert_eq!(lock.horizon(&both).await.unwrap(), Some(minute(5)));
    assert_eq!(lock.horizon(&both[..1]).await.unwrap(), Some(minute(10)), "none goes back");
    // What is gone, what is not consumed any more, and another group don't count.
    store.advance_watermarks(&[mark("gone", 0, minute(0)), mark("posts", 2, minute(0))]).await.unwrap();
    other.advance_watermarks(&[mark("posts", 0, minute(0)), mark("posts", 1, minute(20))]).await.unwrap();
    assert_eq!(lock.horizon(&both).await.unwrap(), Some(minute(5)));
    assert_eq!(lock.horizon(&[]).await.unwrap(), None);
}

#[tokio::test]
async fn nothing_beyond_the_horizon_is_judged_and_what_fires_goes_on() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let angry =
        |number: i64, at: i64| post(&format!("{at}-{number}"), &minute(at).to_rfc3339(), &[("vmware", BAD)]);
    store.write(&(0..20).map(|number| angry(number, 10)).collect::<Vec<_>>()).await.unwrap();
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    evaluated(&mut lock, &rules()[..1], &brands(), minute(11)).await.unwrap();
    let fired = evaluated(&mut lock, &rules()[..1], &brands(), minute(12)).await.unwrap();
    assert_eq!(fired.len(), 1);
    // The horizon stands still for an hour and a half.
    for now in 13..100 {
        assert_eq!(with_horizon(&mut lock, minute(now), minute(12)).await, []);
    }
    // It moves, but is still behind: nothing resolves.
    assert_eq!(with_horizon(&mut lock, minute(100), minute(95)).await, []);
    let resolved = with_horizon(&mut lock, minute(100), minute(99)).await;
    assert_eq!(resolved.iter().map(|alert| alert.state).collect::<Vec<_>>(), [AlertState::Resolved]);
}

#[tokio::test]
async fn every_minute_of_a_stall_is_judged_in_order_once_it_is_read() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    assert_eq!(with_horizon(&mut lock, minute(10), minute(10)).await, []);
    let angry: Vec<_> = (0..20)
        .map(|number| post(&number.to_string(), &minute(20).to_rfc3339(), &[("vmware", BAD)]))
        .collect();
    store.write(&angry).await.unwrap();
    let told = with_horizon(&mut lock, minute(40), minute(40)).await;
    let told: Vec<_> =
        told.iter().map(|alert| (alert.state, alert.started_at, alert.fired_at, alert.late)).collect();
    let (start, fired) = (minute(21), minute(22));
    assert_eq!(
        told,
        [(AlertState::Firing, start, fired, true), (AlertState::Resolved, start, fired, true)],
        "a burst within the stall alerts with its own start"
    );
    assert_eq!(with_horizon(&mut lock, minute(40), minute(40)).await, []);
    // What is older than the lateness is not judged at all.
    let old: Vec<_> = (0..20)
        .map(|number| post(&format!("old{number}"), &minute(60).to_rfc3339(), &[("acme", BAD)]))
        .collect();
    store.write(&old).await.unwrap();
    assert_eq!(with_horizon(&mut lock, minute(200), minute(100)).await, []);
    assert_eq!(with_horizon(&mut lock, minute(200), minute(200)).await, []);
}

#[tokio::test]
async fn being_behind_is_told_once_and_so_is_its_end() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let mut told = Vec::new();
    let since = minute(0) + TimeDelta::seconds(30);
    for (now, horizon) in [
        (1, Some(since)),
        (2, Some(since)),
        (3, Some(since)),
        (4, None),
        (9, Some(since)),
        (10, Some(minute(10))),
        (11, Some(minute(11))),
    ] {
        // Another process each time.
        let mut lock = evaluation(&store).await.unwrap().expect("the lock is free");
        let reach = Reach { now: minute(now), horizon };
        for _ in 0..2 {
            let notice = tell_behind(&mut lock, reach, minute(0), TIMING).await.unwrap();
            told.extend(notice.map(|notice| (now, notice.state, notice.since, notice.behind_seconds)));
        }
        lock.release().await;
    }
    assert_eq!(
        told,
        [(3, BehindState::Behind, since, Some(150)), (10, BehindState::CaughtUp, since, Some(0))]
    );
    let pending = store.pending(10, &[]).await.unwrap();
    assert_eq!(pending.len(), 2);
    for message in pending {
        assert_eq!(message.key, "_behind");
        let payload = serde_json::from_str(&message.payload).unwrap();
        assert!(crate::schemas::alert().is_valid(&payload), "{payload}");
    }
}

#[tokio::test]
async fn a_failing_look_for_examples_costs_no_alert() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let angry: Vec<_> = (0..20)
        .map(|number| post(&number.to_string(), &minute(10).to_rfc3339(), &[("vmware", BAD)]))
        .collect();
    store.write(&angry).await.unwrap();
    sqlx::raw_sql("ALTER TABLE overheard.mentions RENAME COLUMN polarity TO feeling")
        .execute(&pool)
        .await
        .unwrap();
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    evaluated(&mut lock, &rules()[..1], &brands(), minute(11)).await.unwrap();
    let fired = evaluated(&mut lock, &rules()[..1], &brands(), minute(12)).await.unwrap();
    assert_eq!((fired.len(), fired[0].examples.len()), (1, 0));
}
