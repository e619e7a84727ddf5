//! The memory of pictures: by address, by content, by likeness, of one model, and for a while.

use std::time::Duration;

use overheard::domain::{Detection, ExaminedPicture, PictureOutcome};
use overheard::domain::{PixelBox, Prominence};
use overheard::store::{FinishedPicture, LeaseRequest, Likeness, Store, StoredPost};

use super::pictures::{MODEL, seen};
use super::{at, post};
use crate::support::database::TestDatabase;

/// Lists one picture at each address, and finishes each with its outcome.
async fn look(store: &Store, ends: &[(&str, PictureOutcome)]) {
    for (n, (url, outcome)) in ends.iter().enumerate() {
        let mut listed: StoredPost = post(&format!("look{n}"), "2026-03-01T12:00:00Z", &[]);
        listed.post.pictures = vec![(*url).to_owned()];
        store.write(&[listed]).await.unwrap();
        let wanted = LeaseRequest { pictures: 1, per_host: 1, busy: Vec::new(), after: String::new() };
        let work = store.lease_pictures(&wanted).await.unwrap().remove(0);
        let picture = FinishedPicture {
            queued: work,
            outcome: outcome.clone(),
            is_new: true,
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
    let known = ExaminedPicture {
        perceptual: Some(-0x0123_4567_89ab_cdef),
        detections: vec![Detection {
            reported: true,
            label: "acme".to_owned(),
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
            (&long, PictureOutcome::Examined(known.clone())),
            ("https://a.example/other", PictureOutcome::Examined(seen(4))),
        ],
    )
    .await;

    let by_url = store.known_urls(&[&long, "https://a.example/new"], MODEL).await.unwrap();
    assert_eq!(by_url.len(), 1);
    assert_eq!(by_url[&long], PictureOutcome::Examined(known.clone()));
    assert_eq!(store.known_content(&[3; 32], MODEL).await.unwrap(), Some(known.clone()));
    assert_eq!(store.known_content(&[5; 32], MODEL).await.unwrap(), None);

    let hash = known.perceptual.unwrap();
    for bits in [
        0,
        1,
        1 << 63,
        1 << 12 | 1 << 13,
        1 | 1 << 20 | 1 << 30 | 1 << 40,
        1 << 20 | 1 << 30 | 1 << 40 | i64::MIN,
    ] {
        let found = store.known_likeness(like(hash ^ bits), MODEL).await.unwrap();
        assert_eq!(found, Some(known.clone()), "{bits:x}");
    }
    for bits in [0b1_1111, 1 | 1 << 20 | 1 << 30 | 1 << 40 | i64::MIN] {
        assert_eq!(store.known_likeness(like(hash ^ bits), MODEL).await.unwrap(), None, "{bits:x}");
    }
    let other_shape = Likeness { width: 240, height: 320, ..like(hash) };
    assert_eq!(store.known_likeness(other_shape, MODEL).await.unwrap(), None);

    // Another version of the model looks anew, and then knows it.
    assert!(store.known_urls(&[&long], "detector@2").await.unwrap().is_empty());
    assert_eq!(store.known_content(&[3; 32], "detector@2").await.unwrap(), None);
    assert_eq!(store.known_likeness(like(hash), "detector@2").await.unwrap(), None);
    let anew = ExaminedPicture { model: "detector@2".to_owned(), ..known.clone() };
    look(&store, &[(&long, PictureOutcome::Examined(anew.clone()))]).await;
    assert_eq!(store.known_content(&[3; 32], "detector@2").await.unwrap(), Some(anew));

    // Boxes are brought to the size of the picture at hand.
    let halved = known.detections_at_size(320, 240);
    assert_eq!(halved[0].bounds, PixelBox { x: 32.0, y: 24.0, width: 64.0, height: 12.0 });
}

#[tokio::test]
async fn pictures_that_look_the_same_have_a_key_in_common() {
    let database = TestDatabase::create().await;
    let (_store, pool) = (database.store().await, database.pool().await);
    // Up to four bits turned over, and a shape that is up to 2 % narrower or wider.
    let missed: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (
             SELECT hash, width, height, round(width * (0.981 + random() * 0.038))::integer AS other_width,
                    hash # (1::bigint << bits[1]) # (1::bigint << bits[2]) # (1::bigint << bits[3])
                         # (1::bigint << bits[4]) AS other
             FROM (
                 SELECT hashtextextended(n::text, 0) AS hash,
                        (500 + random() * 3000)::integer AS width, (500 + random() * 3000)::integer AS height,
                        ARRAY[floor(random() * 64)::integer, floor(random() * 64)::integer,
                              floor(random() * 64)::integer, floor(random() * 64)::integer] AS bits
                 FROM generate_series(1, 20000) n
             ) picture
         ) pair
         WHERE NOT overheard.likeness_keys(hash, width, height, 0)
               && (overheard.likeness_keys(other, other_width, height, -0.0203)
                   || overheard.likeness_keys(other, other_width, height, 0.0203))",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(missed, 0);
}

#[tokio::test]
async fn trouble_is_forgotten_after_a_day_and_everything_in_time() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let (good, bad) = ("https://a.example/good", "https://a.example/bad");
    look(
        &store,
        &[(good, PictureOutcome::Examined(seen(1))), (bad, PictureOutcome::Failed("away".to_owned()))],
    )
    .await;
    let age = async |hours: i32| {
        sqlx::query("UPDATE overheard.media SET looked_at = looked_at - make_interval(hours => $1)")
            .bind(hours)
            .execute(&pool)
            .await
            .unwrap();
    };
    assert_eq!(store.known_urls(&[good, bad], MODEL).await.unwrap().len(), 2);
    age(25).await;
    let known = store.known_urls(&[good, bad], MODEL).await.unwrap();
    assert_eq!(known.keys().collect::<Vec<_>>(), [good]);
    assert_eq!(store.expire_known_pictures(chrono::Utc::now()).await.unwrap(), 0);
    age(24 * 30).await;
    assert!(store.known_urls(&[good, bad], MODEL).await.unwrap().is_empty());
    assert_eq!(store.known_content(&[1; 32], MODEL).await.unwrap(), None);
    assert_eq!(store.expire_known_pictures(chrono::Utc::now()).await.unwrap(), 2);
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
    let wanted = LeaseRequest { pictures: 1, per_host: 1, busy: Vec::new(), after: String::new() };
    let work = store.lease_pictures(&wanted).await.unwrap().remove(0);
    let sighting = overheard::domain::Sighting {
        brand: "acme".parse().unwrap(),
        query: overheard::domain::QueryVersion::of("acme"),
        bounds: PixelBox { x: 0.0, y: 0.0, width: 1.0, height: 1.0 },
        score: 1.0,
        prominence: Prominence { share: 1.0, distance: 0.0, sharpness: 0.0 },
    };
    let picture = FinishedPicture {
        queued: work,
        outcome: PictureOutcome::Examined(seen(1)),
        is_new: true,
        sightings: vec![sighting],
        judgement: Some(super::judgement(super::GOOD, "m@1")),
    };
    store.finish_pictures(&[picture]).await.unwrap();
    let rows = "SELECT (SELECT count(*) FROM overheard.sightings_20260301) + (SELECT count(*) FROM overheard.picture_queue)
                     + (SELECT count(*) FROM overheard.mention_counts)";
    assert_eq!(sqlx::query_scalar::<_, i64>(rows).fetch_one(&pool).await.unwrap(), 3);
    let removed = store.apply_retention(at("2026-03-05T00:00:00Z")).await.unwrap();
    assert_eq!(
        (removed.partitions, removed.pictures, removed.counts),
        (9, 1, 4),
        "a minute, an hour, and the hour and day by evidence"
    );
    let left =
        "SELECT (SELECT count(*) FROM overheard.sightings) + (SELECT count(*) FROM overheard.picture_queue)";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&pool).await.unwrap(), 0);
}
