//! What the daemon says of itself, and how it ends, while the outside world fails.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rdkafka::mocking::MockCluster;

use crate::support::daemon::Daemon;
use crate::support::database::TestDatabase;
use crate::support::proxy::Proxy;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

fn post(id: &str) -> Vec<u8> {
    format!(r#"{{"source":"t","id":"{id}","created_at":"2026-03-01T12:00:00Z","text":"VMware is fine"}}"#)
        .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_postgres_makes_the_daemon_unready_but_not_dead_and_does_not_hold_up_its_end() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let mut proxy = Proxy::to(&database.url).await;
    proxy.open().await;
    let setup = Setup::new(&topics, &proxy.url)
        .with("KAFKA__DRAIN_TIMEOUT", "4s")
        .with("ADMIN__STALL_AFTER", "5s")
        .with("POSTGRES__CONNECT_TIMEOUT", "20s")
        .with("PIPELINE__SHUTDOWN_DEADLINE", "2s");
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    proxy.fall_silent();
    let why = daemon.until_answer("/ready", 503).await;
    assert!(why.contains("postgres"), "{why}");
    topics.produce("posts", &[post("1")]).await;
    // Longer than a stage may stand still.
    for _ in 0..16 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (status, stalled) = daemon.get("/live").await;
        assert_eq!(status, 200, "waiting for port {} is not being dead: {stalled}", proxy.port);
    }
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.until_ended().await.code(), Some(1));
    assert!(daemon.log().contains("it will be delivered again"), "{}", daemon.log());
    assert_eq!(topics.committed("posts"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_fails_for_good_ends_the_daemon_with_its_reason() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    // Two members of one static identity: the broker fences the first.
    let setup = Setup::new(&topics, &database.url).with("KAFKA__INSTANCE_ID", "the-same");
    let mut first = setup.start("first");
    first.until_ready().await;
    let mut second = setup.start("second");
    assert_eq!(first.until_ended().await.code(), Some(1));
    let reason = "joined the group with the same kafka.instance_id, \"the-same\"";
    assert!(first.log().contains(reason), "{}", first.log());
    second.until_ready().await;
    assert!(second.stop().await.success());
}

/// The sum of a metric's series.
async fn metric(daemon: &Daemon, name: &str) -> f64 {
    let (_, metrics) = daemon.get("/metrics").await;
    let of_it = metrics.lines().filter(|line| line.starts_with(name));
    of_it.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// On librdkafka's own cluster: the broker of the other tests belongs to all of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_goes_and_comes_back_is_said_once_each_and_counted_between() {
    let cluster = MockCluster::new(1).unwrap();
    let mut topics = TestTopics::names_only(1);
    topics.brokers = cluster.bootstrap_servers();
    for topic in ["posts", "jetstream", "alerts", "dead-letters"] {
        cluster.create_topic(&topics.name(topic), 1, 1).unwrap();
    }
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url);
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    let before = daemon.log().lines().filter(|line| line.contains(" WARN ")).count();
    cluster.broker_down(1).unwrap();
    let why = daemon.until_answer("/ready", 503).await;
    assert!(why.contains("no broker answers"), "{why}");
    let began = Instant::now();
    while metric(&daemon, "overheard_broker_connection_failures_total").await < 2.0 {
        assert!(began.elapsed() < Duration::from_mins(1), "failures are not counted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    cluster.broker_up(1).unwrap();
    daemon.until_ready().await;
    daemon.until_log("The brokers answer again").await;
    let log = daemon.log();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains(" WARN ")).skip(before).collect();
    assert!(warnings.len() == 1 && warnings[0].contains("No broker answers"), "{warnings:#?}");
    assert_eq!(log.matches("The brokers answer again").count(), 1);
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_in_flight_are_bounded_by_their_bytes() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url).with("PIPELINE__IN_FLIGHT", "1MiB");
    let pool = database.pool().await;
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    // Held up by a lock, while some 40 MB wait in Kafka; one record alone is over the limit's half.
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE overheard.posts IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let padding = "x".repeat(700_000);
    let posts: Vec<Vec<u8>> = (0..60)
        .map(|number| {
            format!(
                r#"{{"source":"t","id":"{number}","created_at":"2026-03-01T12:00:00Z","text":"VMware","padding":"{padding}"}}"#
            )
            .into_bytes()
        })
        .collect();
    topics.produce("posts", &posts).await;
    daemon.until_metric("overheard_consumer_paused 1").await;
    transaction.rollback().await.unwrap();
    topics.until_committed("posts", 60).await;
    let stored: i64 =
        sqlx::query_scalar("SELECT count(*) FROM overheard.posts").fetch_one(&pool).await.unwrap();
    assert_eq!(stored, 60);
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_dead_letter_that_finds_no_topic_all_partitions_wait_and_the_daemon_is_not_ready() {
    let topics = TestTopics::create(2).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url).with("KAFKA__DELIVERY_TIMEOUT", "3s");
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    topics.delete("dead-letters").await;
    topics.produce("posts", &[b"no post".to_vec(), post("1")]).await;
    let why = daemon.until_answer("/ready", 503).await;
    assert!(why.contains(&topics.name("dead-letters")), "{why}");
    assert_eq!(topics.committed("posts"), 0);
    topics.make(&["dead-letters"]).await;
    topics.until_committed("posts", 2).await;
    assert_eq!(topics.read("dead-letters", 1, Duration::from_secs(20)).len(), 1);
    daemon.until_ready().await;
    assert!(daemon.stop().await.success());
}
