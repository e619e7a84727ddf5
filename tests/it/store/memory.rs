//! The memory of pictures: by address, by content, by likeness, of one model, and for a while.

use std::time::Duration;

use overheard::domain::{PixelBox, Prominence};
use overheard::store::{Detection, FinishedPicture, Likeness, MediaOutcome, Seen, Store, StoredPost, Wanted};

use super::pictures::{MODEL, seen};
use super::{at, post};
use crate::postgres::TestDatabase;

/// Lists one picture at each address, and finishes each with its outcome.
async fn look(store: &Store, ends: &[(&str, MediaOutcome)]) {
    for (n, (url, outcome)) in ends.iter().enumerate() {
        let mut listed: StoredPost = post(&format!("look{n}"), "2026-03-01T12:00:00Z", &[]);
        listed.post.pictures = vec![(*url).to_owned()];
        store.write(&[listed]).await.unwrap();
        let wanted = Wanted { pictures: 1, per_host: 1, busy: Vec::new(), after: String::new() };
        let work = store.lease_pictures(&wanted).await.unwrap().remove(0);
        let picture = FinishedPicture {
            work,
            outcome: outcome.clone(),
            is_news: true,
            sightings: Vec::new(),
            judgement: None,
        };
        store.finish_pictures(&[picture]).await.unwrap();
    }
}

fn like(perceptual: i64) -> Likeness {
    Likeness { perceptual, within: 4, width: 320, height: 240 }
}

#[tokio::test]
async fn a_picture_is_known_by_address_content_and_likeness_but_to_its_model_alone() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let known = Seen {
        perceptual: Some(-0x0123_4567_89ab_cdef),
        detections: vec![Detection {
            class: "acme".to_owned(),
            score: 0.75,
            bounds: PixelBox { x: 64.0, y: 48.0, width: 128.0, height: 24.0 },
            prominence: Prominence { share: 0.01, distance: 0.5, sharpness: 99.5 },
        }],
        ..seen(3)
    };
    let long = format!("https://a.example/{}", "x".repeat(7000));
    look(
        &store,
        &[
            (&long, MediaOutcome::Fetched(known.clone())),
            ("https://a.example/other", MediaOutcome::Fetched(seen(4))),
        ],
    )
    .await;

    let by_url = store.remembered_urls(&[&long, "https://a.example/new"], MODEL).await.unwrap();
    assert_eq!(by_url.len(), 1);
    assert_eq!(by_url[&long], MediaOutcome::Fetched(known.clone()));
    assert_eq!(store.remembered_content(&[3; 32], MODEL).await.unwrap(), Some(known.clone()));
    assert_eq!(store.remembered_content(&[5; 32], MODEL).await.unwrap(), None);

    let hash = known.perceptual.unwrap();
    for bits in [
        0,
        1,
        1 << 63,
        1 << 12 | 1 << 13,
        1 | 1 << 20 | 1 << 30 | 1 << 40,
        1 << 20 | 1 << 30 | 1 << 40 | i64::MIN,
    ] {
        let found = store.remembered_likeness(like(hash ^ bits), MODEL).await.unwrap();
        assert_eq!(found, Some(known.clone()), "{bits:x}");
    }
    for bits in [0b1_1111, 1 | 1 << 20 | 1 << 30 | 1 << 40 | i64::MIN] {
        assert_eq!(store.remembered_likeness(like(hash ^ bits), MODEL).await.unwrap(), None, "{bits:x}");
    }
    let other_shape = Likeness { width: 240, height: 320, ..like(hash) };
    assert_eq!(store.remembered_likeness(other_shape, MODEL).await.unwrap(), None);

    // Another version of the model looks anew, and then knows it.
    assert!(store.remembered_urls(&[&long], "detector@2").await.unwrap().is_empty());
    assert_eq!(store.remembered_content(&[3; 32], "detector@2").await.unwrap(), None);
    assert_eq!(store.remembered_likeness(like(hash), "detector@2").await.unwrap(), None);
    let anew = Seen { model: "detector@2".to_owned(), ..known.clone() };
    look(&store, &[(&long, MediaOutcome::Fetched(anew.clone()))]).await;
    assert_eq!(store.remembered_content(&[3; 32], "detector@2").await.unwrap(), Some(anew));

    // Boxes are brought to the size of the picture at hand.
    let halved = known.at_size(320, 240);
    assert_eq!(halved[0].bounds, PixelBox { x: 32.0, y: 24.0, width: 64.0, height: 12.0 });
}

