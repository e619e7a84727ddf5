//! Puts the parts of the daemon together: models opened, clients made, nothing running yet.

use std::sync::Arc;

use anyhow::Context;

use crate::clock::Clock;
use crate::config::Settings;
use crate::health::{Health, Part};
use crate::inference::{self, Runtime, TextModel, TextScorer};
use crate::matching::Matcher;
use crate::pipeline::Parts;
use crate::publish::Publisher;
use crate::store::Store;

/// Opens the text model where the settings say, after one real forward pass.
pub(super) fn text_scorer(options: &inference::Options) -> anyhow::Result<TextScorer> {
    let runtime = Runtime::load(&options.library, options.device, options.threads)?;
    let (model, tokenizer) = TextModel::open(&runtime, &options.models.join(&options.text_model))?;
    tracing::info!(
        model.id = %model.id(),
        device.name = model.device().name,
        library.path = %options.library.display(),
        "The text model runs on {}",
        model.device()
    );
    TextScorer::start(model, tokenizer, options).context("The model's thread can't start")
}

/// All parts, from settings that were read before.
pub(super) async fn parts(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    health: Health,
) -> anyhow::Result<Parts> {
    let brands = settings.brands()?;
    let rules = settings.rules(&brands)?;
    let options = settings.inference()?;
    health.report(Part::TextModel, false, "loading");
    let scorer = tokio::task::spawn_blocking(move || text_scorer(&options)).await??;
    health.report(Part::TextModel, true, format!("{} on {}", scorer.model(), scorer.device()));
    Ok(Parts {
        matcher: Arc::new(Matcher::new(&brands)),
        scorer,
        store: Store::connect_lazy(settings.store.clone())?,
        publisher: Publisher::new(&settings.publish)?,
        rules: rules.into(),
        brands: brands.iter().map(|brand| brand.id.clone()).collect(),
        clock,
        health,
    })
}
