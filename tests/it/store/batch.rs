//! Batches in: each row once, counts of new rows alone.

use overheard::domain::{Judgement, ModelId};
use overheard::store::{Store, StoredPost, Written};
use sqlx::{AssertSqlSafe, PgPool};

use super::{BAD, EVEN, GOOD, post};
use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;

type Counts = (String, String, String, i64, i64, i64, i64);

async fn counts(pool: &PgPool) -> Vec<Counts> {
    sqlx::query_as(
        "SELECT brand, to_char(minute AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), language,
                mentions, negative, neutral, positive
         FROM overheard.mention_counts ORDER BY brand, minute, language",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

async fn number(pool: &PgPool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

pub(super) fn some_posts() -> Vec<StoredPost> {
    vec![
        post("a", "2026-03-01T12:00:10.123456789Z", &[("acme", BAD), ("vmware", EVEN)]),
        post("b", "2026-03-01T12:00:50Z", &[("acme", GOOD)]),
        post("c", "2026-03-01T12:01:00Z", &[]),
        post("d", "2026-03-01T12:01:59.999Z", &[("acme", BAD)]),
    ]
}

#[tokio::test]
async fn redelivery_changes_nothing() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let posts = some_posts();

    let written = store.write(&posts).await.unwrap();
    assert_eq!(written, Written { posts: 4, mentions: 4, pictures: 0, ..Written::default() });
    let first = counts(&pool).await;
    let row = |brand: &str, minute: &str, n: [i64; 4]| {
        (brand.to_owned(), format!("2026-03-01 {minute}"), "en".to_owned(), n[0], n[1], n[2], n[3])
    };
    assert_eq!(
        first,
        [
            row("acme", "12:00", [2, 1, 0, 1]),
            row("acme", "12:01", [1, 1, 0, 0]),
            row("vmware", "12:00", [1, 0, 1, 0])
        ]
    );

    // The same again, rescored by another model, in another order, with repeats and one new post.
    let mut again: Vec<_> = posts.iter().rev().chain(&posts).cloned().collect();
    again[0].mentions.clear();
    again.push(post("e", "2026-03-01T12:00:00Z", &[("vmware", GOOD)]));
    for mention in again.iter_mut().flat_map(|post| &mut post.mentions) {
        mention.judgement.score.as_mut().unwrap().model = ModelId::new("m", "2");
    }
    let written = store.write(&again).await.unwrap();
    assert_eq!(written, Written { posts: 1, mentions: 1, pictures: 0, ..Written::default() });
    let second = counts(&pool).await;
    assert_eq!(second[..2], first[..2]);
    assert_eq!(second[2], row("vmware", "12:00", [2, 0, 1, 1]));
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.mentions WHERE model = 'm@2'").await, 1);
}

#[tokio::test]
async fn a_brand_added_later_is_counted_for_posts_already_there() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&[post("a", "2026-03-01T12:00:10Z", &[("acme", BAD)])]).await.unwrap();
    let written =
        store.write(&[post("a", "2026-03-01T12:00:10Z", &[("acme", BAD), ("vmware", GOOD)])]).await.unwrap();
    assert_eq!(written, Written { posts: 0, mentions: 1, pictures: 0, ..Written::default() });
    assert_eq!(number(&pool, "SELECT sum(mentions)::bigint FROM overheard.mention_counts").await, 2);
}

