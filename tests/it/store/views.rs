//! Views and functions say what one would count by hand.

use chrono::NaiveDate;
use overheard::domain::{AuthorKey, PostKind};
use sqlx::PgPool;

use super::{BAD, GOOD, post};
use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;

/// Days of minutes around changes of the clocks in New York and the Azores, in all roll-ups.
const MINUTES: &str = "
    INSERT INTO overheard.mention_counts
    SELECT brand, minute, 'bluesky', 'en', 'original', evidence, many + 1, many, 0, 1, 0, 0.5 - 0.25 * many, 0
    FROM generate_series('2025-10-25T00:00:00Z', '2025-11-04T23:59:00Z', interval '7 minutes') AS minute,
         unnest(ARRAY['acme', 'globex']) AS brand, unnest(ARRAY['text', 'both']) AS evidence,
         LATERAL (SELECT (extract(epoch FROM minute) / 60)::bigint % 5 + length(brand) AS many) numbers;
    INSERT INTO overheard.mention_hours
    SELECT brand, date_trunc('hour', minute, 'UTC'), source, language, kind, evidence, sum(mentions),
           sum(negative), sum(neutral), sum(positive), sum(unscored), sum(polarity_sum), sum(sightings)
    FROM overheard.mention_counts GROUP BY 1, 2, 3, 4, 5, 6;
    INSERT INTO overheard.evidence_hours
    SELECT brand, hour, evidence, sum(mentions), sum(negative), sum(neutral), sum(positive), sum(unscored),
           sum(polarity_sum), sum(sightings)
    FROM overheard.mention_hours GROUP BY 1, 2, 3;
    INSERT INTO overheard.evidence_days
    SELECT brand, date_trunc('day', hour, 'UTC'), evidence, sum(mentions), sum(negative), sum(neutral),
           sum(positive), sum(unscored), sum(polarity_sum), sum(sightings)
    FROM overheard.evidence_hours GROUP BY 1, 2, 3";

async fn with_minutes() -> (TestDatabase, PgPool) {
    let database = TestDatabase::create().await;
    let (_store, pool) = (database.store().await, database.pool().await);
    sqlx::raw_sql(MINUTES).execute(&pool).await.unwrap();
    (database, pool)
}

type Totals = (String, i64, i64, i64, f64);

fn assert_alike(found: &[Totals], expected: &[Totals], what: &str) {
    assert!(!expected.is_empty(), "{what}");
    assert_eq!(found.len(), expected.len(), "{what}: {found:?}\n{expected:?}");
    for (found, expected) in found.iter().zip(expected) {
        let exact = |totals: &Totals| (totals.0.clone(), totals.1, totals.2, totals.3);
        assert_eq!(exact(found), exact(expected), "{what}");
        assert!((found.4 - expected.4).abs() < 1e-9, "{what}: {found:?} {expected:?}");
    }
}

#[tokio::test]
async fn a_range_counts_the_minutes_that_begin_in_it() {
    let (_database, pool) = with_minutes().await;
    for (since, until) in [
        ("2025-10-26T00:00:00Z", "2025-10-27T00:00:00Z"),
        ("2025-10-26T10:17:30Z", "2025-10-29T22:41:09Z"),
        ("2025-10-26T10:17:00Z", "2025-10-26T10:58:00Z"),
        ("2025-10-26T10:50:00Z", "2025-10-26T11:05:00Z"),
        ("2025-10-26T10:30:00Z", "2025-10-26T11:00:00Z"),
        ("2025-10-26T11:00:00Z", "2025-10-26T12:30:00Z"),
        ("2025-10-26T23:30:00Z", "2025-10-27T00:30:00Z"),
        ("2025-10-26T22:00:00Z", "2025-10-28T02:00:00Z"),
        ("2025-10-01T00:00:00Z", "2025-12-01T00:00:00Z"),
    ] {
        let found: Vec<Totals> = sqlx::query_as(
            "SELECT brand, mentions, negative, positive, polarity
             FROM overheard.mentions_between(ARRAY['acme', 'globex', 'nobody'], $1::timestamptz, $2::timestamptz)
             ORDER BY brand",
        )
        .bind(super::at(since))
        .bind(super::at(until))
        .fetch_all(&pool)
        .await
        .unwrap();
        let expected: Vec<Totals> = sqlx::query_as(
            "SELECT brand, sum(mentions)::bigint, sum(negative)::bigint, sum(positive)::bigint,
                    sum(polarity_sum) / sum(mentions)::float8
             FROM overheard.mention_counts WHERE minute >= $1 AND minute < $2 GROUP BY brand ORDER BY brand",
        )
        .bind(super::at(since))
        .bind(super::at(until))
        .fetch_all(&pool)
        .await
        .unwrap();
        assert_alike(&found, &expected, since);
    }
    let nothing: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM overheard.mentions_between(ARRAY['acme'], '2025-10-27Z', '2025-10-26Z')",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(nothing, 0, "a range that ends before it begins is empty");
}

