//! Mutes, by the real program beside a running daemon.

use overheard::domain::MuteOf;
use overheard::store::NewMute;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;
use crate::support::settings::{NO_RULES, Setup};
use crate::support::simulated::Simulated;
use crate::support::topics::TestTopics;

fn post(id: &str, author: &str, text: &str, links: &[&str]) -> Vec<u8> {
    let post = json!({
        "source": "test", "id": id, "created_at": "2026-03-01T12:00:00Z", "author": author, "text": text,
        "links": links,
    });
    post.to_string().into_bytes()
}

/// What the program says.
fn mute(setup: &Setup, arguments: &[&str]) -> String {
    let output = setup.command(&[&["mute"], arguments].concat()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The posts whose mentions are shown.
async fn shown(pool: &PgPool) -> Vec<String> {
    assert_counts_match_rows(pool).await;
    sqlx::query_scalar("SELECT post_id FROM overheard.recent_mentions ORDER BY 1")
        .fetch_all(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mute_hides_what_is_stored_and_what_comes_and_its_removal_brings_both_back() {
    let (topics, database) = (TestTopics::create(1).await, TestDatabase::create().await);
    let setup = Setup::new(&topics, &database.url);
    let pool = database.pool().await;
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    let batch = |round: u32| {
        let id = |kind: &str| format!("{kind}{round}");
        [
            post(&id("author"), "spammer", "Acme is fine", &[]),
            post(&id("host"), "somebody", "Acme is fine", &["https://deals.shop.example/1"]),
            post(&id("phrase"), "somebody", "Acme: use PROMO code 7", &[]),
            post(&id("plain"), "somebody", "Acme is fine", &[]),
        ]
    };
    topics.produce("posts", &batch(1)).await;
    topics.until_committed("posts", 4).await;
    assert_eq!(shown(&pool).await.len(), 4);

    let said = mute(&setup, &["add", "--author", "test", "spammer", "--by", "ann", "--note", "a bot"]);
    assert!(said.contains("1 hidden"), "{said}");
    mute(&setup, &["add", "--host", "shop.example"]);
    mute(&setup, &["add", "--phrase", "promo code", "--brand", "acme", "--since", "2026-01-01"]);
    assert_eq!(shown(&pool).await, ["plain1"]);
    topics.produce("posts", &batch(2)).await;
    topics.until_committed("posts", 8).await;
    assert_eq!(shown(&pool).await, ["plain1", "plain2"]);
    daemon.until_metric("overheard_mentions_muted_total 3").await;

    let listed = mute(&setup, &["list", "--json"]);
    let first: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["kind"], &first["subject"], &first["mentions"]),
        (&json!("author"), &json!("spammer"), &json!(2))
    );
    assert_eq!((&first["added_by"], &first["note"]), (&json!("ann"), &json!("a bot")));

    let said = mute(&setup, &["remove", "1", "--by", "bob"]);
    assert!(said.contains("2 shown again"), "{said}");
    topics.produce("posts", &batch(3)).await;
    topics.until_committed("posts", 12).await;
    assert_eq!(shown(&pool).await, ["author1", "author2", "author3", "plain1", "plain2", "plain3"]);
    let all = mute(&setup, &["list", "--all"]);
    assert!(all.contains("by bob (a bot)") && mute(&setup, &["list"]).lines().count() == 2, "{all}");

    let refused = setup.command(&["mute", "remove", "1"]).output().unwrap();
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("overheard mute list"), "{why}");
    let refused = setup.command(&["mute", "add", "--source", "test", "--brand", "nobody"]).output().unwrap();
    assert!(!refused.status.success());
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_judged_without_what_is_muted() {
    let rules = NO_RULES.replace("1000000", "5").replace("for = \"1m\"", "for = \"0s\"");
    let mut world = Simulated::start(&rules).await;
    let of = MuteOf::Source("test".to_owned());
    let brand = Some("acme".parse().unwrap());
    let mute = NewMute { of, brand, since: None, by: "the test".to_owned(), note: None };
    world.store().add_mute(&mute).await.unwrap();
    world.hate("acme", world.minute(0), 10).await;
    world.hate("vmware", world.minute(0), 10).await;
    world.until_stored().await;
    world.play_until(2).await;
    let told = world.told().await;
    assert_eq!(told.iter().map(|told| told.1.as_str()).collect::<Vec<_>>(), ["vmware"]);
    world.stop().await;
}
