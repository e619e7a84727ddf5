//! Posts in, rows out: through the real program, a real broker and a real database.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use sqlx::{PgPool, Row};

use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

/// A native post about a brand; `number` makes its identity.
fn post(number: usize, text: &str) -> Vec<u8> {
    let minute = number % 60;
    json!({
        "source": "test", "id": format!("post-{number}"), "text": text, "author": "somebody",
        "created_at": format!("2026-03-01T12:{minute:02}:00Z"), "link": format!("https://example.com/{number}"),
        "language": "en", "reach": 10,
    })
    .to_string()
    .into_bytes()
}

/// Everything that a batch leaves behind, as text: equal before and after means nothing changed.
async fn contents(pool: &PgPool) -> BTreeMap<&'static str, Vec<String>> {
    let mut all = BTreeMap::new();
    for (name, query) in [
        ("posts", "SELECT p::text FROM overheard.posts p ORDER BY 1"),
        ("mentions", "SELECT m::text FROM overheard.mentions m ORDER BY 1"),
        ("counts", "SELECT c::text FROM overheard.mention_counts c ORDER BY 1"),
    ] {
        let rows = sqlx::query(query).fetch_all(pool).await.unwrap();
        all.insert(name, rows.iter().map(|row| row.get(0)).collect());
    }
    all
}

