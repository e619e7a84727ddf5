//! `overheard query preview`, by the real program on a real Postgres.

use std::process::Output;

use chrono::{DateTime, TimeDelta, Utc};
use overheard::domain::{Post, PostKey, PostKind};
use overheard::store::StoredPost;
use overheard::store::queries::{KEPT_QUERY, KEPT_SETTINGS};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::database::TestDatabase;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

const TEXTS: [&str; 4] =
    ["Acme is fine", "ACME, acme and their horizon", "The horizon\u{1b}[2J is wide", "Nothing of interest"];
/// More than are read at once.
const POSTS: usize = 1200;

fn first_day() -> DateTime<Utc> {
    "2020-03-01T00:00:00Z".parse().unwrap()
}

fn stored(number: usize, text: &str) -> StoredPost {
    let key = PostKey {
        source: "test".to_owned(),
        id: format!("post-{number:05}"),
        created_at: first_day() + TimeDelta::hours(i64::try_from(number % 48).unwrap()),
    };
    StoredPost { post: Post::new(key, text), received_at: first_day(), mentions: Vec::new(), kept: true }
}

/// A database with posts of two days, 600 each, and one of a day before.
async fn filled() -> (TestDatabase, PgPool) {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let mut posts: Vec<_> = (0..POSTS).map(|number| stored(number, TEXTS[number % TEXTS.len()])).collect();
    let mut before = stored(POSTS, "Acme was fine");
    before.post.key.created_at = first_day() - TimeDelta::hours(1);
    posts.push(before);
    store.write(&posts).await.unwrap();
    (database, pool)
}

fn setup(database: &TestDatabase) -> Setup {
    Setup::new(&TestTopics::names_only(1), &database.url)
}

fn preview(setup: &Setup, arguments: &[&str]) -> Output {
    let since = ["query", "preview", "--since", "2020-03-01"];
    setup.command(&[&since[..], arguments].concat()).output().unwrap()
}

