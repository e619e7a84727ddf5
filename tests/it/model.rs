//! The shipped models for texts, through the same code as the daemon's.

use std::path::PathBuf;

use overheard::domain::{Sentiment, Span};
use overheard::health::Health;
use overheard::inference::{Manifest, Options, Target, TextKind, TextModel, TextRow, TextScorer};

use crate::support::models::{options, runtime};

fn folder(options: &Options) -> PathBuf {
    options.models.join(&options.text_models[0])
}

fn scorer() -> TextScorer {
    scorer_of(&options())
}

fn scorer_of(options: &Options) -> TextScorer {
    let (model, tokenizer) = TextModel::open(runtime(options), &folder(options)).unwrap();
    TextScorer::start(model, tokenizer, options, &Health::new()).unwrap()
}

const WHOLE: &[Option<Span>] = &[None];

async fn score(scorer: &TextScorer, text: &str) -> Sentiment {
    scorer.submit(text, WHOLE).await.unwrap().all().await.unwrap()[0]
}

/// Training and daemon give the same answers: same preparation of text, same network.
#[tokio::test(flavor = "multi_thread")]
async fn the_goldens_of_the_manifests_hold() {
    for model in ["sentiment", "languages", "film-reviews"] {
        goldens_hold(&Options { text_models: vec![model.to_owned()], ..options() }).await;
    }
}

async fn goldens_hold(options: &Options) {
    let manifest = Manifest::<TextKind>::read(&folder(options)).unwrap();
    assert!(manifest.kind.goldens.len() >= 10);
    let scorer = scorer_of(options);
    // All at once, so that they share padded batches.
    let mut pending = Vec::new();
    for golden in &manifest.kind.goldens {
        pending.push(scorer.submit(&golden.text, WHOLE).await.unwrap());
    }
    for (golden, score) in manifest.kind.goldens.iter().zip(pending) {
        let score = score.all().await.unwrap()[0];
        let found = [score.negative(), score.neutral(), score.positive()];
        for (found, expected) in found.iter().zip(golden.probabilities) {
            assert!((found - expected).abs() < 1e-3, "{:?}: {found} is not {expected}", golden.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_scores_the_same_alone_and_among_others() {
    let scorer = scorer();
    let text = "The new release is wonderful, thank you";
    let alone = score(&scorer, text).await;
    let long = "and another thing about it ".repeat(200);
    let mut pending = Vec::new();
    for _ in 0..20 {
        pending.push(scorer.submit(&long, WHOLE).await.unwrap());
        pending.push(scorer.submit(text, WHOLE).await.unwrap());
        pending.push(scorer.submit("", WHOLE).await.unwrap());
    }
    for (index, score) in pending.into_iter().enumerate() {
        let score = score.all().await.unwrap()[0];
        if index % 3 == 1 {
            assert!((score.polarity() - alone.polarity()).abs() < 1e-5);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_text_gets_a_score() {
    let scorer = scorer();
    for text in [
        "",
        " ",
        "\u{0}",
        "👩‍👩‍👧‍👦👩‍👩‍👧‍👦",
        "ﷺ",
        "a\u{301}\u{302}",
        "\u{202e}abc",
        &"x".repeat(100_000),
        &"😀".repeat(5000),
    ] {
        let score = score(&scorer, text).await;
        assert!((-1.0..=1.0).contains(&score.polarity()));
    }
}

/// What tells a text's error from the runtime's: after the former the probe still runs.
#[test]
fn an_impossible_text_fails_and_leaves_the_model_usable() {
    let options = options();
    let (mut model, _) = TextModel::open(runtime(&options), &folder(&options)).unwrap();
    for _ in 0..3 {
        let error =
            model.run(&[TextRow { ids: &[i64::MAX], target: Target::default() }]).unwrap_err().to_string();
        assert!(error.contains("out of data bounds"), "{error}");
        model.probe().unwrap();
    }
}