async fn number(pool: &PgPool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_become_exactly_the_expected_rows_and_again_change_nothing() {
    let topics = TestTopics::create(2).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url);
    let pool = database.pool().await;
    let posts = [
        post(1, "I love VMware Horizon, it is a great product"),
        post(2, "VMware support never answers, I hate this. Acme is no better"),
        post(3, "Nothing about anybody"),
        post(1, "I love VMware Horizon, it is a great product"),
        json!({ "source": "test", "id": "old", "created_at": "1970-01-01T00:00:00Z", "text": "acme!" })
            .to_string()
            .into_bytes(),
        json!({ "source": "test", "id": "next-year", "created_at": "2031-06-01T00:00:00Z",
                "text": "look", "links": ["https://blogs.vmware.com/x"], "kind": "quote" })
        .to_string()
        .into_bytes(),
        b"{ this is not JSON".to_vec(),
        json!({ "source": "test", "id": "no-time", "created_at": "yesterday", "text": "VMware" })
            .to_string()
            .into_bytes(),
        json!({ "source": "test", "text": "VMware" }).to_string().into_bytes(),
        b"\xff\xfe".to_vec(),
    ];
    topics.produce("posts", &posts).await;

    let mut daemon = setup.start("first");
    daemon.until_ready().await;
    topics.until_committed("posts", 10).await;

    let mentions = sqlx::query(
        "SELECT post_id, brand, label, spans::text AS spans, model, negative + neutral + positive AS sum
         FROM overheard.mentions ORDER BY post_id, brand",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let found: Vec<(String, String, String)> =
        mentions.iter().map(|row| (row.get("post_id"), row.get("brand"), row.get("label"))).collect();
    let named: Vec<(&str, &str)> = found.iter().map(|(id, brand, _)| (id.as_str(), brand.as_str())).collect();
    assert_eq!(
        named,
        [
            ("next-year", "vmware"),
            ("old", "acme"),
            ("post-1", "vmware"),
            ("post-2", "acme"),
            ("post-2", "vmware")
        ]
    );
    assert_eq!(found[2].2, "positive");
    assert_eq!(found[4].2, "negative");
    for row in &mentions {
        assert!((row.get::<f32, _>("sum") - 1.0).abs() < 1e-3);
        assert!(row.get::<String, _>("model").starts_with("sentiment@"));
    }
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.posts").await, 4);
    assert_eq!(
        number(&pool, "SELECT count(*) FROM overheard.posts_default").await,
        4,
        "none of these days is current"
    );
    assert_eq!(number(&pool, "SELECT sum(mentions)::bigint FROM overheard.mention_counts").await, 5);
    assert_counts_match_rows(&pool).await;

    let mut letters = topics.read("dead-letters", 4, Duration::from_secs(20));
    letters.sort_by_key(|letter| {
        (letter.header("overheard.partition").to_owned(), letter.header("overheard.offset").to_owned())
    });
    let reasons: Vec<&str> = letters.iter().map(|letter| letter.header("overheard.reason")).collect();
    assert_eq!(reasons, ["syntax", "shape", "value", "syntax"], "{letters:?}");
    for letter in &letters {
        assert!(posts.contains(&letter.payload), "the payload is untouched");
        assert_eq!(letter.header("overheard.topic"), topics.name("posts"));
        assert!(!letter.header("overheard.detail").is_empty());
        assert!(chrono::DateTime::parse_from_rfc3339(letter.header("overheard.time")).is_ok());
    }
    let (_, metrics) = daemon.get("/metrics").await;
    for line in [
        "overheard_posts_rejected_total{reason=\"syntax\"} 2",
        "overheard_posts_unnamed_total 1",
        "overheard_mentions_stored_total 5",
        "overheard_model_device{model=\"sentiment@",
    ] {
        assert!(metrics.contains(line), "no {line:?} in\n{metrics}");
    }

    // The same posts once more, as after a back-fill.
    let before = contents(&pool).await;
    topics.produce("posts", &posts).await;
    topics.until_committed("posts", 20).await;
    assert_eq!(contents(&pool).await, before);

    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_loses_nothing_and_doubles_nothing() {
    let topics = TestTopics::create(3).await;
    let database = TestDatabase::create().await;
    // Small batches, so that the stop comes between many of them.
    let setup = Setup::new(&topics, &database.url).with("PIPELINE__BATCH_POSTS", "10");
    let pool = database.pool().await;
    let total = 12_000;
    let posts: Vec<Vec<u8>> =
        (0..total).map(|n| post(n, &format!("VMware release number {n} works well for us"))).collect();
    topics.produce("posts", &posts).await;

    let mut first = setup.start("first");
    first.until_ready().await;
    while number(&pool, "SELECT count(*) FROM overheard.mentions").await < 100 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let status = first.stop().await;
    assert!(status.success(), "{status}");
    let stored = number(&pool, "SELECT count(*) FROM overheard.mentions").await;
    assert!(stored < 12_000, "the stop came too late to mean anything");
    assert_eq!(topics.committed("posts"), stored, "everything stored is committed, and nothing else");

    // Killed outright: what was stored and not committed comes again.
    let mut second = setup.start("second");
    second.until_ready().await;
    while number(&pool, "SELECT count(*) FROM overheard.mentions").await < stored + 100 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    second.kill().await;

    let mut third = setup.start("third");
    third.until_ready().await;
    topics.until_committed("posts", 12_000).await;
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.posts").await, 12_000);
    assert_eq!(number(&pool, "SELECT sum(mentions)::bigint FROM overheard.mention_counts").await, 12_000);
    assert_counts_match_rows(&pool).await;
    assert!(third.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_work_and_one_takes_over() {
    let topics = TestTopics::create(4).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url)
        .with("PIPELINE__BATCH_POSTS", "50")
        .with("KAFKA__SESSION_TIMEOUT", "21s");
    let pool = database.pool().await;
    let mut first = setup.start("first");
    first.until_ready().await;
    let mut second = setup.start("second");
    second.until_ready().await;
    second.until_log("partitions.assigned=").await;

    let posts: Vec<Vec<u8>> = (0..2000).map(|n| post(n, "VMware keeps crashing")).collect();
    let (early, late) = posts.split_at(1000);
    topics.produce("posts", early).await;
    while number(&pool, "SELECT count(*) FROM overheard.mentions").await < 300 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Leaves in good order while records are in flight: the other one goes on from its offsets.
    first.signal(Signal::SIGTERM);
    topics.produce("posts", late).await;
    assert!(first.until_ended().await.success());
    topics.until_committed("posts", 2000).await;
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.mentions").await, 2000);
    assert_counts_match_rows(&pool).await;
    assert!(second.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn real_jetstream_events_become_the_expected_rows() {
    let data = std::env::var("OVERHEARD_TEST_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data").to_owned());
    let file = Path::new(&data).join("posts/jetstream.jsonl");
    let Ok(sample) = std::fs::read(&file) else {
        eprintln!(
            "SKIPPED: no real Jetstream events at {}; OVERHEARD_TEST_DATA names their folder",
            file.display()
        );
        return;
    };
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let brands = r#"
        [[brand]]
        id = "tictac"
        name = "Tic Tac"
        words = ["Tic Tac"]
        [[brand]]
        id = "youtube"
        name = "YouTube"
        hosts = ["youtube.com"]
        [[brand]]
        id = "avatar"
        name = "Аватар"
        words = ["Аватаром"]
    "#;
    let setup = Setup::new(&topics, &database.url)
        .with_file("brands.toml", brands)
        .with("PIPELINE__KEEP_UNNAMED", "true");
    let pool = database.pool().await;
    let events: Vec<Vec<u8>> =
        sample.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
    let count = i64::try_from(events.len()).unwrap();
    topics.produce("jetstream", &events).await;

    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    topics.until_committed("jetstream", count).await;
    let kinds = sqlx::query("SELECT kind, count(*) FROM overheard.posts GROUP BY kind ORDER BY kind");
    let kinds: Vec<(String, i64)> =
        kinds.fetch_all(&pool).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(kinds, [("original".to_owned(), 9), ("reply".to_owned(), 4)]);
    let brands = sqlx::query("SELECT brand, language FROM overheard.mentions ORDER BY brand");
    let brands: Vec<(String, String)> =
        brands.fetch_all(&pool).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
    let expected = [("avatar", "ru"), ("tictac", "en"), ("youtube", "en")];
    assert_eq!(brands, expected.map(|(brand, language)| (brand.to_owned(), language.to_owned())));
    assert!(topics.read("dead-letters", 0, Duration::from_secs(2)).is_empty());
    let (_, metrics) = daemon.get("/metrics").await;
    assert!(metrics.contains("overheard_posts_ignored_total{kind=\"like\"} 45"), "{metrics}");
    // Two posts carry a picture, two a card with a preview.
    assert!(metrics.contains("overheard_pictures_seen_total"), "{metrics}");

    let before = contents(&pool).await;
    topics.produce("jetstream", &events).await;
    topics.until_committed("jetstream", 2 * count).await;
    assert_eq!(contents(&pool).await, before);
    assert!(daemon.stop().await.success());
}
