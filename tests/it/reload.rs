//! Brands and rules that change while the daemon runs: the real program on real servers.

use std::collections::BTreeMap;

use image::{Rgb, RgbImage};
use nix::sys::signal::Signal;
use overheard::pipeline::Listening;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::daemon::Daemon;
use crate::support::database::TestDatabase;
use crate::support::picture_files::png;
use crate::support::pictures_server::PicturesServer;
use crate::support::settings::{NO_RULES, Setup};
use crate::support::simulated::Simulated;
use crate::support::topics::TestTopics;

fn brand(id: &str, words: &str) -> String {
    let words = words.split(", ").map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    format!("[[brand]]\nid = \"{id}\"\nname = \"A brand\"\nwords = [{words}]\n")
}

fn post(id: &str, text: &str, pictures: &[String]) -> Vec<u8> {
    let post = json!({
        "source": "test", "id": id, "created_at": "2026-03-01T12:00:00Z", "text": text, "pictures": pictures,
    });
    post.to_string().into_bytes()
}

/// Post, brand and what its version stands for.
async fn mentions(pool: &PgPool) -> Vec<(String, String, String)> {
    sqlx::query_as(
        "SELECT post_id, m.brand, q.definition FROM overheard.mentions m
         LEFT JOIN overheard.brand_queries q ON q.brand = m.brand AND q.version = m.query ORDER BY 1, 2",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// The version of what is listened for, and of how many brands.
async fn listening(daemon: &Daemon) -> (String, u64) {
    let page: Value = serde_json::from_str(&daemon.get("/ready").await.1).unwrap();
    let listening = &page["listening"];
    (listening["version"].as_str().unwrap().to_owned(), listening["brands"].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn brands_change_without_a_stop_and_each_mention_says_by_which_query_it_came_in() {
    let (topics, database, server) =
        (TestTopics::create(1).await, TestDatabase::create().await, PicturesServer::start().await);
    let setup = Setup::new(&topics, &database.url)
        .with_file("brands.toml", &[brand("acme", "Acme"), brand("vmware", "VMware")].concat())
        .with_settings("[pipeline]\nbatch_posts = 100\n")
        .with_pictures();
    let pool = database.pool().await;
    server.put("/green.png", png(&RgbImage::from_pixel(100, 100, Rgb([10, 230, 10]))));
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    let before = listening(&daemon).await;
    assert_eq!(before.1, 2);
    topics.produce("posts", &[post("1", "Acme and Apex", &[])]).await;
    topics.until_committed("posts", 1).await;

    // Another word, a brand more by its logo, one less, and a setting that can't change now.
    let brands = [brand("acme", "Acme, Apex"), brand("starbucks", "Starbucks")].concat();
    let setup = setup
        .with_file("brands.toml", &brands)
        .with_settings("[pipeline]\nbatch_posts = 200\n[log]\nformat = \"text\"\n");
    daemon.signal(Signal::SIGHUP);
    daemon.until_log("Reloaded brands and alert rules").await;
    daemon.until_log("which a restart applies: pipeline.batch_posts\n").await;
    assert_ne!(listening(&daemon).await.0, before.0);
    let posts = [post("2", "Apex, but no VMware", &[]), post("3", "What a day", &[server.url("/green.png")])];
    topics.produce("posts", &posts).await;
    topics.until_committed("posts", 3).await;
    daemon.until_metric("overheard_sightings_stored_total 1").await;
    let owned = |(a, b, c): (&str, &str, &str)| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(
        mentions(&pool).await,
        [
            ("1", "acme", "words = [\"Acme\"]"),
            ("2", "acme", "words = [\"Acme\",\"Apex\"]"),
            ("3", "starbucks", "words = [\"Starbucks\"]"),
        ]
        .map(owned)
    );

    // The same again by HTTP is the same version again.
    let now = listening(&daemon).await;
    let (status, answer) = daemon.request("POST", "/reload").await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((status, &answer["reloaded"]), (200, &json!(true)), "{answer}");
    assert_eq!(answer["needs_restart"], json!(["pipeline.batch_posts"]));
    assert_eq!(answer["listening"]["version"], json!(now.0));
    daemon.until_metric("overheard_reloads_total{outcome=\"applied\"} 2").await;
    drop(setup);
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_mistakes_changes_nothing_and_all_of_them_are_told() {
    let (topics, database) = (TestTopics::create(1).await, TestDatabase::create().await);
    let setup = Setup::new(&topics, &database.url).with_file("brands.toml", &brand("acme", "Acme"));
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    let before = listening(&daemon).await;
    // The brands alone would do.
    let rules = NO_RULES.replace("share = 1.0", "share = 7.0").replace("\"5m\"", "\"5\"");
    let setup = setup
        .with_file("brands.toml", &[brand("acme", "Apex"), brand("vmware", "VMware")].concat())
        .with_file("alerts.toml", &rules);
    let (status, answer) = daemon.request("POST", "/reload").await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((status, &answer["reloaded"]), (422, &json!(false)), "{answer}");
    let mistakes = answer["mistakes"].to_string();
    assert!(mistakes.contains("rule[0].share") && mistakes.contains("rule[0].window"), "{mistakes}");
    let setup = setup.with_file("brands.toml", &[brand("acme", ""), brand("A B", "x")].concat());
    daemon.signal(Signal::SIGHUP);
    daemon.until_log("brand[1].id").await;
    daemon.until_log("brand[0].words[0]").await;
    daemon.until_metric("overheard_reloads_total{outcome=\"refused\"} 2").await;
    assert_eq!(listening(&daemon).await, before);
    topics.produce("posts", &[post("1", "Acme", &[]), post("2", "Apex and VMware", &[])]).await;
    topics.until_committed("posts", 2).await;
    let pool = database.pool().await;
    let heard: BTreeMap<String, String> =
        mentions(&pool).await.into_iter().map(|(post, brand, _)| (post, brand)).collect();
    assert_eq!(heard, BTreeMap::from([("1".to_owned(), "acme".to_owned())]));
    drop(setup);
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_of_a_brand_that_a_reload_takes_out_is_resolved() {
    let rules = NO_RULES.replace("1000000", "5").replace("for = \"1m\"", "for = \"0s\"");
    let mut world = Simulated::start(&rules).await;
    world.hate("vmware", world.minute(0), 10).await;
    world.until_stored().await;
    world.play_until(1).await;
    let told = world.until_told(1).await;
    assert_eq!((told[0].0.as_str(), told[0].1.as_str()), ("firing", "vmware"));
    let without = overheard::config::read_brands(&brand("acme", "Acme")).unwrap();
    world.listening.replace(Listening::new(&without, Vec::new()));
    let told = world.until_told(2).await;
    assert_eq!((told[1].0.as_str(), told[1].1.as_str()), ("resolved", "vmware"));
    world.stop().await;
}
