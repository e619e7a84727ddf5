//! An alert, from posts to its topic and to its end, through the real program.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Timelike, Utc};
use serde_json::json;

use crate::support::database::TestDatabase;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

const RULES: &str = r#"
[[rule]]
id = "unhappy"
kind = "negative_share"
window = "2m"
share = 0.5
min_mentions = 5
for = "0s"
keep_firing_for = "0s"
cooldown = "10m"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_fires_once_is_read_from_its_topic_and_resolves() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url).with_file("alerts.toml", RULES);
    let mut first = setup.start("first");
    // Two processes: only one of them evaluates.
    let mut second = setup.start("second");
    first.until_ready().await;
    second.until_ready().await;

    // Within the window now, out of it in a minute. Not near the end of a minute, or the window
    // would have moved on before anybody looks.
    while Utc::now().second() > 40 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let created_at = (Utc::now() - TimeDelta::seconds(60)).to_rfc3339();
    let posts: Vec<Vec<u8>> = (0..8)
        .map(|number| {
            json!({
                "source": "test", "id": number.to_string(), "created_at": created_at,
                "link": format!("https://example.com/{number}"),
                "text": format!("VMware is broken again, outage number {number}, I hate it"),
            })
            .to_string()
            .into_bytes()
        })
        .collect();
    topics.produce("posts", &posts).await;

    let fired = topics.read("alerts", 1, Duration::from_secs(40));
    assert_eq!(fired.len(), 1, "one message though two processes run");
    let alert = fired[0].json();
    assert_eq!(fired[0].key.as_deref(), Some("vmware"));
    assert_eq!(alert["state"], "firing");
    assert_eq!(alert["rule"], "unhappy");
    assert_eq!(alert["counts"]["mentions"], 8);
    assert_eq!(fired[0].header("overheard.message-id"), alert["message_id"].as_str().unwrap());
    let link = alert["examples"][0]["link"].as_str().unwrap();
    assert!(link.starts_with("https://example.com/"), "{link}");
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../docs/schemas/alert.schema.json")).unwrap();
    jsonschema::validate(&schema, &alert).expect("the message fits its schema");

    let began = Instant::now();
    let messages = loop {
        let messages = topics.read("alerts", 2, Duration::from_secs(20));
        if messages.len() > 1 || began.elapsed() > Duration::from_secs(150) {
            break messages;
        }
    };
    assert_eq!(messages.len(), 2);
    let resolved = messages[1].json();
    assert_eq!(resolved["state"], "resolved");
    assert_eq!(resolved["id"], alert["id"]);
    assert!(resolved["resolved_at"].is_string());
    jsonschema::validate(&schema, &resolved).expect("the message fits its schema");

    let pool = database.pool().await;
    let open: i64 =
        sqlx::query_scalar("SELECT count(*) FROM overheard.open_alerts").fetch_one(&pool).await.unwrap();
    assert_eq!(open, 0);
    let ended: i64 =
        sqlx::query_scalar("SELECT count(*) FROM overheard.alert_history WHERE state = 'resolved'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(ended, 1);
    assert!(first.stop().await.success());
    assert!(second.stop().await.success());
}
