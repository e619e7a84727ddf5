//! The schema: how it comes to be, and what it says of itself.

use overheard::store::{MigrationState, Store, StoreError};
use sqlx::AssertSqlSafe;

use crate::support::database::TestDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn migrations_apply_once_though_many_processes_try() {
    let database = TestDatabase::create().await;
    let store = Store::connect_lazy(database.options()).unwrap();
    let before = store.migration_state().await.unwrap();
    assert_eq!(before.applied, 0);
    assert!(before.pending > 0);

    let tries = (0..6).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.migrate().await })
    });
    for result in tries.collect::<Vec<_>>() {
        result.await.unwrap().unwrap();
    }
    store.migrate().await.unwrap();
    let after = store.migration_state().await.unwrap();
    assert_eq!(after, MigrationState { applied: before.pending, pending: 0 });
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    sqlx::query(
        "INSERT INTO overheard.migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', true, '', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    for error in [store.migrate().await.unwrap_err(), store.migration_state().await.unwrap_err()] {
        assert!(matches!(error, StoreError::Newer { database: 9999, .. }), "{error}");
        assert!(!error.is_transient());
    }
    // A refusal leaves no lock behind.
    sqlx::query("DELETE FROM overheard.migrations WHERE version = 9999").execute(&pool).await.unwrap();
    store.migrate().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_does_not_wait_long_for_a_table_that_somebody_holds() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let mut hold = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE overheard.migrations IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *hold)
        .await
        .unwrap();
    let error = store.migrate().await.unwrap_err();
    assert!(error.is_locked() && error.is_transient(), "{error}");
    // Its session has ended with it, and what it held.
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.migrate().await }
    });
    hold.rollback().await.unwrap();
    match waiting.await.unwrap() {
        Ok(()) => {}
        Err(error) => assert!(error.is_locked(), "{error}"),
    }
    store.migrate().await.unwrap();
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_character_is_refused() {
    let latin = "ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0";
    let database = TestDatabase::create_with(latin).await;
    let store = Store::connect_lazy(database.options()).unwrap();
    for error in [store.migrate().await.unwrap_err(), store.migration_state().await.unwrap_err()] {
        assert!(matches!(error, StoreError::Encoding { .. }) && !error.is_transient(), "{error}");
        assert!(error.to_string().contains("LATIN1") && error.to_string().contains("ENCODING 'UTF8'"));
    }
}

/// The program sorts by bytes what it writes. If Postgres sorted otherwise what it locks, the two
/// could wait for each other in a circle.
#[tokio::test]
async fn text_in_keys_is_sorted_by_bytes_whatever_the_locale_of_the_database() {
    let database = TestDatabase::create().await;
    let (_store, pool) = (database.store().await, database.pool().await);
    let by_locale: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT relname || '.' || attname
         FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
         JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
         WHERE relnamespace = 'overheard'::regnamespace AND relname <> 'migrations'
           AND atttypid = 'text'::regtype AND attcollation <> (SELECT oid FROM pg_collation WHERE collname = 'C')
         ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(by_locale, Vec::<String>::new());
}

#[tokio::test]
async fn views_can_be_read_and_everything_has_a_comment() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.ensure_partitions(chrono::Utc::now()).await.unwrap();
    for view in [
        "brand_minutes",
        "brand_hours",
        "recent_mentions",
        "open_alerts",
        "alert_history",
        "brand_evidence_minutes",
        "brand_evidence_hours",
        "recent_sightings",
        "brands",
        "brand_evidence_days",
        "brand_kind_hours",
        "share_of_voice_hours",
        "net_sentiment_hours",
        "brand_author_days",
        "brand_link_hours",
        "brand_hashtag_hours",
        "brand_host_hours",
    ] {
        sqlx::query(AssertSqlSafe(format!("SELECT * FROM overheard.{view}"))).fetch_all(&pool).await.unwrap();
    }
    let silent: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         WHERE relnamespace = 'overheard'::regnamespace AND relkind IN ('r', 'p', 'v')
           AND relname <> 'migrations' AND obj_description(oid, 'pg_class') IS NULL
         UNION ALL
         SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
         WHERE relnamespace = 'overheard'::regnamespace AND relkind IN ('p', 'r', 'v') AND NOT relispartition
           AND relname <> 'migrations' AND attnum > 0 AND col_description(attrelid, attnum) IS NULL
         UNION ALL
         SELECT proname || '()' FROM pg_proc
         WHERE pronamespace = 'overheard'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(silent, Vec::<String>::new());
    assert!(store.server_version().await.unwrap().starts_with(|c: char| c.is_ascii_digit()));
}

#[tokio::test]
async fn the_documented_queries_run() {
    let database = TestDatabase::create().await;
    let (_store, pool) = (database.store().await, database.pool().await);
    let text = include_str!("../../../docs/database.md");
    let blocks: Vec<&str> =
        text.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() > 5);
    for block in blocks {
        // Each in a transaction that is undone: some make roles, which belong to the whole server.
        let mut transaction = pool.begin().await.unwrap();
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(block)).execute(&mut *transaction).await {
            panic!("{error} in {block}");
        }
        transaction.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn the_password_may_stand_apart_and_never_shows() {
    let mut options = super::unreachable();
    options.url = overheard::domain::SecretString::from("postgres://who:hunter2@127.0.0.1:1/none");
    options.password = Some(overheard::domain::SecretString::from("swordfish"));
    let store = Store::connect_lazy(options.clone()).unwrap();
    let shown = format!("{options:?} {store:?} {}", store.watch().ask().await.unwrap_err());
    assert!(shown.contains("Could not reach Postgres: ") && shown.contains("refused"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("swordfish"), "{shown}");

    options.url = overheard::domain::SecretString::from("mysql://who:hunter2@127.0.0.1:1/none");
    let error = Store::connect_lazy(options).unwrap_err();
    assert!(!error.is_transient() && !error.to_string().contains("hunter2"), "{error}");
}