#[tokio::test]
async fn a_period_is_held_against_the_equally_long_one_before_it() {
    let (_database, pool) = with_minutes().await;
    let found: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT brand, mentions, mentions_before
         FROM overheard.compare_periods(ARRAY['acme'], '2025-10-25T12:00Z', '2025-10-26T12:00Z')",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let count = "SELECT sum(mentions)::bigint FROM overheard.mention_counts WHERE brand = 'acme' AND minute ";
    let mut expected = Vec::new();
    for range in [">= '2025-10-25T12:00Z' AND minute < '2025-10-26T12:00Z'", "< '2025-10-25T12:00Z'"] {
        let sql = sqlx::AssertSqlSafe(format!("{count}{range}"));
        expected.push(sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool).await.unwrap());
    }
    assert_eq!(found, [("acme".to_owned(), expected[0], expected[1])]);
    let only_before: Vec<(i64, i64, Option<f64>)> = sqlx::query_as(
        "SELECT mentions, mentions_before, polarity
         FROM overheard.compare_periods(ARRAY['acme'], '2025-11-05Z', '2025-11-06Z')",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(
        matches!(only_before[..], [(0, 1.., None)]),
        "a brand that fell silent is there: {only_before:?}"
    );
}

#[tokio::test]
async fn days_begin_and_end_where_the_time_zone_says() {
    let (_database, pool) = with_minutes().await;
    for zone in [
        "UTC",
        "America/New_York",
        "Atlantic/Azores",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Pacific/Chatham",
        "Australia/Lord_Howe",
    ] {
        let found: Vec<(NaiveDate, i64, i64)> = sqlx::query_as(
            "SELECT day, mentions, negative
             FROM overheard.brand_local_days(ARRAY['acme'], $1, '2025-10-26', '2025-11-03') ORDER BY day",
        )
        .bind(zone)
        .fetch_all(&pool)
        .await
        .unwrap();
        let expected: Vec<(NaiveDate, i64, i64)> = sqlx::query_as(
            "SELECT (minute AT TIME ZONE $1)::date AS day, sum(mentions)::bigint, sum(negative)::bigint
             FROM overheard.mention_counts WHERE brand = 'acme'
             GROUP BY 1 HAVING (min(minute) AT TIME ZONE $1)::date BETWEEN '2025-10-26' AND '2025-11-03'
             ORDER BY 1",
        )
        .bind(zone)
        .fetch_all(&pool)
        .await
        .unwrap();
        assert_eq!(expected.len(), 9);
        assert_eq!(found, expected, "{zone}");
    }
    let unknown = sqlx::query(
        "SELECT * FROM overheard.brand_local_days(ARRAY['acme'], 'Mars', '2025-10-26', '2025-10-27')",
    )
    .fetch_all(&pool)
    .await
    .unwrap_err();
    assert!(unknown.to_string().contains("time zone \"Mars\" not recognized"), "{unknown}");
}

