//! Day partitions, the default partition, and what is thrown away when.

use std::time::Duration;

use overheard::store::{PartitionsCreated, Store};
use sqlx::PgPool;

use super::{BAD, GOOD, at, post};
use crate::support::database::TestDatabase;

/// Which partition each post is in.
async fn places(pool: &PgPool, table: &'static str) -> Vec<(String, String)> {
    let query = match table {
        "posts" => {
            "SELECT id, (SELECT relname::text FROM pg_class c WHERE c.oid = posts.tableoid) FROM overheard.posts ORDER BY id"
        }
        _ => {
            "SELECT post_id, (SELECT relname::text FROM pg_class c WHERE c.oid = mentions.tableoid) FROM overheard.mentions ORDER BY post_id"
        }
    };
    sqlx::query_as(query).fetch_all(pool).await.unwrap()
}

fn placed(id: &str, partition: &str) -> (String, String) {
    (id.to_owned(), partition.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_times_land_in_the_default_partition_until_their_day_comes() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let now = at("2026-03-01T23:59:00Z");
    assert_eq!(store.ensure_partitions(now).await.unwrap(), PartitionsCreated { created: 12, rows_moved: 0 });
    assert_eq!(store.ensure_partitions(now).await.unwrap(), PartitionsCreated::default());

    let batch = [
        post("1970", "1970-01-01T00:00:00Z", &[("acme", BAD)]),
        post("9999", "9999-12-31T23:59:59Z", &[("acme", BAD)]),
        post("ahead", "2026-03-04T00:00:00Z", &[("acme", GOOD)]),
        post("today", "2026-03-01T12:00:00Z", &[("acme", GOOD)]),
    ];
    store.write(&batch).await.unwrap();
    assert_eq!(
        places(&pool, "posts").await,
        [
            placed("1970", "posts_default"),
            placed("9999", "posts_default"),
            placed("ahead", "posts_default"),
            placed("today", "posts_20260301")
        ]
    );

    // A day later, with several processes at it and writers at work.
    let tomorrow = at("2026-03-02T00:01:00Z");
    let makers = (0..4).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.ensure_partitions(tomorrow).await.unwrap() })
    });
    let writers = (0..4).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..20 {
                let batch = [
                    post(&format!("w{writer}-{n}"), "2026-03-04T10:00:00Z", &[("acme", GOOD)]),
                    post(&format!("x{writer}-{n}"), "2001-03-04T10:00:00Z", &[("acme", GOOD)]),
                ];
                // As the pipeline does.
                while let Err(error) = store.write(&batch).await {
                    assert!(error.is_transient(), "{error}");
                }
            }
        })
    });
    let (makers, writers): (Vec<_>, Vec<_>) = (makers.collect(), writers.collect());
    let mut created = 0;
    for maker in makers {
        created += maker.await.unwrap().created;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(created, 3);
    for table in ["posts", "mentions"] {
        let found = places(&pool, table).await;
        assert!(found.contains(&placed("ahead", &format!("{table}_20260304"))), "{found:?}");
        assert!(found.contains(&placed("9999", &format!("{table}_default"))), "{found:?}");
        let of_that_day = found.iter().filter(|(id, _)| id.starts_with('w'));
        let ahead = format!("{table}_20260304");
        assert_eq!(of_that_day.filter(|(_, partition)| *partition == ahead).count(), 80, "{found:?}");
    }

    // A post that moved is still known.
    let written = store.write(&batch).await.unwrap();
    assert_eq!((written.posts, written.mentions), (0, 0));
}

#[tokio::test]
async fn retention_drops_days_and_deletes_odd_posts_by_when_they_came() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    database.store().await;
    let mut options = database.options();
    options.retention_posts = Some(Duration::from_hours(48));
    options.retention_counts = Some(Duration::from_hours(24));
    let store = Store::connect_lazy(options).unwrap();
    store.ensure_partitions(at("2026-03-01T12:00:00Z")).await.unwrap();
    let mut later = post("late", "9999-01-01T00:00:00Z", &[("acme", BAD)]);
    later.received_at = at("2026-03-03T13:00:00Z");
    store
        .write(&[
            post("day", "2026-02-28T12:00:00Z", &[("acme", BAD)]),
            post("next-day", "2026-03-02T00:00:00Z", &[("acme", BAD)]),
            post("odd", "1970-01-01T00:00:00Z", &[("acme", BAD)]),
            later,
        ])
        .await
        .unwrap();

    // Two days after the 28th ended, to the second.
    let removed = store.apply_retention(at("2026-03-02T23:59:59Z")).await.unwrap();
    assert_eq!((removed.partitions, removed.default_rows), (0, 0));
    let removed = store.apply_retention(at("2026-03-03T12:00:31Z")).await.unwrap();
    assert_eq!((removed.partitions, removed.default_rows), (3, 2));
    let left = [placed("late", "posts_default"), placed("next-day", "posts_20260302")];
    assert_eq!(places(&pool, "posts").await, left);
    let minutes: Vec<String> =
        sqlx::query_scalar("SELECT to_char(minute AT TIME ZONE 'UTC', 'YYYY') FROM overheard.mention_counts")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(minutes, ["9999"]);
}
