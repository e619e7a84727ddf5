//! Servers that vanish without a word, and processes that stand still.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use sqlx::PgPool;

use crate::support::database::TestDatabase;
use crate::support::proxy::Proxy;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

fn post(id: &str) -> Vec<u8> {
    format!(r#"{{"source":"t","id":"{id}","created_at":"2026-03-01T12:00:00Z","text":"VMware is fine"}}"#)
        .into_bytes()
}

/// Waits until a session of the daemon waits for a lock.
async fn until_it_waits_for_a_lock(pool: &PgPool) {
    let began = Instant::now();
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(pool).await.unwrap() == 0 {
        assert!(began.elapsed() < Duration::from_mins(1), "nobody waits for a lock");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_without_a_reset_writing_goes_on_over_new_connections() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let mut proxy = Proxy::to(&database.url).await;
    proxy.open().await;
    // A statement that nobody answers would be waited for much longer than this test.
    let setup = Setup::new(&topics, &proxy.url).with("POSTGRES__STATEMENT_TIMEOUT", "1h");
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    topics.produce("posts", &[post("1")]).await;
    topics.until_committed("posts", 1).await;
    proxy.fail_over();
    topics.produce("posts", &[post("2")]).await;
    topics.until_committed("posts", 2).await;
    assert!(daemon.log().contains("the older ones are given up"), "{}", daemon.log());
    daemon.until_ready().await;
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_process_loses_its_transaction_and_its_locks_and_goes_on_when_it_wakes() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    // Only the limit on standing still can end its transaction.
    let setup = Setup::new(&topics, &database.url)
        .with("POSTGRES__STATEMENT_TIMEOUT", "1h")
        .with("POSTGRES__LOCK_TIMEOUT", "1h");
    let pool = database.pool().await;
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    let mut hold = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE overheard.mention_counts IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *hold)
        .await
        .unwrap();
    topics.produce("posts", &[post("1")]).await;
    until_it_waits_for_a_lock(&pool).await;
    daemon.signal(Signal::SIGSTOP);
    // Its statement ends, and it holds what it has written.
    hold.rollback().await.unwrap();
    let mut other = pool.begin().await.unwrap();
    sqlx::query("SET LOCAL lock_timeout = '60s'").execute(&mut *other).await.unwrap();
    sqlx::query("LOCK TABLE overheard.mention_counts IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *other)
        .await
        .expect("a frozen process's locks are released");
    other.rollback().await.unwrap();
    daemon.signal(Signal::SIGCONT);
    topics.until_committed("posts", 1).await;
    let counted: i64 = sqlx::query_scalar("SELECT sum(mentions)::bigint FROM overheard.mention_counts")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(counted, 1);
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_stands_makes_the_daemon_unready_until_it_ends() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url)
        .with("POSTGRES__LOCK_TIMEOUT", "1h")
        .with("ADMIN__WRITE_LIMIT", "1s");
    let pool = database.pool().await;
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    let mut hold = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE overheard.posts IN ACCESS EXCLUSIVE MODE").execute(&mut *hold).await.unwrap();
    topics.produce("posts", &[post("1")]).await;
    let why = daemon.until_answer("/ready", 503).await;
    assert!(why.contains("a write has been in progress for"), "{why}");
    assert_eq!(daemon.get("/live").await.0, 200, "waiting for Postgres is not being dead");
    hold.rollback().await.unwrap();
    daemon.until_ready().await;
    topics.until_committed("posts", 1).await;
    assert!(daemon.stop().await.success());
}
