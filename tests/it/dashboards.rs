//! The dashboard's SQL, as Grafana would send it, on a real database with rows in it.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use overheard::domain::{
    AuthorKey, Judgement, Language, Mention, ModelId, Post, PostKey, Score, SecretString, Sentiment,
};
use overheard::store::{Store, StoredPost};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Column, PgPool, Row};

use crate::support::database::TestDatabase;

/// A query of a panel: its title and its text.
pub fn queries() -> Vec<(String, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/grafana/dashboards/overheard.json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            if let Some(sql) = target["rawSql"].as_str() {
                queries.push((panel["title"].as_str().unwrap().to_owned(), sql.to_owned()));
            }
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap();
        queries.push((format!("variable {name}"), variable["query"].as_str().unwrap().to_owned()));
        if let Some(all) = variable["allValue"].as_str() {
            queries.push((format!("all of {name}"), all.to_owned()));
        }
    }
    queries
}

/// What stands for all brands, as the dashboard has it.
pub fn all_brands() -> String {
    queries().into_iter().find(|(title, _)| title == "all of brand").expect("the variable has it").1
}

/// What Grafana's Postgres data source makes of its macros.
pub fn expanded(sql: &str, (from, to): (DateTime<Utc>, DateTime<Utc>), brands: &str) -> String {
    let (from, to) = (format!("'{}'", from.to_rfc3339()), format!("'{}'", to.to_rfc3339()));
    let sql = sql.replace("$__timeFrom()", &from).replace("$__timeTo()", &to).replace("$brand", brands);
    replace_macro(&sql, "$__timeFilter(", |column| format!("{column} BETWEEN {from} AND {to}"))
}

fn replace_macro(sql: &str, name: &str, with: impl Fn(&str) -> String) -> String {
    let mut result = String::new();
    let mut rest = sql;
    while let Some(at) = rest.find(name) {
        let (before, after) = rest.split_at(at);
        let end = after.find(')').expect("the macro is closed");
        result.push_str(before);
        result.push_str(&with(&after[name.len()..end]));
        rest = &after[end + 1..];
    }
    result + rest
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_the_dashboard_runs_and_those_on_mentions_find_them() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let now = Utc::now();
    let posts: Vec<StoredPost> = ["vmware", "acme", "vmware"]
        .iter()
        .zip(1_u8..)
        .map(|(brand, number)| StoredPost {
            post: Post {
                author_key: Some(AuthorKey([number; 16])),
                link: Some("https://example.com".to_owned()),
                links: vec!["https://www.example.com/news".to_owned()],
                hashtags: vec!["tag".to_owned()],
                ..Post::new(
                    PostKey { source: "test".to_owned(), id: number.to_string(), created_at: now },
                    "words",
                )
            },
            received_at: now,
            mentions: vec![Mention {
                brand: brand.parse().unwrap(),
                query: overheard::domain::QueryVersion::of(brand),
                spans: Vec::new(),
                judgement: Judgement {
                    language: Some(Language::ENGLISH),
                    score: Some(Score {
                        sentiment: Sentiment::new([0.7, 0.2, 0.1]).unwrap(),
                        model: ModelId::new("sentiment", "test"),
                    }),
                },
            }],
            kept: true,
        })
        .collect();
    store.write(&posts).await.unwrap();
    sqlx::query(
        "INSERT INTO overheard.alerts
         SELECT (jsonb_populate_record(NULL::overheard.alerts, $1)).*",
    )
    .bind(alert_row())
    .execute(&database.pool().await)
    .await
    .unwrap();

    sqlx::raw_sql(
        "INSERT INTO overheard.sightings
             (source, post_id, created_at, position, brand, number, url, picture_width, picture_height,
              x, y, width, height, score, share, distance, sharpness, model, received_at)
         SELECT source, post_id, created_at, 0, brand, 0, 'https://example.com/a.png', 640, 480,
                1, 2, 30, 10, 0.9, 0.01, 0.5, 100, 'detector@1', received_at FROM overheard.mentions;
         UPDATE overheard.mentions SET evidence = 'both';
         UPDATE overheard.mention_counts SET evidence = 'both', sightings = mentions;
         UPDATE overheard.mention_hours SET evidence = 'both', sightings = mentions;
         UPDATE overheard.evidence_hours SET evidence = 'both', sightings = mentions;
         UPDATE overheard.evidence_days SET evidence = 'both', sightings = mentions",
    )
    .execute(&database.pool().await)
    .await
    .unwrap();

    let queries = queries();
    assert!(queries.len() > 10);
    let shown = (now - TimeDelta::hours(23), now + TimeDelta::hours(1));
    for (title, sql) in queries {
        let rows = sqlx::query(AssertSqlSafe(expanded(&sql, shown, "'vmware','acme'")))
            .fetch_all(&database.pool().await)
            .await
            .unwrap_or_else(|error| panic!("{title}: {error}\n{sql}"));
        assert!(!rows.is_empty(), "{title} finds nothing\n{sql}");
        if title == "Mentions" {
            assert_eq!(rows[0].get::<i64, _>(0), 3);
        }
        let mut names: Vec<&str> = rows[0].columns().iter().map(Column::name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rows[0].columns().len(), "{title}: two columns of one name");
    }
}