fn report(setup: &Setup, arguments: &[&str]) -> Value {
    let output = preview(setup, &[&["--json"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(setup: &Setup, arguments: &[&str]) -> String {
    let output = preview(setup, arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_tried_on_stored_posts_and_compared_with_an_older_one() {
    let (database, pool) = filled().await;
    let setup = setup(&database);

    let found = report(&setup, &["--query", "acme", "--sample", "3"]);
    assert_eq!(found["posts"], POSTS);
    let days = json!([
        {"day": "2020-03-01", "posts": 600, "found": 300},
        {"day": "2020-03-02", "posts": 600, "found": 300},
    ]);
    assert_eq!(found["days"], days);
    assert_eq!(found["found"]["words"], json!([{"word": "acme", "posts": 600}]));
    let sample = found["found"]["sample"].as_array().unwrap();
    assert_eq!(sample.len(), 3);
    assert!(sample.iter().all(|post| post["text"].as_str().unwrap().to_lowercase().contains("acme")));
    assert_eq!(report(&setup, &["--query", "acme", "--sample", "3"])["found"], found["found"]);
    assert!(found.get("against").is_none());

    let edit = report(&setup, &["--query", "horizon", "--against", "acme"]);
    assert_eq!(edit["days"][0]["added"], 150);
    assert_eq!(edit["days"][1]["lost"], 150);
    let (added, lost) = (&edit["against"]["added"], &edit["against"]["lost"]);
    assert_eq!((&added["posts"], &lost["posts"]), (&json!(300), &json!(300)));
    assert_eq!(added["sample"][0]["text"], TEXTS[2]);
    assert_eq!(lost["sample"][0]["text"], TEXTS[0]);
    assert_eq!(lost["words"], json!([{"word": "acme", "posts": 300}]));

    let output = preview(&setup, &["--query", "horizon", "--against", "acme", "--sample", "2"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.starts_with("600 of 1200 stored posts from 2020-03-01 00:00 to "), "{shown}");
    assert!(shown.contains("2020-03-01       600       300       150       150\n"), "{shown}");
    assert!(shown.contains("\nLost: 300 posts\n      300  acme\n"), "{shown}");
    assert!(shown.contains(": The horizon [2J is wide\n"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");

    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM overheard.mentions").fetch_one(&pool).await.unwrap();
    assert_eq!(rows, 0, "nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brand_is_compared_with_how_it_was() {
    let (database, pool) = filled().await;
    let setup = setup(&database);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let old =
        file("old.toml", "[[brand]]\nid = \"acme\"\nname = \"Acme\"\nwords = [\"Acme\", \"horizon\"]\n");
    let edit = report(&setup, &["--brand", "acme", "--against", &old]);
    assert_eq!((&edit["found"]["posts"], &edit["against"]["lost"]["posts"]), (&json!(600), &json!(300)));
    assert_eq!(edit["against"]["added"]["posts"], 0);
    let query = file("old.txt", "acme\nAND NOT horizon\n");
    let edit = report(&setup, &["--brand", "acme", "--against", &query]);
    assert_eq!(edit["against"]["added"]["posts"], 300);

    let said = refused(&setup, &["--query", "acme", "--against", &old]);
    assert!(said.contains("--brand"), "{said}");
    let said = refused(&setup, &["--brand", "nobody"]);
    assert!(said.contains("no brand has the id nobody; there are vmware, acme"), "{said}");
    let said = refused(&setup, &["--query", "(acme AND"]);
    assert!(said.contains("--query is not a query\ncolumn "), "{said}");
    assert!(said.contains('^'), "{said}");
    drop(pool);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stored_posts_do_not_show_is_told() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let mut reply = stored(0, "See here");
    reply.post.kind = PostKind::Reply;
    reply.post.hashtags = vec!["Acme".to_owned()];
    reply.post.author = Some("ann".to_owned());
    reply.post.links = vec!["https://shop.example/acme/1".to_owned()];
    store.write(&[reply, stored(1, "Acme"), stored(2, "Acme")]).await.unwrap();
    sqlx::query(
        "UPDATE overheard.posts SET text = NULL, links = NULL, hashtags = NULL WHERE id = 'post-00002'",
    )
    .execute(&pool)
    .await
    .unwrap();

    let setup = setup(&database);
    let said = |report: &Value| report["unseen"].to_string();
    for query in [
        "#acme AND is:reply",
        "here AND author:ann",
        "site:shop.example AND link:shop.example/acme",
        "here AND NOT vmware",
    ] {
        let found = report(&setup, &["--query", query]);
        assert_eq!((&found["posts"], &found["found"]["posts"]), (&json!(2), &json!(1)), "{query}");
        assert!(said(&found).contains("1 posts were passed over"), "{}", said(&found));
        assert!(said(&found).contains("pipeline.keep_unnamed"), "{}", said(&found));
        assert!(!said(&found).contains("keep_author"), "{}", said(&found));
    }
    let found = report(&setup, &["--query", "#acme AND is:reply"]);
    assert_eq!(found["found"]["beside_text"], 1);

    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    std::fs::write(&keys, "0123456789abcdef0123456789abcdef\n").unwrap();
    let kept = setup
        .with("POSTGRES__AUTHOR_KEY_FILE", keys.to_str().unwrap())
        .with("PIPELINE__KEEP_UNNAMED", "true")
        .with("POSTGRES__KEEP_AUTHOR", "false")
        .with("POSTGRES__RETENTION_POSTS", "30d");
    let found = report(&kept, &["--query", "acme"]);
    assert!(!said(&found).contains("keep_unnamed"), "{}", said(&found));
    assert!(
        said(&found).contains("keep_author") && said(&found).contains("retention_posts"),
        "{}",
        said(&found)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_does_not_sort_all_that_is_left() {
    let (database, pool) = filled().await;
    let made = database.store().await.ensure_partitions(first_day()).await.unwrap();
    assert!(made.created > 0, "{made:?}");
    sqlx::raw_sql("ANALYZE overheard.posts").execute(&pool).await.unwrap();
    let values =
        ["'2020-03-01Z'", "'2020-03-09Z'", "'test'", "'post-00100'", "'2020-03-01Z'::timestamptz", "500"];
    let query = (1..)
        .zip(values)
        .fold(KEPT_QUERY.to_owned(), |query, (number, value)| query.replace(&format!("${number}"), value));
    let mut transaction = pool.begin().await.unwrap();
    sqlx::raw_sql(KEPT_SETTINGS).execute(&mut *transaction).await.unwrap();
    let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN (COSTS OFF) {query}")))
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("Merge Append") && plan.contains("Index Scan using posts_"), "{plan}");
    assert!(!plan.contains("->  Sort") && !plan.contains("Seq Scan"), "{plan}");
}