#[tokio::test]
async fn a_mention_without_a_score_is_counted_apart_and_in_no_mean() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let mut posts = some_posts();
    // The post of b, and one of the two mentions of a.
    posts[0].mentions[1].judgement = Judgement { language: None, score: None };
    posts[1].mentions[0].judgement = Judgement { language: Some("fr".parse().unwrap()), score: None };
    let written = store.write(&posts).await.unwrap();
    assert_eq!(written.mentions, 4);
    assert_counts_match_rows(&pool).await;
    let viewed: Vec<(String, i64, i64, i64, Option<f64>)> = sqlx::query_as(
        "SELECT brand, mentions, negative, unscored, polarity FROM overheard.brand_hours ORDER BY brand",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let rounded: Vec<_> =
        viewed.iter().map(|v| (v.1, v.2, v.3, v.4.map(|mean| (mean * 10.0).round()))).collect();
    assert_eq!(rounded, [(3, 2, 1, Some(-7.0)), (1, 0, 1, None)]);
    let summary = store.brand_summary().await.unwrap();
    assert_eq!(
        (summary[0].counts.unscored, summary[1].counts.unscored, summary[1].counts.polarity()),
        (1, 1, None)
    );

    // A score is there as a whole or not at all.
    for column in ["label", "negative", "neutral", "positive", "polarity", "model"] {
        let statement = format!("UPDATE overheard.mentions SET {column} = NULL WHERE label IS NOT NULL");
        let error = sqlx::query(AssertSqlSafe(statement)).execute(&pool).await.unwrap_err();
        assert!(error.to_string().contains("mentions_scored_check"), "{column}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_of_overlapping_batches_count_exactly() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let all: Vec<_> = (0..400)
        .map(|n| {
            let minute = format!("2026-03-01T12:{:02}:00Z", n % 7);
            let scores = [BAD, EVEN, GOOD][n % 3];
            // Brands in an order that differs from post to post.
            let brands = if n % 2 == 0 {
                [("acme", scores), ("zeta", GOOD)]
            } else {
                [("zeta", GOOD), ("acme", scores)]
            };
            post(&format!("p{n}"), &minute, &brands)
        })
        .collect();

    let writers = (0..8).map(|writer: usize| {
        let (store, all) = (store.clone(), all.clone());
        tokio::spawn(async move {
            let mut written = Written::default();
            for step in 0..20 {
                // Windows over the posts that overlap with every other writer's, each in an order
                // of its own.
                let from = (step * 20 + writer * 7) % 360;
                let mut batch = all[from..from + 40].to_vec();
                if writer.is_multiple_of(2) {
                    batch.reverse();
                }
                batch.rotate_left(writer * 3);
                let new = store.write(&batch).await.expect("no deadlock");
                written.posts += new.posts;
                written.mentions += new.mentions;
            }
            let new = store.write(&all).await.expect("no deadlock");
            (written.posts + new.posts, written.mentions + new.mentions)
        })
    });
    let mut totals = (0, 0);
    for writer in writers.collect::<Vec<_>>() {
        let (posts, mentions) = writer.await.unwrap();
        totals = (totals.0 + posts, totals.1 + mentions);
    }
    assert_eq!(totals, (400, 800));

    let wrong = "SELECT count(*) FROM (
            SELECT brand, date_trunc('minute', created_at, 'UTC') AS minute, count(*) AS mentions,
                   count(*) FILTER (WHERE label = 'negative') AS negative, sum(polarity::float8) AS polarity
            FROM overheard.mentions GROUP BY 1, 2
        ) truth FULL JOIN overheard.mention_counts c USING (brand, minute)
        WHERE c.mentions IS DISTINCT FROM truth.mentions OR c.negative IS DISTINCT FROM truth.negative
           OR abs(c.polarity_sum - truth.polarity) > 1e-9";
    assert_eq!(number(&pool, wrong).await, 0);
    assert_eq!(number(&pool, "SELECT sum(mentions)::bigint FROM overheard.mention_counts").await, 800);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_lose_nothing_and_double_nothing() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let writer = tokio::spawn(async move {
        let mut broken = 0;
        // A fast machine may be through before a connection broke: the last batch again, which
        // changes nothing, until one has.
        for n in 0..10_000 {
            if n >= 150 && broken > 0 {
                break;
            }
            let n = n.min(149);
            let batch: Vec<_> = (0..20)
                .map(|m| post(&format!("p{}", n * 10 + m), "2026-03-01T12:00:00Z", &[("acme", BAD)]))
                .collect();
            while let Err(error) = store.write(&batch).await {
                assert!(error.is_transient(), "{error}");
                broken += 1;
            }
        }
        broken
    });
    for turn in 0.. {
        if writer.is_finished() {
            break;
        }
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'overheard'",
        )
        .execute(&pool)
        .await
        .unwrap();
        // Short pauses break connections in the middle of things; in long ones a busy machine gets on.
        let pause = if turn % 8 == 7 { 250 } else { 5 + turn * 7 % 30 };
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
    }
    assert!(writer.await.unwrap() > 0, "no connection broke");
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.posts").await, 1510);
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.mentions").await, 1510);
    assert_eq!(number(&pool, "SELECT sum(mentions)::bigint FROM overheard.mention_counts").await, 1510);
}

