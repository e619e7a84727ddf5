//! Records of the past, through the real program: no doubles, no alerts, resumable, with an end.

use std::process::{Output, Stdio};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

fn post(number: usize, at: DateTime<Utc>, text: &str) -> Vec<u8> {
    json!({ "source": "test", "id": format!("post-{number}"), "created_at": at.to_rfc3339(), "text": text })
        .to_string()
        .into_bytes()
}

async fn number(pool: &PgPool, query: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(pool).await.unwrap()
}

fn run(setup: &Setup, arguments: &[&str]) -> Output {
    let mut words = vec!["backfill"];
    words.extend(arguments);
    setup.command(&words).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
}

/// Fires with the first bad mention.
const EAGER: &str = r#"
[[rule]]
id = "eager"
kind = "negative_share"
window = "5m"
share = 0.01
min_mentions = 1
for = "0s"
keep_firing_for = "1m"
cooldown = "1m"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_brand_is_found_in_the_past_without_doubles_and_without_alerts() {
    let topics = TestTopics::create(2).await;
    let database = TestDatabase::create().await;
    let known = "[[brand]]\nid = \"vmware\"\nname = \"VMware\"\nwords = [\"VMware\"]\n";
    let setup = Setup::new(&topics, &database.url).with_word_models().with_file("brands.toml", known);
    let now = Utc::now();
    let posts: Vec<_> = (0..40)
        .map(|n| {
            let text = if n % 2 == 0 { "VMware is good, Acme is bad" } else { "Acme is good" };
            post(n, now - TimeDelta::hours(i64::try_from(n).unwrap() + 3), text)
        })
        .chain([post(100, now, "Acme is bad now"), b"not json".to_vec()])
        .collect();
    topics.produce("posts", &posts).await;
    let mut daemon = setup.start("first");
    daemon.until_ready().await;
    topics.until_committed("posts", 42).await;
    assert!(daemon.stop().await.success());
    let pool = database.pool().await;
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.mentions").await, 20);

    let both = format!("{known}[[brand]]\nid = \"acme\"\nname = \"Acme\"\nwords = [\"Acme\"]\n");
    let setup = setup.with_file("brands.toml", &both).with_file("alerts.toml", EAGER);
    let mut daemon = setup.start("second");
    daemon.until_ready().await;
    let topic = topics.name("posts");
    let since = (now - TimeDelta::days(400)).format("%Y-%m-%d").to_string();
    let asked = ["--topic", topic.as_str(), "--since", since.as_str()];

    let planned = run(&setup, &[&asked[..], &["--dry-run"]].concat());
    assert!(planned.status.success(), "{}", said(&planned));
    assert!(
        said(&planned).contains("have gone") || said(&planned).contains("has gone"),
        "{}",
        said(&planned)
    );
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.mentions").await, 20);

    let done = run(&setup, &asked);
    assert_eq!(done.status.code(), Some(1), "{}", said(&done));
    for words in
        ["42 records read: 20 posts and 40 mentions stored", "1 posts left to the daemon", "(syntax)"]
    {
        assert!(said(&done).contains(words), "no {words:?} in\n{}", said(&done));
    }
    let once = "SELECT count(*) FROM overheard.mentions WHERE brand = 'acme' AND label IS NOT NULL";
    assert_eq!(number(&pool, once).await, 40);
    assert_counts_match_rows(&pool).await;

    // Again: nothing is left to add.
    let again = run(&setup, &asked);
    assert!(said(&again).contains("42 records read: 0 posts and 0 mentions stored"), "{}", said(&again));
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.backfills").await, 0);
    // Rules were evaluated meanwhile.
    daemon.until_log("Ready").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.alerts").await, 0);
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_goes_on_where_it_stopped() {
    let topics = TestTopics::names_only(1);
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url).with_word_models();
    let pool = database.pool().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("export.jsonl");
    let day = Utc::now() - TimeDelta::days(30);
    let mut lines = Vec::new();
    for n in 0..20_000 {
        lines.extend(post(n, day, "Acme is good"));
        lines.extend(b"\n\n");
    }
    std::fs::write(&file, &lines).unwrap();
    let topic = topics.name("posts");
    let asked = ["--topic", topic.as_str(), file.to_str().unwrap()];

    let migrate = setup.command(&["migrate"]).output().unwrap();
    assert!(migrate.status.success());
    let mut process = setup
        .command(&[&["backfill"], &asked[..]].concat())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let read = "SELECT coalesce(sum(next_offset), 0)::bigint FROM overheard.backfills";
    while number(&pool, read).await < 100_000 {
        assert!(process.try_wait().unwrap().is_none(), "it ended early");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    kill(Pid::from_raw(i32::try_from(process.id()).unwrap()), Signal::SIGKILL).unwrap();
    process.wait().unwrap();
    let left = 20_000 - number(&pool, "SELECT count(*) FROM overheard.posts").await;
    assert!(left > 0);

    let done = run(&setup, &asked);
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains("Goes on with a run that was cut off"), "{}", said(&done));
    assert!(
        said(&done).contains(&format!(": {left} posts and {left} mentions stored")),
        "{left}: {}",
        said(&done)
    );
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.mentions").await, 20_000);
    assert_eq!(number(&pool, "SELECT sum(mentions)::bigint FROM overheard.mention_counts").await, 20_000);
}

#[test]
fn what_cannot_be_read_is_named() {
    let setup = Setup::new(&TestTopics::names_only(1), "postgres://127.0.0.1:1/none");
    let output = run(&setup, &["--topic", "elsewhere"]);
    assert!(said(&output).contains("--topic elsewhere: not one of kafka.topics"), "{}", said(&output));
    let output = run(&setup, &["--topic", "x", "--since", "yesterday"]);
    assert!(said(&output).contains("2026-03-01"), "{}", said(&output));
}
