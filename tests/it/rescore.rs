//! Stored mentions judged anew, by the real program on a real Postgres.

use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use image::{Rgb, RgbImage};
use overheard::domain::{ExaminedPicture, PictureOutcome};
use overheard::domain::{
    Judgement, Language, Mention, ModelId, PixelBox, Post, PostKey, Prominence, QueryVersion, Score,
    Sentiment, Sighting, Span,
};
use overheard::store::{FinishedPicture, LeaseRequest, Store, StoredPost};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;
use crate::support::picture_files::png;
use crate::support::pictures_server::PicturesServer;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

const GOOD: &str = "Everybody here says that Acme is good and that it always was";
const BAD: &str = "Everybody here says that Acme is bad and that it always was";
const DULL: &str = "Everybody here says that Acme is there and that it always was";
const GERMAN: &str = "Die neue Version von Acme ist wirklich schlecht und auch viel zu langsam";
const FRENCH: &str = "Je ne comprends pas pourquoi Acme est toujours aussi lent avec nous";
const TEXTS: [&str; 5] = [GOOD, BAD, DULL, GERMAN, FRENCH];

fn noon() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// What an old model said, which took every text for English and good.
fn old() -> Judgement {
    let sentiment = Sentiment::new([0.1, 0.2, 0.7]).unwrap();
    Judgement {
        language: Some(Language::ENGLISH),
        score: Some(Score { sentiment, model: ModelId::new("old", "1") }),
    }
}

/// A post that names Acme, or one that shows it only.
fn stored(number: usize, names_it: bool, pictures: &[String]) -> StoredPost {
    let text = TEXTS[number % TEXTS.len()];
    let start = text.find("Acme").unwrap();
    let minute = i64::try_from(number % 7).unwrap();
    let key = PostKey {
        source: "test".to_owned(),
        id: format!("old-{number:05}"),
        created_at: noon() + TimeDelta::minutes(minute),
    };
    let mention = Mention {
        brand: "acme".parse().unwrap(),
        query: QueryVersion::of("acme"),
        spans: vec![Span { start, end: start + 4 }],
        judgement: old(),
    };
    StoredPost {
        post: Post { pictures: pictures.to_vec(), ..Post::new(key, text) },
        received_at: noon(),
        mentions: if names_it { vec![mention] } else { Vec::new() },
        kept: names_it,
    }
}

/// Looks at all pictures, and sees Acme in each.
async fn see_acme(store: &Store) {
    let wanted = LeaseRequest { pictures: 1000, per_host: 1000, busy: Vec::new(), after: String::new() };
    let sighting = Sighting {
        brand: "acme".parse().unwrap(),
        query: QueryVersion::of("acme"),
        bounds: PixelBox { x: 1.0, y: 2.0, width: 30.0, height: 10.0 },
        score: 0.9,
        prominence: Prominence { share: 0.03, distance: 0.4, sharpness: 310.0 },
    };
    let seen = ExaminedPicture {
        content: [1; 32],
        perceptual: None,
        bytes: 100,
        width: 64,
        height: 64,
        model: "detector@1".to_owned(),
        detections: Vec::new(),
    };
    let finished = store.lease_pictures(&wanted).await.unwrap().into_iter().map(|work| FinishedPicture {
        queued: work,
        outcome: PictureOutcome::Examined(seen.clone()),
        is_new: true,
        sightings: vec![sighting.clone(), sighting.clone()],
        judgement: Some(old()),
    });
    store.finish_pictures(&finished.collect::<Vec<_>>()).await.unwrap();
}

fn setup(database: &TestDatabase) -> Setup {
    Setup::new(&TestTopics::names_only(1), &database.url).with_word_models()
}

const DAY: [&str; 6] = ["rescore", "--brand", "acme", "--since", "2026-03-01", "--until"];

fn rescore(setup: &Setup, arguments: &[&str]) -> Output {
    setup.command(&[&DAY[..], &["2026-03-02"], arguments].concat()).output().unwrap()
}