#[tokio::test]
async fn a_series_adds_up_to_the_same_from_minutes_hours_and_days() {
    let (_database, pool) = with_minutes().await;
    for (since, until, points, width) in [
        ("2025-10-25T00:00:00Z", "2025-10-25T12:00:00Z", 400, "00:02:00"),
        ("2025-10-25T00:00:00Z", "2025-10-30T00:00:00Z", 400, "01:00:00"),
        ("2025-10-25T00:00:00Z", "2025-10-30T00:00:00Z", 40, "03:00:00"),
        ("2025-09-01T00:00:00Z", "2025-11-04T00:00:00Z", 400, "1 day"),
    ] {
        let (mentions, polarity, found): (i64, f64, String) = sqlx::query_as(
            "SELECT sum(mentions)::bigint, sum(polarity * mentions), max(width)::text
             FROM overheard.brand_series(ARRAY['acme'], $1, $2, $3)",
        )
        .bind(super::at(since))
        .bind(super::at(until))
        .bind(points)
        .fetch_one(&pool)
        .await
        .unwrap();
        let (expected, sum): (i64, f64) = sqlx::query_as(
            "SELECT sum(mentions)::bigint, sum(polarity_sum) FROM overheard.mention_counts
             WHERE brand = 'acme' AND minute >= $1 AND minute < $2",
        )
        .bind(super::at(since))
        .bind(super::at(until))
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!((mentions, found.as_str()), (expected, width));
        assert!((polarity - sum).abs() < 1e-6, "{polarity} {sum}");
    }
}

#[tokio::test]
async fn brands_shares_net_sentiment_authors_and_topics_follow_from_posts() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let mut posts = vec![
        post("a", "2026-03-01T12:00:00Z", &[("acme", GOOD)]),
        post("b", "2026-03-01T12:10:00Z", &[("acme", GOOD)]),
        post("c", "2026-03-01T12:59:00Z", &[("acme", BAD), ("globex", BAD)]),
    ];
    for (post, author) in posts.iter_mut().zip([1, 2, 1]) {
        post.post.author_key = Some(AuthorKey([author; 16]));
    }
    posts[1].post.kind = PostKind::Repost;
    posts[2].post.links = vec!["https://www.example.org/a".to_owned()];
    posts[2].post.hashtags = vec!["news".to_owned()];
    store.write(&posts).await.unwrap();
    assert_counts_match_rows(&pool).await;
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT 'brand ' || brand FROM overheard.brands
         UNION ALL SELECT format('share %s %s %s', brand, all_mentions, share) FROM overheard.share_of_voice_hours
         UNION ALL SELECT format('net %s %s %s', brand, scored, round(net_sentiment::numeric, 2))
                   FROM overheard.net_sentiment_hours
         UNION ALL SELECT format('kind %s %s %s', brand, kind, mentions) FROM overheard.brand_kind_hours
         UNION ALL SELECT format('authors %s %s %s', brand, day, authors) FROM overheard.brand_author_days
         UNION ALL SELECT format('link %s %s %s', brand, link, mentions) FROM overheard.brand_link_hours
         UNION ALL SELECT format('hashtag %s %s', brand, hashtag) FROM overheard.brand_hashtag_hours
         UNION ALL SELECT format('host %s %s', brand, host) FROM overheard.brand_host_hours
         ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(
        rows,
        [
            "authors acme 2026-03-01 2",
            "authors globex 2026-03-01 1",
            "brand acme",
            "brand globex",
            "hashtag acme news",
            "hashtag globex news",
            "host acme example.org",
            "host globex example.org",
            "kind acme original 2",
            "kind acme repost 1",
            "kind globex original 1",
            "link acme https://www.example.org/a 1",
            "link globex https://www.example.org/a 1",
            "net acme 3 0.33",
            "net globex 1 -1.00",
            "share acme 4 0.75",
            "share globex 4 0.25",
        ]
    );
}