#[tokio::test]
async fn likeness_is_found_through_an_index() {
    let database = TestDatabase::create().await;
    let (_store, pool) = (database.store().await, database.pool().await);
    sqlx::raw_sql(
        "INSERT INTO overheard.media (url_sha256, url, outcome, content_sha256, perceptual, bytes, width, height, model, detections)
         SELECT sha256(n::text::bytea), n::text, 'fetched', sha256(n::text::bytea),
                hashtextextended(n::text, 1), 1, 10, 10, 'm', '[]' FROM generate_series(1, 20000) n;
         ANALYZE overheard.media",
    )
    .execute(&pool)
    .await
    .unwrap();
    // So few rows are read through faster than an index; a memory of millions is not.
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("SET LOCAL enable_seqscan = off").execute(&mut *transaction).await.unwrap();
    let plan: Vec<String> = sqlx::query_scalar(
        "EXPLAIN SELECT url FROM overheard.media WHERE perceptual IS NOT NULL
           AND ARRAY[perceptual & 8191, (perceptual >> 13 & 8191) + 8192, (perceptual >> 26 & 8191) + 16384,
                     (perceptual >> 39 & 8191) + 24576, (perceptual >> 52 & 4095) + 32768]
            && ARRAY[7::bigint & 8191, (7::bigint >> 13 & 8191) + 8192, (7::bigint >> 26 & 8191) + 16384,
                     (7::bigint >> 39 & 8191) + 24576, (7::bigint >> 52 & 4095) + 32768]
           AND bit_count((perceptual # 7::bigint)::bit(64)) <= 4",
    )
    .fetch_all(&mut *transaction)
    .await
    .unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("media_perceptual_parts") && !plan.contains("Seq Scan"), "{plan}");
}

#[tokio::test]
async fn trouble_is_forgotten_after_a_day_and_everything_in_time() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let (good, bad) = ("https://a.example/good", "https://a.example/bad");
    look(&store, &[(good, MediaOutcome::Fetched(seen(1))), (bad, MediaOutcome::Failed("away".to_owned()))])
        .await;
    let age = async |hours: i32| {
        sqlx::query("UPDATE overheard.media SET looked_at = looked_at - make_interval(hours => $1)")
            .bind(hours)
            .execute(&pool)
            .await
            .unwrap();
    };
    assert_eq!(store.remembered_urls(&[good, bad], MODEL).await.unwrap().len(), 2);
    age(25).await;
    let known = store.remembered_urls(&[good, bad], MODEL).await.unwrap();
    assert_eq!(known.keys().collect::<Vec<_>>(), [good]);
    assert_eq!(store.forget_pictures(chrono::Utc::now()).await.unwrap(), 0);
    age(24 * 30).await;
    assert!(store.remembered_urls(&[good, bad], MODEL).await.unwrap().is_empty());
    assert_eq!(store.remembered_content(&[1; 32], MODEL).await.unwrap(), None);
    assert_eq!(store.forget_pictures(chrono::Utc::now()).await.unwrap(), 2);
}

#[tokio::test]
async fn retention_takes_sightings_and_pictures_still_listed_with_their_posts() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    database.store().await;
    let mut options = database.options();
    options.retention_posts = Some(Duration::from_hours(48));
    options.retention_counts = Some(Duration::from_hours(48));
    let store = Store::connect_lazy(options).unwrap();
    store.ensure_partitions(at("2026-03-01T12:00:00Z")).await.unwrap();
    let mut listed = post("p", "2026-03-01T12:00:00Z", &[]);
    listed.post.pictures = vec!["https://a.example/1".to_owned(), "https://a.example/2".to_owned()];
    store.write(&[listed]).await.unwrap();
    let wanted = Wanted { pictures: 1, per_host: 1, busy: Vec::new(), after: String::new() };
    let work = store.lease_pictures(&wanted).await.unwrap().remove(0);
    let sighting = overheard::domain::Sighting {
        brand: "acme".parse().unwrap(),
        bounds: PixelBox { x: 0.0, y: 0.0, width: 1.0, height: 1.0 },
        score: 1.0,
        prominence: Prominence { share: 1.0, distance: 0.0, sharpness: 0.0 },
    };
    let picture = FinishedPicture {
        work,
        outcome: MediaOutcome::Fetched(seen(1)),
        is_news: true,
        sightings: vec![sighting],
        judgement: Some(super::judgement(super::GOOD, "m@1")),
    };
    store.finish_pictures(&[picture]).await.unwrap();
    let rows = "SELECT (SELECT count(*) FROM overheard.sightings_20260301) + (SELECT count(*) FROM overheard.picture_work)
                     + (SELECT count(*) FROM overheard.evidence_counts)";
    assert_eq!(sqlx::query_scalar::<_, i64>(rows).fetch_one(&pool).await.unwrap(), 3);
    let removed = store.apply_retention(at("2026-03-05T00:00:00Z")).await.unwrap();
    assert_eq!((removed.partitions, removed.pictures, removed.counts), (9, 1, 2));
    let left =
        "SELECT (SELECT count(*) FROM overheard.sightings) + (SELECT count(*) FROM overheard.picture_work)";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&pool).await.unwrap(), 0);
}
