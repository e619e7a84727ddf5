//! Puts the daemon's components together from settings: models opened, clients made, nothing running
//! yet.

use std::sync::Arc;

use anyhow::Context;

use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::ModelId;
use crate::health::{Health, Part};
use crate::inference::{
    self, ActiveDevice, DetectorModel, LogoDetector, Runtime, TextModel, TextScorer, WindowModel,
};
use crate::media::{Decoders, DecodersOptions, Fetcher};
use crate::pipeline::{Components, Current, Judge, Listening, PictureComponents};
use crate::publish::Publisher;
use crate::store::Store;

/// The folder of the window classifier, which only `detect` runs.
const WINDOW_MODEL: &str = "logo-windows";

/// Loads ONNX Runtime's library. Once in a process: all models share it.
pub fn runtime(options: &inference::Options) -> anyhow::Result<Runtime> {
    Ok(Runtime::load(&options.library, options.device, options.threads)?)
}

/// Opens all text models that the settings name; each runs one real forward pass first.
pub fn judge(runtime: &Runtime, options: &inference::Options, health: &Health) -> anyhow::Result<Judge> {
    let scorers = options.text_models.iter().map(|name| text_scorer(runtime, options, name, health));
    Ok(Judge::new(scorers.collect::<anyhow::Result<_>>()?))
}

/// Opens one text model; it runs one real forward pass first.
pub fn text_scorer(
    runtime: &Runtime,
    options: &inference::Options,
    name: &str,
    health: &Health,
) -> anyhow::Result<TextScorer> {
    let (model, tokenizer) = TextModel::open(runtime, &options.models.join(name))?;
    announce("text model", &model.id(), model.device(), options);
    TextScorer::start(model, tokenizer, options, health).context("The model's thread can't start")
}

/// Opens the logo detector; it runs one real forward pass first.
pub fn logo_detector(
    runtime: &Runtime,
    options: &inference::Options,
    health: &Health,
) -> anyhow::Result<LogoDetector> {
    let folder = options.models.join(&options.vision_model);
    let model = DetectorModel::open(runtime, &folder, options.batch_pixels)?;
    announce("logo detector", &model.id(), model.device(), options);
    LogoDetector::start(model, health).context("The detector's thread can't start")
}

/// Opens the window classifier.
pub fn window_model(runtime: &Runtime, options: &inference::Options) -> anyhow::Result<WindowModel> {
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

/// The components of a process.
pub struct Assembly {
    /// Postgres.
    pub store: Store,
    /// Brands and rules, which both work by.
    pub listening: Current,
    /// What processes posts, where this process does.
    pub text: Option<Components>,
    /// What processes pictures, where this process does.
    pub pictures: Option<PictureComponents>,
}

/// Opens the models and makes the clients, as the settings say.
///
/// # Errors
/// What can't be read, loaded or made, for a person to read.
pub async fn assemble(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    health: Health,
) -> anyhow::Result<Assembly> {
    let brands = settings.brands()?;
    let rules = settings.rules(&brands)?;
    let listening = Current::new(Listening::new(&brands, rules));
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
    // Text models are needed for pictures, too: a post that shows a brand and names none is scored
    // with its pictures.
    let (judge, detector) = tokio::task::spawn_blocking(move || {
        let runtime = runtime(&options)?;
        let judge = judge(&runtime, &options, &reporting)?;
        let running = judge.scorers().map(|scorer| format!("{} on {}", scorer.model(), scorer.device()));
        reporting.report(Part::TextModel, true, running.collect::<Vec<_>>().join("; "));
        let detector = does_pictures.then(|| logo_detector(&runtime, &options, &reporting)).transpose()?;
        if let Some(detector) = &detector {
            let running = format!("{} on {}", detector.model(), detector.device());
            reporting.report(Part::VisionModel, true, running);
        }
        anyhow::Ok((judge, detector))
    })
    .await??;
    let store = Store::connect_lazy(settings.store.clone())?;
    let pictures = match detector {
        None => None,
        Some(detector) => Some(PictureComponents {
            store: store.clone(),
            fetcher: Fetcher::new(&settings.media, clock.clone())?,
            decoders: Decoders::new(DecodersOptions {
                children: settings.pictures.decoders,
                memory: settings.media.memory,
                timeout: settings.media.decode_timeout,
                max_bytes: settings.media.max_bytes,
                max_pixels: settings.media.max_pixels,
                longest_side: detector.sufficient_side(),
            }),
            detector,
            judge: judge.clone(),
            listening: listening.clone(),
            clock: clock.clone(),
            health: health.clone(),
            options: settings.pictures,
        }),
    };
    let text = if settings.does_text {
        Some(Components {
            listening: listening.clone(),
            judge,
            pseudonyms: settings.pseudonyms.clone(),
            store: store.clone().reading_as(&settings.source.group),
            publisher: Publisher::new(&settings.publish)?,
            clock,
            health,
        })
    } else {
        None
    };
    Ok(Assembly { store, listening, text, pictures })
}
