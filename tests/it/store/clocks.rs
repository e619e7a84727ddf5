//! A machine whose clock is wrong.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use overheard::clock::{Clock, ManualClock};
use overheard::health::{Health, Part};
use overheard::pipeline::{maintain, prepare_store};
use overheard::store::{Store, StoreError};

use super::{BAD, post};
use crate::support::database::TestDatabase;

/// A clock that is so far ahead.
struct Ahead(TimeDelta);

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_years_ahead_deletes_nothing_and_is_named() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    database.store().await;
    let mut options = database.options();
    options.retention_posts = Some(Duration::from_hours(24));
    options.retention_counts = Some(Duration::from_hours(24));
    let store = Store::connect_lazy(options).unwrap();
    let now = Utc::now().to_rfc3339();
    assert!(maintain(&store, &Ahead(TimeDelta::zero())).await.is_empty());
    store.write(&[post("today", &now, &[("acme", BAD)])]).await.unwrap();

    let wrong = Ahead(TimeDelta::days(3650));
    let mut failed = maintain(&store, &wrong).await;
    let (error, _) = failed.pop().unwrap();
    assert!(matches!(error, StoreError::Clocks { .. }) && error.is_transient(), "{error}");
    let (here, there) = (wrong.now().format("%Y-%m-%d"), Utc::now().format("%Y-%m-%d"));
    let message = error.to_string();
    assert!(message.contains(&here.to_string()) && message.contains(&there.to_string()), "{message}");
    let left: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM overheard.posts) + (SELECT count(*) FROM overheard.mention_counts)",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(left, 2);
    let far: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_class WHERE relname LIKE $1 AND relnamespace = 'overheard'::regnamespace",
    )
    .bind(format!("posts_{}%", wrong.now().format("%Y")))
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(far, 0, "no days of ten years ahead");

    // A minute is not worth a word, and a simulated clock is nobody's clock.
    assert!(maintain(&store, &Ahead(TimeDelta::minutes(1))).await.is_empty());
    assert!(maintain(&store, &Ahead(TimeDelta::minutes(-1))).await.is_empty());
    let simulated = ManualClock::new(Utc::now() - TimeDelta::days(300));
    assert_eq!(store.time_to_decide_by(&simulated).await.unwrap(), simulated.now());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_a_wrong_clock_does_not_start_and_says_why() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let health = Health::new();
    let wrong = Ahead(TimeDelta::days(-400));
    let starting = prepare_store(&store, &wrong, &health);
    let until_said = async {
        while !health.readiness().1[&Part::Postgres].detail.contains("clock says") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = starting => panic!("it started"),
        said = tokio::time::timeout(Duration::from_mins(1), until_said) => said.unwrap(),
    }
}