#[tokio::test]
async fn weird_text_comes_back_as_it_was_and_spans_with_it() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let text = "\u{1}\t\"quoted\" 'n' \\ {acme},\r\n\u{202e}آكمي 🏳️‍🌈 \u{ffff}acme$1";
    let mut weird =
        post("at://did:plc:x/app.bsky.feed.post/3k\"{,}", "2026-03-01T12:00:10Z", &[("acme", EVEN)]);
    weird.post.text = text.to_owned();
    weird.mentions[0].judgement.language = None;
    weird.post.reach = Some(u64::MAX);
    weird.mentions[0].spans = text
        .match_indices("acme")
        .map(|(start, found)| overheard::domain::Span { start, end: start + found.len() })
        .collect();
    store.write(std::slice::from_ref(&weird)).await.unwrap();

    let (back, reach): (String, i64) =
        sqlx::query_as("SELECT text, reach FROM overheard.posts").fetch_one(&pool).await.unwrap();
    assert_eq!((back.as_str(), reach), (text, i64::MAX));
    let spans: Vec<(i32, i32)> = sqlx::query_as(
        "SELECT lower(span), upper(span) FROM overheard.mentions, unnest(spans) AS span ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let words: Vec<&str> = spans
        .iter()
        .map(|&(start, end)| &back[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()])
        .collect();
    assert_eq!(words, ["acme", "acme"]);
    assert_eq!(counts(&pool).await[0].2, "und");
}

#[tokio::test]
async fn settings_keep_texts_and_authors_out() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    database.store().await;
    let mut options = database.options();
    (options.keep_text, options.keep_author) = (false, false);
    let store = Store::connect_lazy(options).unwrap();
    store.write(&some_posts()).await.unwrap();
    let kept = "SELECT count(*) FROM overheard.posts WHERE text IS NOT NULL OR author IS NOT NULL";
    assert_eq!(number(&pool, kept).await, 0);
}

#[tokio::test]
async fn an_empty_batch_needs_no_postgres() {
    let store = Store::connect_lazy(super::unreachable()).unwrap();
    let written = store.write(&[]).await.unwrap();
    assert_eq!(written, Written::default());
}

#[tokio::test]
async fn a_closed_port_is_transient_and_a_wrong_value_is_not() {
    let store = Store::connect_lazy(super::unreachable()).unwrap();
    let error = store.write(&some_posts()).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(store.watch().ask().await.unwrap_err().is_transient());

    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    let without_schema = Store::connect_lazy(database.options()).unwrap();
    let error = without_schema.write(&some_posts()).await.unwrap_err();
    assert!(error.is_transient(), "a missing schema is no post's fault: {error}");

    let store = database.store().await;
    store.watch().ask().await.unwrap();
    for (what, wrong) in [
        ("check violation", post("", "2026-03-01T12:00:00Z", &[])),
        ("NUL", post("a\0b", "2026-03-01T12:00:00Z", &[])),
        ("before Postgres's time", post("z", "-9000-03-01T12:00:00Z", &[])),
        ("too long for an index", post(&random_text(200_000), "2026-03-01T12:00:00Z", &[])),
    ] {
        let mut batch = some_posts();
        batch.push(wrong);
        let error = store.write(&batch).await.unwrap_err();
        assert!(!error.is_transient(), "{what}: {error}");
        assert_eq!(number(&pool, "SELECT count(*) FROM overheard.posts").await, 0, "{what}");
    }
}

/// A text that Postgres can't compress.
fn random_text(length: usize) -> String {
    let mut state = 1_u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap())
    };
    (0..length).map(|_| letter()).collect()
}
