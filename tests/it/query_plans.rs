//! The documented queries and the dashboard's use indexes, on enough rows that there is a choice.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{TimeDelta, Utc};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use crate::dashboards::{all_brands, expanded, queries};
use crate::support::database::TestDatabase;

/// What `make bench-queries` loads; here it is less.
const LOAD: &str = include_str!("../../scripts/bench_queries.sql");

/// Tables of which a whole is read only by mistake.
const LARGE: [&str; 8] = [
    "posts_",
    "mentions_",
    "sightings_",
    "mention_counts",
    "mention_hours",
    "evidence_hours",
    "author_days",
    "topic_hours",
];

/// A table of few pages is read whole, whatever indexes it has.
const FEW_PAGES: i32 = 8;

async fn load(pool: &PgPool) {
    let script = LOAD.replace("{mentions}", "240000").replace("{days}", "60").replace("{post_days}", "4");
    for step in script.split("\n--- ").skip(1) {
        let (name, sql) = step.split_once('\n').unwrap();
        if name == "mentions, staged" {
            sqlx::raw_sql("CREATE SCHEMA bench").execute(pool).await.unwrap();
        }
        let sql = format!("BEGIN; SELECT setseed(0.5); {sql}; COMMIT");
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await {
            panic!("{name}: {error}");
        }
    }
    sqlx::raw_sql("VACUUM ANALYZE").execute(pool).await.unwrap();
}

/// Each `SELECT` of docs/database.md.
fn documented() -> Vec<(String, String)> {
    include_str!("../../docs/database.md")
        .split("```sql\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|sql| sql.starts_with("SELECT"))
        .map(|sql| ("docs/database.md".to_owned(), sql.trim().trim_end_matches(';').to_owned()))
        .collect()
}

/// Each panel for a day and for a week, for all brands and for one.
fn panels() -> Vec<(String, String)> {
    let now = Utc::now();
    let mut panels = Vec::new();
    for (title, sql) in queries() {
        for days in [1, 7] {
            for brands in [all_brands().as_str(), "'vmware'"] {
                let sql = expanded(&sql, (now - TimeDelta::days(days), now), brands);
                panels.push((format!("{title}, {days} days"), sql));
            }
        }
    }
    panels
}

/// The tables that are read whole: by the plan, and, inside functions too, by what Postgres counted.
async fn read_whole(pool: &PgPool, sql: &str) -> (String, BTreeSet<String>) {
    let mut transaction = pool.begin().await.unwrap();
    let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN {sql}")))
        .fetch_all(&mut *transaction)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{sql}"));
    let scanned = plan.iter().filter_map(|line| line.split_once("Seq Scan on "));
    let mut tables: BTreeSet<String> =
        scanned.filter_map(|(_, table)| table.split_whitespace().next()).map(str::to_owned).collect();
    // Workers count for themselves. What the session counted before may not be reported yet.
    sqlx::raw_sql("SET LOCAL max_parallel_workers_per_gather = 0").execute(&mut *transaction).await.unwrap();
    let before = whole_scans(&mut transaction).await;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await.unwrap();
    let after = whole_scans(&mut transaction).await;
    tables.extend(after.into_iter().filter(|scans| !before.contains(scans)).map(|(table, _)| table));
    (plan.join("\n"), tables)
}

/// How often the session has read each table whole.
async fn whole_scans(connection: &mut PgConnection) -> BTreeSet<(String, i64)> {
    let scans: Vec<(String, i64)> =
        sqlx::query_as("SELECT relname::text, seq_scan FROM pg_stat_xact_user_tables WHERE seq_scan > 0")
            .fetch_all(connection)
            .await
            .unwrap();
    scans.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_documented_query_and_no_panel_reads_a_large_table_whole() {
    let database = TestDatabase::create().await;
    let (_store, pool) = (database.store().await, database.pool().await);
    load(&pool).await;
    let large: BTreeSet<String> =
        sqlx::query_as("SELECT relname::text, relpages FROM pg_class WHERE relkind = 'r' AND relpages >= $1")
            .bind(FEW_PAGES)
            .fetch_all(&pool)
            .await
            .unwrap()
            .into_iter()
            .map(|(table, _): (String, i32)| table)
            .filter(|table| LARGE.iter().any(|large| table.starts_with(large)))
            .collect();
    for kind in LARGE {
        assert!(large.iter().any(|table| table.starts_with(kind)), "no {kind} is large: {large:?}");
    }

    let queries: Vec<_> = documented().into_iter().chain(panels()).collect();
    assert!(queries.len() > 80);
    let mut mistakes = String::new();
    for (title, sql) in queries {
        let (plan, tables) = read_whole(&pool, &sql).await;
        let whole: Vec<_> = tables.intersection(&large).collect();
        if !whole.is_empty() {
            write!(mistakes, "{title} reads {whole:?} whole:\n{sql}\n{plan}\n\n").unwrap();
        }
    }
    assert!(mistakes.is_empty(), "{mistakes}");

    // The check itself sees a table that is read whole, in a plan and in a function.
    let whole = "SELECT sum(mentions) FROM overheard.mention_counts";
    let function = format!(
        "CREATE FUNCTION overheard.inner_scan() RETURNS numeric LANGUAGE plpgsql AS
         'BEGIN RETURN ({whole}); END'"
    );
    sqlx::raw_sql(AssertSqlSafe(function)).execute(&pool).await.unwrap();
    for sql in [whole, "SELECT overheard.inner_scan()"] {
        let (_, tables) = read_whole(&pool, sql).await;
        assert!(tables.contains("mention_counts"), "{sql}: {tables:?}");
    }
}
