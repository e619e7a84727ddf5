//! Puts the parts of the daemon together: models opened, clients made, nothing running yet.

use std::sync::Arc;

use anyhow::Context;

use crate::clock::Clock;
use crate::config::Settings;
use crate::health::{Health, Part};
use crate::inference::{
    self, ActiveDevice, DetectorModel, LogoDetector, ModelId, Runtime, TextModel, TextScorer, WindowModel,
};
use crate::matching::Matcher;
use crate::pipeline::Parts;
use crate::publish::Publisher;
use crate::store::Store;

/// The folder of the window classifier, which only `detect` runs.
const WINDOW_MODEL: &str = "logo-windows";

/// Loads ONNX Runtime's library. Once in a process: every model needs the same one.
pub(super) fn runtime(options: &inference::Options) -> anyhow::Result<Runtime> {
    Ok(Runtime::load(&options.library, options.device, options.threads)?)
}

/// Opens the text model where the settings say, after one real forward pass.
pub(super) fn text_scorer(runtime: &Runtime, options: &inference::Options) -> anyhow::Result<TextScorer> {
    let (model, tokenizer) = TextModel::open(runtime, &options.models.join(&options.text_model))?;
    announce("text model", &model.id(), model.device(), options);
    TextScorer::start(model, tokenizer, options).context("The model's thread can't start")
}

/// Opens the logo detector where the settings say, after one real forward pass.
pub(super) fn logo_detector(runtime: &Runtime, options: &inference::Options) -> anyhow::Result<LogoDetector> {
    let folder = options.models.join(&options.vision_model);
    let model = DetectorModel::open(runtime, &folder, options.batch_pixels)?;
    announce("logo detector", &model.id(), model.device(), options);
    LogoDetector::start(model).context("The detector's thread can't start")
}

/// Opens the window classifier beside it.
pub(super) fn window_model(runtime: &Runtime, options: &inference::Options) -> anyhow::Result<WindowModel> {
    let model = WindowModel::open(runtime, &options.models.join(WINDOW_MODEL))?;
    announce("window classifier", &model.id(), model.device(), options);
    Ok(model)
}

fn announce(what: &str, id: &ModelId, device: &ActiveDevice, options: &inference::Options) {
    tracing::info!(
        model.id = %id,
        device.name = device.name,
        library.path = %options.library.display(),
        "The {what} runs on {device}"
    );
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
    let scorer = tokio::task::spawn_blocking(move || text_scorer(&runtime(&options)?, &options)).await??;
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
