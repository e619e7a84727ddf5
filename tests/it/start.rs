//! What the daemon does when something that it needs is missing or wrong.

use std::path::Path;
use std::time::Duration;

use crate::support::database::TestDatabase;
use crate::support::proxy::Proxy;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

/// A copy of the shipped models that a test may spoil.
fn models_in(folder: &Path) -> std::path::PathBuf {
    let models = folder.join("models");
    std::fs::create_dir_all(models.join("sentiment")).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/sentiment");
    for name in ["manifest.json", "model.onnx", "tokenizer.json"] {
        std::fs::copy(shipped.join(name), models.join("sentiment").join(name)).unwrap();
    }
    models
}

fn edit_manifest(models: &Path, edit: impl Fn(&mut serde_json::Value)) {
    let path = models.join("sentiment/manifest.json");
    let mut manifest = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    edit(&mut manifest);
    std::fs::write(path, manifest.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_does_not_fit_its_manifest_is_refused_with_the_difference() {
    let topics = TestTopics::names_only(1);
    let folder = tempfile::tempdir().unwrap();
    let models = models_in(folder.path());
    let setup = Setup::new(&topics, "postgres://nobody@127.0.0.1:1/none")
        .with("INFERENCE__MODELS", models.to_str().unwrap());

    let refused = async |words: &[&str]| {
        let mut daemon = setup.start("refused");
        let status = daemon.until_ended().await;
        assert_eq!(status.code(), Some(1));
        for word in words {
            assert!(daemon.log().contains(word), "no {word:?} in\n{}", daemon.log());
        }
    };

    edit_manifest(&models, |manifest| manifest["inputs"][1]["name"] = "mask".into());
    refused(&[
        "does not fit its manifest",
        "the manifest says",
        "mask int64 [batch]",
        "the file has",
        "lengths int64 [batch]",
    ])
    .await;
    edit_manifest(&models, |manifest| {
        manifest["inputs"][1]["name"] = "lengths".into();
        manifest["outputs"][0]["shape"][1] = 2.into();
    });
    refused(&["probabilities float32 [batch, 2]", "probabilities float32 [batch, 3]"]).await;
    edit_manifest(&models, |manifest| {
        manifest["outputs"][0]["shape"][1] = 3.into();
        manifest["labels"] = ["positive", "neutral", "negative"].as_slice().into();
    });
    refused(&["its labels are", "in this order"]).await;
    edit_manifest(&models, |manifest| {
        manifest["labels"] = ["negative", "neutral", "positive"].as_slice().into();
    });

    // One byte of the weights is another.
    let network = models.join("sentiment/model.onnx");
    let mut bytes = std::fs::read(&network).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&network, bytes).unwrap();
    refused(&["model.onnx has SHA-256", "the manifest says"]).await;

    std::fs::remove_file(&network).unwrap();
    refused(&["model.onnx can't be read", "inference.models"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cuda_that_cannot_be_had_is_an_error_that_says_why() {
    let topics = TestTopics::names_only(1);
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join(".runtime/onnxruntime/libonnxruntime.so");
    let setup = Setup::new(&topics, "postgres://nobody@127.0.0.1:1/none")
        .with("INFERENCE__DEVICE", "cuda")
        .with("INFERENCE__LIBRARY", library.to_str().unwrap());
    let mut daemon = setup.start("cuda");
    assert_eq!(daemon.until_ended().await.code(), Some(1));
    assert!(daemon.log().contains("was built without the CUDA provider"), "{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_down_at_start_is_waited_for() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let password = url::Url::parse(&database.url).unwrap().password().unwrap().to_owned();
    let mut proxy = Proxy::to(&database.url).await;
    let setup = Setup::new(&topics, &proxy.url);
    let posts =
        [br#"{"source":"t","id":"1","created_at":"2026-03-01T12:00:00Z","text":"VMware is fine"}"#.to_vec()];
    topics.produce("posts", &posts).await;

    let mut daemon = setup.start("waiting");
    daemon.until_log("Waiting for Postgres").await;
    let (status, body) = daemon.get("/ready").await;
    assert_eq!(status, 503);
    assert!(body.contains("Connection refused"), "{body}");
    assert_eq!(daemon.get("/live").await.0, 200, "waiting is not being dead");
    assert!(!daemon.log().contains(&password), "no password in the log");

    proxy.open().await;
    daemon.until_ready().await;
    topics.until_committed("posts", 1).await;
    let pool = database.pool().await;
    let stored: i64 =
        sqlx::query_scalar("SELECT count(*) FROM overheard.mentions").fetch_one(&pool).await.unwrap();
    assert_eq!(stored, 1);

    // And one that goes away later: noticed also when nothing happens, nothing is lost, nothing
    // committed meanwhile.
    proxy.close().await;
    daemon.until_answer("/ready", 503).await;
    let more =
        [br#"{"source":"t","id":"2","created_at":"2026-03-01T12:00:00Z","text":"VMware again"}"#.to_vec()];
    topics.produce("posts", &more).await;
    daemon.until_log("Trying again: write posts to Postgres").await;
    assert_eq!(topics.committed("posts"), 1);
    assert_eq!(daemon.get("/live").await.0, 200);
    proxy.open().await;
    topics.until_committed("posts", 2).await;
    daemon.until_ready().await;
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_topic_is_named_and_waited_for() {
    let topics = TestTopics::names_only(1);
    topics.make(&["jetstream", "alerts"]).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url);
    let mut daemon = setup.start("waiting");
    let missing = format!("{}, {}", topics.name("posts"), topics.name("dead-letters"));
    daemon.until_log(&format!("waiting for the topic {missing}")).await;
    assert_eq!(daemon.get("/ready").await.0, 503);
    topics.make(&["posts", "dead-letters"]).await;
    daemon.until_ready().await;
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_migrations_are_waited_for_where_the_daemon_may_not_apply_them() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url).with("POSTGRES__MIGRATE", "false");
    let mut daemon = setup.start("waiting");
    daemon.until_log("run `overheard migrate`").await;
    let migrated = setup.command(&["migrate"]).output().unwrap();
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    daemon.until_ready().await;
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_aborts() {
    let topics = TestTopics::names_only(1);
    // Postgres never answers, so the first signal alone would end it too: at once, in good order.
    let setup = Setup::new(&topics, "postgres://nobody@127.0.0.1:1/none");
    let mut daemon = setup.start("waiting");
    daemon.until_log("Waiting for Postgres").await;
    assert!(daemon.stop().await.success());

    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let lock = database.pool().await;
    let setup = Setup::new(&topics, &database.url).with("POSTGRES__STATEMENT_TIMEOUT", "5m");
    let mut daemon = setup.start("stuck");
    daemon.until_ready().await;
    // A lock held by somebody else keeps the writer from settling.
    let mut transaction = lock.begin().await.unwrap();
    sqlx::query("LOCK TABLE overheard.posts IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let posts = [br#"{"source":"t","id":"1","created_at":"2026-03-01T12:00:00Z","text":"VMware"}"#.to_vec()];
    topics.produce("posts", &posts).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    daemon.until_log("a second one aborts").await;
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(daemon.until_ended().await.code(), Some(130));
    transaction.rollback().await.unwrap();
    assert_eq!(topics.committed("posts"), 0, "what was not stored is not committed");
}
