//! The dashboard's SQL, as Grafana would send it, on a real database with rows in it.

use std::path::Path;

use chrono::{TimeDelta, Utc};
use overheard::domain::{Judgement, Language, Mention, ModelId, Post, PostKey, Score, Sentiment};
use overheard::store::StoredPost;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Column, Row};

use crate::postgres::TestDatabase;

/// A query of a panel: its title and its text.
fn queries() -> Vec<(String, String)> {
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

/// What Grafana's Postgres data source makes of its macros, for the last day.
fn expanded(sql: &str) -> String {
    let now = Utc::now();
    let from = format!("'{}'", (now - TimeDelta::hours(23)).to_rfc3339());
    let to = format!("'{}'", (now + TimeDelta::hours(1)).to_rfc3339());
    let sql =
        sql.replace("$__timeFrom()", &from).replace("$__timeTo()", &to).replace("$brand", "'vmware','acme'");
    let sql = replace_macro(&sql, "$__timeFilter(", |column| format!("{column} BETWEEN {from} AND {to}"));
    let bucket = |arguments: &str| {
        let (column, width) = arguments.split_once(',').expect("a column and a width");
        assert_eq!(width.trim(), "'15m'", "the test knows this width only");
        format!("floor(extract(epoch from {column})/900)*900")
    };
    let sql =
        replace_macro(&sql, "$__timeGroupAlias(", |arguments| format!("{} AS \"time\"", bucket(arguments)));
    replace_macro(&sql, "$__timeGroup(", bucket)
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
        .enumerate()
        .map(|(number, brand)| StoredPost {
            post: Post {
                link: Some("https://example.com".to_owned()),
                ..Post::new(
                    PostKey { source: "test".to_owned(), id: number.to_string(), created_at: now },
                    "words",
                )
            },
            received_at: now,
            mentions: vec![Mention {
                brand: brand.parse().unwrap(),
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
         INSERT INTO overheard.evidence_counts
         SELECT brand, minute, source, language, 'both', mentions, negative, neutral, positive, polarity_sum, 1
         FROM overheard.mention_counts",
    )
    .execute(&database.pool().await)
    .await
    .unwrap();

    let queries = queries();
    assert!(queries.len() > 10);
    for (title, sql) in queries {
        let rows = sqlx::query(AssertSqlSafe(expanded(&sql)))
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

/// An alert that fires now, column by column.
fn alert_row() -> Value {
    let now = Utc::now().to_rfc3339();
    serde_json::json!({
        "id": "a", "rule": "r", "kind": "volume", "brand": "vmware", "state": "firing",
        "started_at": now, "fired_at": now, "resolved_at": null, "window_seconds": 300,
        "value": 10.0, "threshold": 5.0, "mentions": 10, "negative": 1, "neutral": 2, "positive": 7, "polarity": 0.5,
        "sightings": 2, "unscored": 0,
    })
}
