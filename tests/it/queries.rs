//! Boolean queries through the real program: what is heard, why, and what a wrong one is told.

use std::process::Output;

use serde_json::{Value, json};
use sqlx::Row;

use crate::support::database::TestDatabase;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

fn post(id: &str, more: &Value) -> Vec<u8> {
    let mut post =
        json!({ "source": "test", "id": id, "created_at": "2026-05-01T08:00:00Z", "text": "look" });
    post.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    post.to_string().into_bytes()
}

const BRANDS: &str = r#"
[[brand]]
id = "acme"
name = "Acme"
query = "(acme OR #acmelife OR site:acme.example) NOT \"acme thunder\""

[[brand]]
id = "gap"
name = "Gap"
words = ["Gap"]

[[brand]]
id = "orange"
name = "Orange"
query = "{Orange} NEAR/4 (phone* OR mobile) AND lang:en NOT is:reply"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn queries_decide_and_alt_texts_are_the_authors_words() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url).with_word_models().with_file("brands.toml", BRANDS);
    let text = |text: &str| json!({ "text": text });
    let alt = json!({ "pictures": [{ "url": "https://p.example/1.jpg", "alt": "A mug by Acme is bad" }] });
    let posts = [
        post("named", &text("Acme is good")),
        post("excluded", &text("Acme is good at the Acme Thunder game")),
        post("tag", &text("what a day #AcmeLife")),
        post("link", &json!({ "links": ["https://shop.acme.example/x"] })),
        post("alt", &alt),
        post("word", &text("mind the gap, please")),
        post("brand", &text("the jeans that I bought at Gap are good")),
        post("near", &text("I think that Orange is good for mobile calls")),
        post("far", &text("Orange is a good colour for the cover of every new phone")),
        post("reply", &json!({ "text": "Orange phones are good", "kind": "reply" })),
        post("case", &text("my orange phone is good, and I like its colour")),
    ];
    topics.produce("posts", &posts).await;
    let mut daemon = setup.start("queries");
    daemon.until_ready().await;
    topics.until_committed("posts", 11).await;
    let rows =
        sqlx::query("SELECT post_id, brand, label, query FROM overheard.mentions ORDER BY post_id, brand")
            .fetch_all(&database.pool().await)
            .await
            .unwrap();
    let found: Vec<(String, String, String)> =
        rows.iter().map(|row| (row.get("post_id"), row.get("brand"), row.get("label"))).collect();
    let expected = [
        ("alt", "acme", "negative"),
        ("brand", "gap", "positive"),
        ("link", "acme", "neutral"),
        ("named", "acme", "positive"),
        ("near", "orange", "positive"),
        ("tag", "acme", "neutral"),
    ];
    let expected = expected.map(|(post, brand, label)| (post.to_owned(), brand.to_owned(), label.to_owned()));
    assert_eq!(found, expected);
    let version: String = rows[0].get("query");
    assert_eq!((version.len(), version), (16, rows[3].get("query")));
    assert!(daemon.stop().await.success());
}

fn explain(setup: &Setup, arguments: &[&str]) -> Output {
    setup.command(&[&["query", "explain"], arguments].concat()).output().unwrap()
}

fn without_services() -> Setup {
    Setup::new(&TestTopics::names_only(1), "postgres://127.0.0.1:1/none").with_file("brands.toml", BRANDS)
}

#[test]
fn an_explanation_shows_what_holds_and_what_failed() {
    let setup = without_services();
    let done = explain(&setup, &["--brand", "acme", "Acme rocks", "acme thunder rocks"]);
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8(done.stdout).unwrap();
    for words in
        ["match: \"Acme\" at 0..4", "no match", "yes     \"acme thunder\"  \"acme thunder\" at 0..12"]
    {
        assert!(said.contains(words), "no {words:?} in\n{said}");
    }
    let done = explain(
        &setup,
        &[
            "--query",
            "mug* in:alt(acme)",
            "--json",
            std::str::from_utf8(&post(
                "1",
                &json!({
                    "text": "my mugs", "pictures": [{ "url": "https://p.example/1.jpg", "alt": "from Acme" }],
                }),
            ))
            .unwrap(),
        ],
    );
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let found: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(found["matches"], true);
    let parts: Vec<_> = found["parts"].as_array().unwrap().iter().map(|part| part["holds"] == true).collect();
    assert!(parts.len() >= 3 && parts.iter().all(|holds| *holds), "{found}");
}

#[test]
fn a_wrong_query_is_pointed_at() {
    let done = explain(&without_services(), &["--query", "acme and iphone", "x"]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("column 6: write AND in capitals") && said.contains("     ^^^"), "{said}");

    let wrong = "[[brand]]\nid = \"a\"\nname = \"A\"\nquery = \"NOT acme\"\n\
                 [[brand]]\nid = \"b\"\nname = \"B\"\nwords = [\"VMware*\", \"apple AND iphone\", \"the\", \"VM\\u200Bware\"]\n";
    let done =
        without_services().with_file("brands.toml", wrong).command(&["check-config"]).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    for words in [
        "brand[0].query: column 1",
        "query = \"VMware*\"",
        "query = \"apple AND iphone\"",
        "brand[1].words[2]: `the` stands in every other post",
        "brand[1].words[3]: holds the character \\u{200b}",
    ] {
        assert!(said.contains(words), "no {words:?} in\n{said}");
    }
}