/// A script of the compose file's Postgres, without what only psql understands.
fn script(name: &str, password: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/postgres").join(name);
    let text = std::fs::read_to_string(file).unwrap();
    let sql: Vec<&str> = text.lines().filter(|line| !line.starts_with('\\')).collect();
    sql.join("\n").replace(&format!(":'{password}'"), "'secret'")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_composed_daemon_is_no_superuser_and_dashboards_read_its_views_and_no_table() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&pool).await.unwrap();
    // Roles belong to the whole server.
    let (daemon, grafana) = (format!("{name}_daemon"), format!("{name}_grafana"));
    let first = script("10-overheard.sql", "overheard_password")
        .replace("ROLE overheard", &format!("ROLE {daemon}"))
        .replace("DATABASE overheard OWNER TO overheard", &format!("DATABASE {name} OWNER TO {daemon}"));
    let second = script("20-grafana.sql", "grafana_password").replace("grafana", &grafana);
    sqlx::raw_sql(AssertSqlSafe(first + &second)).execute(&pool).await.unwrap();

    let url_of = |role: &str| {
        let mut url = url::Url::parse(&database.url).unwrap();
        url.set_username(role).unwrap();
        url.set_password(Some("secret")).unwrap();
        String::from(url)
    };
    let mut options = database.options();
    options.url = SecretString::from(url_of(&daemon));
    let store = Store::connect_lazy(options).unwrap();
    store.migrate().await.unwrap();
    store.ensure_partitions(Utc::now()).await.unwrap();
    let is_superuser: bool = sqlx::query_scalar("SELECT rolsuper FROM pg_roles WHERE rolname = $1")
        .bind(&daemon)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(!is_superuser);

    let dashboards = PgPool::connect(&url_of(&grafana)).await.unwrap();
    let shown = (Utc::now() - TimeDelta::hours(23), Utc::now());
    for (title, sql) in queries() {
        let result =
            sqlx::query(AssertSqlSafe(expanded(&sql, shown, "'vmware'"))).fetch_all(&dashboards).await;
        result.unwrap_or_else(|error| panic!("{title}: {error}"));
    }
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         WHERE relnamespace = 'overheard'::regnamespace AND relkind IN ('r', 'p')",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(tables.len() > 10);
    for table in tables {
        let read = sqlx::query(AssertSqlSafe(format!("SELECT FROM overheard.{table} LIMIT 1")));
        let error = read.fetch_all(&dashboards).await.expect_err(&table);
        assert!(error.to_string().contains("permission denied"), "{table}: {error}");
    }
    dashboards.close().await;
    store.close().await;
    let drop_roles = format!(
        "DROP EVENT TRIGGER grant_views_to_{grafana}; DROP OWNED BY {daemon}, {grafana} CASCADE;
         ALTER DATABASE {name} OWNER TO CURRENT_USER; DROP ROLE {daemon}, {grafana}"
    );
    sqlx::raw_sql(AssertSqlSafe(drop_roles)).execute(&pool).await.unwrap();
}

/// An alert that fires now, column by column.
fn alert_row() -> Value {
    let now = Utc::now().to_rfc3339();
    serde_json::json!({
        "id": "a", "rule": "r", "kind": "volume", "brand": "vmware", "state": "firing",
        "started_at": now, "fired_at": now, "resolved_at": null, "window_seconds": 300,
        "value": 10.0, "threshold": 5.0, "mentions": 10, "negative": 1, "neutral": 2, "positive": 7,
        "unscored": 0, "polarity_sum": 5.0, "sightings": 2, "late": false,
    })
}
