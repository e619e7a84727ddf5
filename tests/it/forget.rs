//! What people take back: through the real program, from Kafka's events and from the command line.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

const DID: &str = "did:plc:k3vq7wn2xy5h4mzt6cplabcd";

fn event(did: &str, micros: u64, operation: &str, rkey: &str, text: Option<&str>) -> Vec<u8> {
    let mut commit =
        json!({"rev": "no tid", "operation": operation, "collection": "app.bsky.feed.post", "rkey": rkey});
    if let Some(text) = text {
        commit["record"] = json!({
            "$type": "app.bsky.feed.post", "createdAt": "2026-05-01T08:00:00Z", "text": text, "langs": ["en"],
            "embed": {"$type": "app.bsky.embed.images", "images": [{"alt": "", "image": {
                "$type": "blob", "ref": {"$link": "bafkreia"}, "mimeType": "image/jpeg", "size": 1}}]},
        });
    }
    json!({"did": did, "time_us": micros, "kind": "commit", "commit": commit}).to_string().into_bytes()
}

fn account(did: &str, micros: u64, active: bool, status: &Value) -> Vec<u8> {
    let account =
        json!({"active": active, "did": did, "seq": 1, "status": status, "time": "2026-05-01T08:00:00Z"});
    json!({"did": did, "time_us": micros, "kind": "account", "account": account}).to_string().into_bytes()
}

