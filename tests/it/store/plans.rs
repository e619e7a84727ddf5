//! The plans of the picture queue's and the memory's queries: through indexes, never row by row.

use overheard::store::queries::{
    BACKLOG_QUERY, CONTENT_QUERY, LEASE_QUERY, LIKENESS_QUERY, LIKENESS_SETTINGS, READY_QUERY, URLS_QUERY,
};
use overheard::store::{LeaseRequest, Store};
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, AssertSqlSafe, Executor, PgPool};

use crate::support::database::TestDatabase;

/// 30,000 queued pictures of as many hosts, of which one is ready, and as many known ones.
async fn filled(database: &TestDatabase) -> (Store, PgPool) {
    let (store, pool) = (database.store().await, database.pool().await);
    sqlx::raw_sql(
        "INSERT INTO overheard.picture_queue
             (source, post_id, created_at, position, url, host, ready, due_at, received_at, version, kind, text,
              languages, links, hashtags, named)
         SELECT 'test', n::text, now(), 0, 'https://h' || n || '.example/', 'h' || n || '.example',
                n = 17000, now() + interval '1 h', now(), now(), 'original', 'what it says', '{}', '{}', '{}',
                '{}'
         FROM generate_series(1, 30000) n;
         INSERT INTO overheard.media (url_sha256, outcome, content_sha256, perceptual, bytes, width, height, model, detections)
         SELECT sha256(n::text::bytea), 'fetched', sha256((n % 100)::text::bytea),
                hashtextextended(n::text, 1), 1, 400 + n % 50, 300, 'm', '[]' FROM generate_series(1, 30000) n;
         ANALYZE overheard.picture_queue; ANALYZE overheard.media",
    )
    .execute(&pool)
    .await
    .unwrap();
    (store, pool)
}

async fn plan(pool: &PgPool, settings: &str, query: &str, arguments: PgArguments) -> String {
    let mut transaction = pool.begin().await.unwrap();
    transaction.execute(AssertSqlSafe(settings)).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN {query}"));
    let lines: Vec<String> =
        sqlx::query_scalar_with(explain, arguments).fetch_all(&mut *transaction).await.unwrap();
    lines.join("\n")
}

macro_rules! arguments {
    ($($value:expr),+) => {{
        let mut arguments = PgArguments::default();
        $(arguments.add($value).unwrap();)+
        arguments
    }};
}

#[tokio::test]
async fn no_query_of_the_queue_or_the_memory_reads_its_table_row_by_row() {
    let database = TestDatabase::create().await;
    let (_store, pool) = filled(&database).await;
    let none: (Vec<String>, Vec<i32>) = Default::default();
    let hash = vec![7_u8; 32];
    let queries = [
        ("", READY_QUERY, PgArguments::default()),
        ("", LEASE_QUERY, arguments!["", 32_i64, 8_i32, none.0, none.1, 60_f64]),
        ("", BACKLOG_QUERY, PgArguments::default()),
        ("", URLS_QUERY, arguments![vec![hash.clone()], "m", 60_f64, 60_f64]),
        ("", CONTENT_QUERY, arguments![hash, "m", 60_f64]),
        (LIKENESS_SETTINGS, LIKENESS_QUERY, arguments![7_i64, 4_i64, 400_i32, 300_i32, "m", 60_f64]),
    ];
    for (settings, query, arguments) in queries {
        let plan = plan(&pool, settings, query, arguments).await;
        for table in ["picture_queue", "media"] {
            assert!(!plan.contains(&format!("Seq Scan on {table}")), "{query}\n{plan}");
        }
    }
}

#[tokio::test]
async fn hosts_that_have_nothing_ready_are_not_stepped_over_one_by_one() {
    let database = TestDatabase::create().await;
    let (store, pool) = filled(&database).await;
    let mut transaction = pool.begin().await.unwrap();
    let none: (Vec<String>, Vec<i32>) = Default::default();
    let explain = AssertSqlSafe(format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {LEASE_QUERY}"));
    let plan: serde_json::Value =
        sqlx::query_scalar_with(explain, arguments!["", 32_i64, 8_i32, none.0, none.1, 60_f64])
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
    let pages = plan[0]["Plan"]["Shared Hit Blocks"].as_i64().unwrap();
    // Two steps, one picture.
    assert!(pages < 200, "{pages} pages were looked at\n{plan:#}");
    transaction.rollback().await.unwrap();
    let wanted = LeaseRequest { pictures: 32, per_host: 8, busy: Vec::new(), after: String::new() };
    let leased = store.lease_pictures(&wanted).await.unwrap();
    assert_eq!(leased.iter().map(|queued| queued.host.as_str()).collect::<Vec<_>>(), ["h17000.example"]);
}

#[tokio::test]
async fn the_queue_is_measured_by_one_process_for_all() {
    let database = TestDatabase::create().await;
    let (store, pool) = filled(&database).await;
    let long = std::time::Duration::from_hours(1);
    let first = store.shared_backlog(long).await.unwrap();
    assert_eq!((first.pictures, first.waiting), (30_000, 29_999));
    sqlx::query("DELETE FROM overheard.picture_queue WHERE ready").execute(&pool).await.unwrap();
    assert_eq!(store.shared_backlog(long).await.unwrap(), first, "measured an hour ago at most");
    assert_eq!(store.shared_backlog(std::time::Duration::ZERO).await.unwrap().pictures, 29_999);
    assert_eq!(store.backlog().await.unwrap().pictures, 29_999);
}