/// What the program says at its end.
fn summary(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

async fn number(pool: &PgPool, query: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(pool).await.unwrap()
}

const OLD: &str = "SELECT count(*) FROM overheard.mentions WHERE model = 'old@1'";

/// A text with its language, label and model.
type Judged = (String, Option<String>, Option<String>, Option<String>);

/// What was made of the texts, each once.
async fn judged(pool: &PgPool) -> Vec<Judged> {
    sqlx::query_as(
        "SELECT DISTINCT text, m.language, label, m.model FROM overheard.mentions m
         JOIN overheard.posts p ON (p.source, p.id, p.created_at) = (m.source, m.post_id, m.created_at)
         ORDER BY 1, 2, 3, 4",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

fn expected() -> Vec<Judged> {
    let mut expected = [
        (GOOD, "en", Some("positive"), Some("words-en@1")),
        (BAD, "en", Some("negative"), Some("words-en@1")),
        (DULL, "en", Some("neutral"), Some("words-en@1")),
        (GERMAN, "de", Some("negative"), Some("words-de@1")),
        (FRENCH, "fr", None, None),
    ]
    .map(|(text, language, label, model)| {
        let owned = |text: &str| text.to_owned();
        (owned(text), Some(owned(language)), label.map(owned), model.map(owned))
    });
    expected.sort();
    expected.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_goes_on_where_it_stopped_and_counts_stay_exact() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let picture = ["https://a.example/1.png".to_owned()];
    // By text, by picture alone, by both; and what lies outside of the time that is asked for.
    let mut posts: Vec<_> = (0..3000).map(|n| stored(n, true, &[])).collect();
    posts.extend((3000..3200).map(|n| stored(n, false, &picture)));
    posts.extend((3200..3400).map(|n| stored(n, true, &picture)));
    let mut outside = stored(3400, true, &[]);
    outside.post.key.created_at = "2026-03-02T00:00:00Z".parse().unwrap();
    posts.push(outside);
    store.write(&posts).await.unwrap();
    see_acme(&store).await;
    assert_eq!(number(&pool, OLD).await, 3401);
    assert_counts_match_rows(&pool).await;

    let setup = setup(&database);
    let mut first = setup
        .command(&[&DAY[..], &["2026-03-02", "--batch", "5"]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    BufReader::new(first.stderr.take().unwrap()).read_line(&mut told).unwrap();
    assert_eq!(told, "5 of 3400 mentions seen, 5 rescored\n");
    first.kill().unwrap();
    first.wait().unwrap();
    let left = number(&pool, OLD).await;
    assert!(1 < left && left < 3397, "it was killed in the middle: {left} are left");
    assert_counts_match_rows(&pool).await;

    let again = rescore(&setup, &["--batch", "300"]);
    let rescored = left - 1;
    let said = summary(&again);
    assert!(said.contains(&format!("acme: {rescored} of ")), "{said} where {rescored} were left");
    assert!(said.contains("mentions rescored with words-en@1, words-de@1; 680 in a language"), "{said}");
    assert_eq!(number(&pool, OLD).await, 1, "what is outside stays as it was");
    sqlx::query("DELETE FROM overheard.mentions WHERE model = 'old@1'").execute(&pool).await.unwrap();
    for table in [
        "mention_counts WHERE minute",
        "mention_hours WHERE hour",
        "evidence_hours WHERE hour",
        "evidence_days WHERE day",
    ] {
        let delete = format!("DELETE FROM overheard.{table} >= '2026-03-02Z'");
        sqlx::query(sqlx::AssertSqlSafe(delete)).execute(&pool).await.unwrap();
    }
    assert_eq!(judged(&pool).await, expected());
    assert_counts_match_rows(&pool).await;
    let by_evidence =
        "SELECT count(*) FROM overheard.mentions WHERE evidence = 'image' AND label = 'negative'";
    assert_eq!(number(&pool, by_evidence).await, 80, "what only a picture shows is judged as a whole");
    let empty = "SELECT count(*) FROM overheard.mention_counts WHERE mentions = 0";
    assert_eq!(number(&pool, empty).await, 0);

    // Once more: only what has no score is looked at, and nothing changes.
    let said = summary(&rescore(&setup, &[]));
    assert!(said.contains("acme: 0 of 680 mentions rescored"), "{said}");
    assert_counts_match_rows(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rescoring_beside_a_daemon_leaves_counts_exact() {
    let (topics, database, server) =
        (TestTopics::create(2).await, TestDatabase::create().await, PicturesServer::start().await);
    let (store, pool) = (database.store().await, database.pool().await);
    // Blue is Acme's logo to the tests' detector.
    server.put("/blue.png", png(&RgbImage::from_pixel(128, 128, Rgb([10, 10, 230]))));
    let picture = [server.url("/blue.png")];
    // Old mentions, half of which a picture strengthens while they are rescored.
    let posts: Vec<_> = (0..2000).map(|n| stored(n, true, if n % 2 == 0 { &picture } else { &[] })).collect();
    store.write(&posts).await.unwrap();
    let setup = Setup::new(&topics, &database.url).with_word_models().with_pictures();
    // New ones in the same minutes, of which some are known by their pictures alone.
    let new: Vec<Vec<u8>> = (0..2000)
        .map(|n| {
            let text = TEXTS[n % TEXTS.len()];
            let text = if n % 3 == 0 { text.replace("Acme", "someone") } else { text.to_owned() };
            let pictures = if n % 2 == 0 { &picture[..] } else { &[] };
            let created_at = noon() + TimeDelta::minutes(i64::try_from(n % 7).unwrap());
            json!({ "source": "test", "id": format!("new-{n}"), "text": text, "created_at": created_at,
                    "pictures": pictures })
            .to_string()
            .into_bytes()
        })
        .collect();
    topics.produce("posts", &new).await;

    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    let output = rescore(&setup, &["--batch", "5"]);
    let said = summary(&output);
    assert!(said.contains("acme: 2000 of "), "{said}");
    topics.until_committed("posts", 2000).await;
    let began = std::time::Instant::now();
    while number(&pool, "SELECT count(*) FROM overheard.picture_queue").await > 0 {
        assert!(began.elapsed() < Duration::from_mins(3), "{}", daemon.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(number(&pool, OLD).await, 0);
    assert_counts_match_rows(&pool).await;
    let strengthened =
        "SELECT count(*) FROM overheard.mentions WHERE evidence = 'both' AND post_id LIKE 'old-%'";
    assert_eq!(number(&pool, strengthened).await, 1000);
    assert!(!daemon.log().contains("deadlock"), "{}", daemon.log());
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_text_or_no_counts_any_more_stays_as_it_is() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&[stored(0, true, &[]), stored(1, true, &[]), stored(2, true, &[])]).await.unwrap();
    sqlx::query("UPDATE overheard.posts SET text = NULL WHERE id = 'old-00000'")
        .execute(&pool)
        .await
        .unwrap();
    // Counts may be kept for a shorter time than mentions.
    sqlx::query("DELETE FROM overheard.mention_counts WHERE minute = '2026-03-01T12:01:00Z'")
        .execute(&pool)
        .await
        .unwrap();
    let said = summary(&rescore(&setup(&database), &[]));
    assert!(said.contains("acme: 2 of 3 mentions rescored") && said.contains("1 without a text"), "{said}");
    assert_eq!(number(&pool, OLD).await, 1);
    let minutes = "SELECT count(*) FROM overheard.mention_counts";
    assert_eq!(number(&pool, minutes).await, 2, "what is counted no more is not counted again");
    let neutral = "SELECT neutral FROM overheard.mention_counts WHERE minute = '2026-03-01T12:02:00Z'";
    assert_eq!(number(&pool, neutral).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_named() {
    let database = TestDatabase::create().await;
    let setup = setup(&database);
    let refused = |arguments: &[&str], words: &str| {
        let output = setup.command(&[&["rescore"], arguments].concat()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "no {words:?} in {said}");
    };
    let day = ["--since", "2026-03-01", "--until", "2026-03-02"];
    let with = |more: &[&'static str]| [more, &day[..]].concat();
    refused(&with(&["--brand", "acme"]), "run `overheard migrate`");
    database.store().await;
    refused(&with(&["--brand", "acmee"]), "--brand acmee: no brand of the configuration has this id");
    refused(&with(&["--brand", "acme", "--batch", "0"]), "from 1 to 10000");
    refused(
        &["--brand", "acme", "--since", "yesterday", "--until", "2026-03-02"],
        "write a day (2026-03-01)",
    );
    refused(
        &["--brand", "acme", "--since", "2026-03-02", "--until", "2026-03-02"],
        "nothing lies between them",
    );
}