async fn texts(pool: &PgPool) -> Vec<(String, String)> {
    sqlx::query_as(
        "SELECT p.text, m.label FROM overheard.posts p
         JOIN overheard.mentions m ON (m.source, m.post_id) = (p.source, p.id) ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// The tables in which some column holds this text.
async fn tables_with(pool: &PgPool, text: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
         WHERE nspname = 'overheard' AND relkind = 'r' ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut found = Vec::new();
    for table in tables {
        let query = format!("SELECT count(*) FROM overheard.{table} t WHERE position($1 in t::text) > 0");
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(query)).bind(text).fetch_one(pool).await.unwrap();
        if rows > 0 {
            found.push(table);
        }
    }
    found
}

fn events() -> Vec<Vec<u8>> {
    let other = "did:plc:other";
    vec![
        event(DID, 1_777_622_400_000_000, "create", "1", Some("I love VMware, it is great")),
        event(DID, 1_777_622_400_000_001, "create", "2", Some("VMware is terrible, I hate it")),
        event(DID, 1_777_622_400_000_002, "create", "3", Some("VMware and its fans")),
        event(other, 1_777_622_400_000_003, "create", "4", Some("VMware is great, I love it")),
        event(other, 1_777_622_400_000_004, "create", "5", Some("VMware")),
        event(DID, 1_777_622_401_000_000, "update", "1", Some("I hate VMware now, it is terrible")),
        event(DID, 1_777_622_402_000_000, "delete", "2", None),
        event(DID, 1_777_622_403_000_000, "update", "3", Some("nobody in particular")),
        account(other, 1_777_622_404_000_000, false, &json!("deleted")),
        account(other, 1_777_622_405_000_000, true, &Value::Null),
        // Out of order.
        event(DID, 1_777_622_402_500_000, "update", "2", Some("VMware again")),
        event(other, 1_777_622_403_500_000, "create", "6", Some("VMware, late")),
    ]
}

fn left() -> [(String, String); 1] {
    [("I hate VMware now, it is terrible".to_owned(), "negative".to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_deletions_and_removed_accounts_change_rows_and_counts_also_when_all_comes_again() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url);
    let pool = database.pool().await;
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    for times in [1, 2] {
        topics.produce("jetstream", &events()).await;
        topics.until_committed("jetstream", 12 * times).await;
        assert_eq!(texts(&pool).await, left(), "{times}");
        assert_counts_match_rows(&pool).await;
    }
    assert!(tables_with(&pool, DID).await.contains(&"posts_default".to_owned()), "authors are kept");
    daemon.stop().await;

    let setup = setup.with("POSTGRES__HONOUR_DELETIONS", "false").with("KAFKA__GROUP", &topics.group());
    let mut daemon = setup.start("deaf");
    daemon.until_ready().await;
    topics.produce("jetstream", &[event(DID, 1_777_622_409_000_000, "delete", "1", None)]).await;
    topics.until_committed("jetstream", 25).await;
    assert_eq!(texts(&pool).await, left(), "settings may leave posts that their network deletes");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_authors_are_not_kept_no_column_names_an_account_and_it_can_still_be_forgotten() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    let (old, new) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
    let setup = Setup::new(&topics, &database.url).with("POSTGRES__KEEP_AUTHOR", "false");
    let refused = setup.command(&["check-config"]).output().unwrap();
    let said =
        String::from_utf8_lossy(&refused.stderr).into_owned() + &String::from_utf8_lossy(&refused.stdout);
    assert!(said.contains("postgres.author_key") && said.contains("openssl rand -hex 32"), "{said}");

    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    std::fs::write(&keys, old).unwrap();
    let setup = setup.with("POSTGRES__AUTHOR_KEY_FILE", keys.to_str().unwrap());
    let mut daemon = setup.start("before");
    daemon.until_ready().await;
    topics.produce("jetstream", &events()).await;
    topics.until_committed("jetstream", 12).await;
    assert_eq!(texts(&pool).await, left());
    assert_counts_match_rows(&pool).await;
    assert_eq!(tables_with(&pool, "did:plc:").await, [""; 0]);
    let authors: i64 =
        sqlx::query_scalar("SELECT count(*) FROM overheard.author_days").fetch_one(&pool).await.unwrap();
    assert_eq!(authors, 1, "they are counted by pseudonym");
    daemon.stop().await;

    // Another key, and the former one behind it.
    std::fs::write(&keys, format!("{new}\n{old}\n")).unwrap();
    let traces = run(&setup, &["trace", "--author", "bluesky", DID]);
    assert!(traces.contains("posts: 1 rows") && traces.contains("author_days: 1 rows"), "{traces}");
    let id = format!("at://{DID}/app.bsky.feed.post/1");
    let traces = run(&setup, &["trace", "--post", "bluesky", &id]);
    assert!(traces.contains("mentions: 1 rows"), "{traces}");
    let mut daemon = setup.start("after");
    daemon.until_ready().await;
    topics.produce("jetstream", &[event(DID, 1_777_622_409_000_000, "delete", "1", None)]).await;
    topics.until_committed("jetstream", 13).await;
    assert_eq!(texts(&pool).await, []);
    assert_eq!(tables_with(&pool, "did:plc:").await, [""; 0]);
    assert_counts_match_rows(&pool).await;
}

fn run(setup: &Setup, arguments: &[&str]) -> String {
    let output = setup.command(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_forgets_a_post_and_an_author() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url);
    let pool = database.pool().await;
    let post = |author: &str, id: &str| {
        json!({"source": "forum", "id": id, "author": author, "created_at": "2026-05-01T08:00:00Z",
               "text": "VMware #cloud https://a.example/x"})
        .to_string()
        .into_bytes()
    };
    let posts = [post("lena", "1"), post("lena", "2"), post("max", "3"), post("max", "4")];
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    topics.produce("posts", &posts).await;
    topics.until_committed("posts", 4).await;

    let said = run(&setup, &["trace", "--post", "forum", "3"]);
    assert_eq!(said, "mentions: 1 rows\npost_states: 1 rows\nposts: 1 rows\n");
    let said = run(&setup, &["forget", "--post", "forum", "3"]);
    assert_eq!(said, "1 posts removed\nNothing of it is stored\n");
    let said = run(&setup, &["forget", "--author", "forum", "lena"]);
    assert_eq!(said, "2 posts removed\nNothing of it is stored\n");
    assert_eq!(run(&setup, &["trace", "--author", "forum", "lena"]), "Nothing of it is stored\n");
    assert_eq!(tables_with(&pool, "lena").await, [""; 0]);
    assert_counts_match_rows(&pool).await;

    topics.produce("posts", &posts).await;
    topics.until_committed("posts", 8).await;
    let left: Vec<String> =
        sqlx::query_scalar("SELECT id FROM overheard.posts").fetch_all(&pool).await.unwrap();
    assert_eq!(left, ["4"], "what was forgotten stays so");
    assert_counts_match_rows(&pool).await;
}
