//! Targets and languages: the real program with models that count words, so that scores are known.

use std::io::Write;
use std::process::{Output, Stdio};

use overheard::domain::Span;
use overheard::health::Health;
use overheard::inference::{TextModel, TextScorer};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;
use crate::support::models::{options, runtime};
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

fn post(id: &str, text: &str, language: Option<&str>) -> Vec<u8> {
    json!({
        "source": "test", "id": id, "text": text, "language": language, "created_at": "2026-03-01T12:00:00Z",
    })
    .to_string()
    .into_bytes()
}

const TWO_FEELINGS: &str = "This week VMware is great but the people of Acme are awful again";

async fn number(pool: &PgPool, query: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(pool).await.unwrap()
}

/// Post, brand, language, label, model.
type Row = (String, String, String, Option<String>, Option<String>);

#[tokio::test(flavor = "multi_thread")]
async fn each_brand_has_a_feeling_of_its_own_and_each_language_its_model_or_none() {
    let (topics, database) = (TestTopics::create(1).await, TestDatabase::create().await);
    let setup = Setup::new(&topics, &database.url).with_word_models();
    let pool = database.pool().await;
    let posts = [
        post("two", TWO_FEELINGS, Some("en-us")),
        post("one", "They say that everything by VMware is good, and the weather is bad", None),
        post(
            "german",
            "Die neue Version von VMware ist wirklich schlecht, und Acme ist auch nicht besser",
            None,
        ),
        post("french", "Je ne comprends pas pourquoi VMware et Acme sont toujours aussi lents", Some("en")),
        post("short", "Acme? bad", None),
        post("claimed", "Acme ist toll", Some("de-at")),
    ];
    topics.produce("posts", &posts).await;
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    topics.until_committed("posts", 6).await;

    let rows: Vec<Row> =
        sqlx::query_as("SELECT post_id, brand, language, label, model FROM overheard.mentions ORDER BY 1, 2")
            .fetch_all(&pool)
            .await
            .unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|(id, brand, language, label, model)| {
            (id.as_str(), brand.as_str(), language.as_str(), label.as_deref(), model.as_deref())
        })
        .collect();
    let (en, de) = (Some("words-en@1"), Some("words-de@1"));
    assert_eq!(
        found,
        [
            ("claimed", "acme", "de", Some("positive"), de),
            ("french", "acme", "fr", None, None),
            ("french", "vmware", "fr", None, None),
            // The German model takes no targets: one feeling for both.
            ("german", "acme", "de", Some("negative"), de),
            ("german", "vmware", "de", Some("negative"), de),
            // The bad weather is far from the brand.
            ("one", "vmware", "en", Some("positive"), en),
            ("short", "acme", "en", Some("negative"), en),
            ("two", "acme", "en", Some("negative"), en),
            ("two", "vmware", "en", Some("positive"), en),
        ]
    );
    let claimed: Vec<String> =
        sqlx::query_scalar("SELECT languages FROM overheard.posts WHERE id = 'french'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(claimed, ["en"], "the post keeps what its client claims");

    assert_counts_match_rows(&pool).await;
    let unscored = "SELECT unscored FROM overheard.mention_counts WHERE brand = 'vmware' AND language = 'fr'";
    assert_eq!(number(&pool, unscored).await, 1);
    let seen: (i64, i64, i64, i64, i64, f64) = sqlx::query_as(
        "SELECT mentions, negative, neutral, positive, unscored, polarity
         FROM overheard.brand_hours WHERE brand = 'vmware'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!((seen.0, seen.1, seen.2, seen.3, seen.4), (4, 1, 0, 2, 1));
    let mean = "SELECT round(avg(polarity) * 1000)::bigint FROM overheard.mentions WHERE brand = 'vmware'";
    #[expect(clippy::cast_possible_truncation, reason = "a mean is between -1 and 1")]
    let viewed = (seen.5 * 1000.0).round() as i64;
    assert_eq!(viewed, number(&pool, mean).await, "a mean of those scored");

    // Two rows for two brands that are different to the model, else one a post.
    daemon.until_metric("overheard_model_batch_posts_sum{model=\"words-en@1\"} 4").await;
    daemon.until_metric("overheard_model_batch_posts_sum{model=\"words-de@1\"} 2").await;
    daemon.until_metric("overheard_mentions_unscored_total{language=\"fr\"} 2").await;
    let (_, ready) = daemon.get("/ready").await;
    assert!(ready.contains("words-en@1 on cpu") && ready.contains("words-de@1 on cpu"), "{ready}");
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn places_that_are_the_same_to_a_model_are_scored_once() {
    let mut options = options();
    options.models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    let open = |name: &str| {
        let (model, tokenizer) = TextModel::open(runtime(&options), &options.models.join(name)).unwrap();
        TextScorer::start(model, tokenizer, &options, &Health::new()).unwrap()
    };
    let place = |word: &str| TWO_FEELINGS.find(word).map(|start| Span { start, end: start + word.len() });
    let places = [place("VMware"), None, place("Acme"), place("VMwar")];
    let towards = open("words-en");
    assert!(towards.takes_targets());
    let scores = towards.submit(TWO_FEELINGS, &places).await.unwrap().all().await.unwrap();
    assert!(scores[0].polarity() > 0.5 && scores[2].polarity() < -0.5, "{scores:?}");
    assert!(scores[1].polarity().abs() < 1e-6, "one good and one bad word in the whole text");
    assert_eq!(scores[0], scores[3]);

    let as_a_whole = open("words-de");
    assert!(!as_a_whole.takes_targets());
    let scores = as_a_whole.submit("gut, sehr gut", &places).await.unwrap().all().await.unwrap();
    assert!(scores.iter().all(|score| *score == scores[0] && score.polarity() > 0.9), "{scores:?}");
}

fn score(setup: &Setup, arguments: &[&str], input: &str) -> (Output, Vec<Value>) {
    let mut process = setup
        .command(&[&["score"], arguments].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    (output, lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn score_takes_targets_and_tells_languages() {
    let setup =
        Setup::new(&TestTopics::names_only(1), "postgres://nobody@127.0.0.1:1/none").with_word_models();
    let line = |target: &str| format!("{}\n", json!({ "text": TWO_FEELINGS, "target": target }));
    let french = "Je ne comprends pas pourquoi tout est toujours aussi lent ici\n";
    let claimed = format!("{}\n", json!({ "text": "ist gut", "language": "de" }));
    let input = line("ACME") + &line("vmware") + &line("weather") + french + &claimed;
    let (output, lines) = score(&setup, &[], &input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = |key: &str| lines.iter().map(|line| line[key].clone()).collect::<Vec<_>>();
    let (no, yes, null) = (json!(false), json!(true), Value::Null);
    assert_eq!(
        told("label"),
        [json!("negative"), json!("positive"), json!("neutral"), null.clone(), json!("positive")]
    );
    assert_eq!(told("target_found"), [yes.clone(), yes, no, null.clone(), null]);
    assert_eq!(told("language"), ["en", "en", "en", "fr", "de"]);
    assert_eq!(lines[3]["reason"], "no model scores fr; scored are: de, en");
    assert!(lines[3].get("polarity").is_none() && lines[0].get("reason").is_none(), "{lines:?}");
    assert_eq!(lines[4]["model"], "words-de@1");

    // One model for every line, whatever its language.
    let (output, lines) = score(&setup, &["--model", "words-de"], &(french.to_owned() + "gut\n"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((&lines[0]["label"], &lines[0]["language"]), (&json!("neutral"), &json!("fr")));
    assert_eq!((&lines[1]["label"], &lines[1]["model"]), (&json!("positive"), &json!("words-de@1")));

    let help = setup.command(&["score", "--help"]).output().unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("\"target_found\": false"), "{help:?}");

    let (output, _) = score(&setup, &["--model", "mood"], "good\n");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("mood"), "{said}");
}
