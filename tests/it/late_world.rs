//! Alerts while the world is late: posts that come late, posts that are read late, old posts, and a
//! broker that does not take a message. Real servers; the time is simulated.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::support::database::TestDatabase;
use crate::support::settings::Setup;
use crate::support::simulated::Simulated;
use crate::support::topics::TestTopics;

const RULES: &str = r#"
[[rule]]
id = "unhappy"
kind = "negative_share"
window = "2m"
share = 0.5
min_mentions = 5
for = "0s"
keep_firing_for = "3m"
cooldown = "10m"
"#;

fn told(told: &[(String, String, bool)]) -> Vec<(&str, &str, bool)> {
    told.iter().map(|(state, key, late)| (state.as_str(), key.as_str(), *late)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_resolves_nothing_is_told_once_and_a_burst_in_it_alerts_once_and_late() {
    let mut world = Simulated::start(RULES).await;
    world.hate("vmware", world.minute(0), 10).await;
    world.until_stored().await;
    world.play_until(1).await;
    assert_eq!(told(&world.until_told(1).await), [("firing", "vmware", false)]);

    // Nothing can be written any more, while a burst comes.
    let mut stalled = world.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE overheard.posts IN ACCESS EXCLUSIVE MODE").execute(&mut *stalled).await.unwrap();
    world.set(2);
    world.hate("acme", world.minute(2), 10).await;
    for minute in 3..=4 {
        world.set(minute);
        world.hate("acme", world.minute(minute), 10).await;
    }
    world.set(6);
    assert_eq!(told(&world.until_told(2).await)[1..], [("behind", "_behind", false)]);
    world.set(12);
    world
        .until("it is seen to be ten minutes behind", async || {
            let horizon: DateTime<Utc> =
                sqlx::query_scalar("SELECT min(read_until) FROM overheard.watermarks")
                    .fetch_one(&world.pool)
                    .await
                    .unwrap();
            horizon < world.minute(3)
        })
        .await;
    stalled.rollback().await.unwrap();
    world.until_stored().await;
    world.play_until(12).await;
    world.play_until(20).await;

    let all = world.until_told(6).await;
    let at = |what: (&str, &str, bool)| {
        let found: Vec<_> =
            told(&all).into_iter().enumerate().filter(|(_, told)| *told == what).map(|(at, _)| at).collect();
        assert_eq!(found.len(), 1, "{what:?} in {all:?}");
        found[0]
    };
    let (behind, caught_up) = (at(("behind", "_behind", false)), at(("caught_up", "_behind", false)));
    let late = at(("firing", "acme", true));
    assert!(late > behind, "{all:?}");
    for (at, (state, ..)) in told(&all).into_iter().enumerate() {
        assert!(state != "resolved" || at > caught_up, "nothing resolves while it is behind: {all:?}");
    }
    assert_eq!(all.len(), 6, "{all:?}");
    let (started_at, is_late): (DateTime<Utc>, bool) =
        sqlx::query_as("SELECT started_at, late FROM overheard.alerts WHERE brand = 'acme'")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert_eq!((started_at, is_late), (world.minute(3), true), "its own start");

    let messages = world.messages(6);
    let schema = crate::schemas::alert();
    assert_eq!(messages.len(), 6);
    for message in messages {
        let errors: Vec<String> =
            schema.iter_errors(&message.json()).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {:#}", message.json());
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_always_eight_minutes_late_alerts_and_resolves_after_it_has_calmed_down() {
    let mut world = Simulated::start(RULES).await;
    for minute in 1..=10 {
        world.set(minute);
        let count = if minute < 3 { 1 } else { 8 };
        world.hate("vmware", world.minute(minute - 8), count).await;
        world.until_stored().await;
        world.play_until(minute).await;
    }
    assert_eq!(told(&world.until_told(1).await), [("firing", "vmware", true)], "once, and it goes on");
    let started_at: DateTime<Utc> =
        sqlx::query_scalar("SELECT started_at FROM overheard.alerts").fetch_one(&world.pool).await.unwrap();
    assert_eq!(started_at, world.minute(3 - 8 + 1));
    for minute in 11..=16 {
        world.play_until(minute).await;
    }
    let all = world.until_told(2).await;
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[1].0, "resolved");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_fill_of_last_month_raises_nothing() {
    let mut world = Simulated::start(RULES).await;
    for minute in 1..=4 {
        world.set(minute);
        let month_ago = world.minute(minute) - TimeDelta::days(30);
        world.hate("vmware", month_ago, 20).await;
        world.hate("acme", month_ago + TimeDelta::hours(3), 20).await;
        world.until_stored().await;
        world.play_until(minute).await;
    }
    world.play_until(8).await;
    let marks: i64 = sqlx::query_scalar("SELECT count(*) FROM overheard.late_counts")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!((world.told().await, marks), (Vec::new(), 0));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_can_t_be_delivered_holds_back_its_own_brand_and_no_other() {
    let (topics, database) = (TestTopics::create(1).await, TestDatabase::create().await);
    let setup = Setup::new(&topics, &database.url);
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    let pool = database.pool().await;
    for (id, brand, bytes) in
        [("a1", "acme", 3_000_000), ("v1", "vmware", 10), ("a2", "acme", 10), ("v2", "vmware", 10)]
    {
        sqlx::query(
            "INSERT INTO overheard.outbox (message_id, key, payload)
             VALUES ($1, $2, jsonb_build_object('id', $1::text, 'text', repeat('x', $3::integer)))",
        )
        .bind(id)
        .bind(brand)
        .bind(bytes)
        .execute(&pool)
        .await
        .unwrap();
    }
    let ids = |count| -> Vec<String> {
        let messages = topics.read("alerts", count, Duration::from_secs(40));
        messages.iter().map(|message| message.header("overheard.message-id").to_owned()).collect()
    };
    assert_eq!(ids(2), ["v1", "v2"]);
    daemon.until_metric("overheard_outbox_messages 2").await;
    // Somebody makes it deliverable: it and what waits behind it go, in their order.
    sqlx::query("UPDATE overheard.outbox SET payload = '{}' WHERE message_id = 'a1'")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(ids(4), ["v1", "v2", "a1", "a2"]);
    daemon.until_metric("overheard_outbox_messages 0").await;
    let (_, metrics) = daemon.get("/metrics").await;
    for gauge in ["evaluation", "relay", "maintenance"] {
        let name = format!("overheard_{gauge}_last_success_seconds 1");
        assert!(metrics.lines().any(|line| line.starts_with(&name)), "no {name} in\n{metrics}");
    }
    for counter in
        ["overheard_mentions_too_late_total 0", "overheard_alerts_total{rule=\"never\",state=\"firing\"} 0"]
    {
        assert!(metrics.lines().any(|line| line == counter), "no {counter} in\n{metrics}");
    }
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lag_of_a_paused_partition_that_was_never_committed_is_what_the_broker_says() {
    let (topics, database) = (TestTopics::create(1).await, TestDatabase::create().await);
    let setup = Setup::new(&topics, &database.url)
        .with_word_models()
        .with("PIPELINE__QUEUE", "10")
        .with("PIPELINE__BATCH_POSTS", "5");
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    let lag = |kind: &str, value: u32| {
        format!("overheard_consumer_lag_{kind}{{topic=\"{}\",partition=\"0\"}} {value}", topics.name("posts"))
    };
    daemon.until_metric(&lag("records", 0)).await;
    let pool = database.pool().await;
    let mut stalled = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE overheard.posts IN ACCESS EXCLUSIVE MODE").execute(&mut *stalled).await.unwrap();
    let posts = |from: usize| -> Vec<Vec<u8>> {
        let post = |number: usize| {
            let created_at = Utc::now().to_rfc3339();
            serde_json::json!({
                "source": "test", "id": number.to_string(), "created_at": created_at, "text": "VMware is good",
            })
            .to_string()
            .into_bytes()
        };
        (from..from + 200).map(post).collect()
    };
    topics.produce("posts", &posts(0)).await;
    daemon.until_metric("overheard_consumer_paused 1").await;
    topics.produce("posts", &posts(200)).await;
    daemon.until_metric(&lag("records", 400)).await;
    let (_, metrics) = daemon.get("/metrics").await;
    assert!(!metrics.lines().any(|line| line == lag("seconds", 0)), "its age is shown as well\n{metrics}");
    stalled.rollback().await.unwrap();
    for kind in ["records", "seconds"] {
        daemon.until_metric(&lag(kind, 0)).await;
    }
    assert!(daemon.stop().await.success());
}
