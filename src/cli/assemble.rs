//! Puts the parts of the daemon together: models opened, clients made, nothing running yet.

use std::sync::Arc;

use anyhow::Context;

use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::ModelId;
use crate::health::{Health, Part};
use crate::inference::{
    self, ActiveDevice, DetectorModel, LogoDetector, Runtime, TextModel, TextScorer, TextScorers, WindowModel,
};
use crate::matching::Matcher;
use crate::media::Fetcher;
use crate::pipeline::{Parts, PictureParts};
use crate::publish::Publisher;
use crate::store::Store;

/// The folder of the window classifier, which only `detect` runs.
const WINDOW_MODEL: &str = "logo-windows";

/// Loads ONNX Runtime's library. Once in a process: every model needs the same one.
pub(super) fn runtime(options: &inference::Options) -> anyhow::Result<Runtime> {
    Ok(Runtime::load(&options.library, options.device, options.threads)?)
}

/// Opens the text models where the settings say, each after one real forward pass.
pub(super) fn text_scorers(runtime: &Runtime, options: &inference::Options) -> anyhow::Result<TextScorers> {
    let scorers = options.text_models.iter().map(|name| text_scorer(runtime, options, name));
    Ok(TextScorers::new(scorers.collect::<anyhow::Result<_>>()?))
}

/// Opens one text model of those that are there.
pub(super) fn text_scorer(
    runtime: &Runtime,
    options: &inference::Options,
    name: &str,
) -> anyhow::Result<TextScorer> {
    let (model, tokenizer) = TextModel::open(runtime, &options.models.join(name))?;
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

/// What this process does, put together.
pub(super) struct Assembled {
    /// Keeps rows.
    pub(super) store: Store,
    /// The post's way, where this process goes it.
    pub(super) text: Option<Parts>,
    /// The picture's way, where this process goes it.
    pub(super) pictures: Option<PictureParts>,
}

/// All parts, from settings that were read before.
pub(super) async fn assemble(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    health: Health,
) -> anyhow::Result<Assembled> {
    let brands = settings.brands()?;
    let rules = settings.rules(&brands)?;
    let options = settings.inference()?;
    health.report(Part::TextModel, false, "loading");
    if settings.does_pictures {
        health.report(Part::VisionModel, false, "loading");
    }
    if !settings.does_text {
        health.leave_out(Part::Kafka);
        health.leave_out(Part::Output);
    }
    let (reporting, does_pictures) = (health.clone(), settings.does_pictures);
    // A post that shows a brand and names none is scored where its pictures are looked at.
    let (scorers, detector) = tokio::task::spawn_blocking(move || {
        let runtime = runtime(&options)?;
        let scorers = text_scorers(&runtime, &options)?;
        let running = scorers.iter().map(|scorer| format!("{} on {}", scorer.model(), scorer.device()));
        reporting.report(Part::TextModel, true, running.collect::<Vec<_>>().join("; "));
        let detector = does_pictures.then(|| logo_detector(&runtime, &options)).transpose()?;
        if let Some(detector) = &detector {
            let running = format!("{} on {}", detector.model(), detector.device());
            reporting.report(Part::VisionModel, true, running);
        }
        anyhow::Ok((scorers, detector))
    })
    .await??;
    let store = Store::connect_lazy(settings.store.clone())?;
    let pictures = match detector {
        None => None,
        Some(detector) => Some(PictureParts {
            store: store.clone(),
            fetcher: Fetcher::new(&settings.media, clock.clone())?,
            detector,
            scorers: scorers.clone(),
            logos: Arc::new(brands.iter().map(|brand| (brand.logo.clone(), brand.id.clone())).collect()),
            clock: clock.clone(),
            health: health.clone(),
            options: settings.pictures,
        }),
    };
    let text = if settings.does_text {
        Some(Parts {
            matcher: Arc::new(Matcher::new(&brands)),
            scorers,
            store: store.clone(),
            publisher: Publisher::new(&settings.publish)?,
            rules: rules.into(),
            brands: brands.iter().map(|brand| brand.id.clone()).collect(),
            clock,
            health,
        })
    } else {
        None
    };
    Ok(Assembled { store, text, pictures })
}
