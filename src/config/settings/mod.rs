//! The settings of every component, each read and checked here once.
//!
//! - `kafka` reads `[kafka]`, and what goes on to librdkafka.
//! - `media` reads `[media]`.
//! - `pictures` reads `[pictures]`.
//! - `postgres` reads `[postgres]`.
//! - `secrets` reads passwords, from the key itself or from a file.

mod kafka;
mod media;
mod pictures;
mod postgres;
mod secrets;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::alerting::{Condition, Rule};
use crate::domain::{Brand, BrandId, ModelId};
use crate::inference::{DetectorKind, Device, Kind, Manifest, TextKind};
use crate::{admin, inference, pipeline, publish, source, store, telemetry};

use super::layers::{Layered, lay};
use super::places::Search;
use super::{Bytes, ConfigError, Problems, Section, read_brands, read_rules};

/// Everything that the daemon is told, checked. What needs files that not every command needs
/// (the library, the models, brands and rules) is resolved when it is asked for.
#[derive(Debug)]
pub struct Settings {
    /// Kafka in.
    pub source: source::Options,
    /// Kafka out.
    pub publish: publish::Options,
    /// Postgres.
    pub store: store::Options,
    /// Pictures from other people's servers.
    pub media: crate::media::Options,
    /// How pictures are looked at.
    pub pictures: pipeline::PictureOptions,
    /// The post's way.
    pub pipeline: pipeline::Options,
    /// Whether this process consumes posts.
    pub does_text: bool,
    /// Whether this process looks at pictures.
    pub does_pictures: bool,
    /// HTTP for operators.
    pub admin: admin::Options,
    /// Logs.
    pub log: telemetry::Options,
    model: ModelSettings,
    brands: Option<PathBuf>,
    rules: Option<PathBuf>,
}

/// What `[inference]` says, before places are looked for.
#[derive(Debug)]
struct ModelSettings {
    library: Option<PathBuf>,
    models: Option<PathBuf>,
    device: Device,
    threads: NonZeroUsize,
    text_models: Vec<String>,
    batch_tokens: NonZeroUsize,
    queue: NonZeroUsize,
    vision_model: String,
    batch_pixels: NonZeroUsize,
}

impl Settings {
    /// Reads a file (if given) and the environment over the defaults.
    ///
    /// # Errors
    /// The file can't be read, or every problem with its contents at once.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let text = file.map(|path| read(path).map(|text| (path.display().to_string(), text))).transpose()?;
        let named = text.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
        Self::from_layers(lay(named, std::env::vars_os())?)
    }

    /// The defaults alone, for what must work whatever the configuration is.
    ///
    /// # Errors
    /// Every problem at once; a test knows that there is none.
    pub fn defaults() -> Result<Self, ConfigError> {
        Self::from_layers(lay(None, std::iter::empty::<(OsString, OsString)>())?)
    }

    /// The defaults with the demo's changes. Of the environment, only where models run and how
    /// counts: an address meant for the daemon must not reach the demo.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn for_demo(changes: &str) -> Result<Self, ConfigError> {
        let models_only = std::env::vars_os()
            .filter(|(name, _)| name.to_string_lossy().starts_with("OVERHEARD__INFERENCE__"));
        Self::from_layers(lay(Some(("the demo", changes)), models_only)?)
    }

    fn from_layers(layers: Layered) -> Result<Self, ConfigError> {
        let problems = Problems::with_origins(layers.origins);
        for name in &layers.unreadable {
            problems.note(name, "this environment variable is not UTF-8; set it anew, or unset it");
        }
        let mut root = Section::root(layers.table, &problems);

        let mut way = root.section("pipeline");
        let queue = way.within("queue", 1..=1_000_000);

        let Bytes(in_flight_bytes) = way.within("in_flight", 1 << 20..=64 << 30);

        let (source, publish, formats) = kafka::read(&mut root, queue, in_flight_bytes);
        let media = media::read(&mut root);
        let pictures = pictures::read(&mut root, &media);
        let store = postgres::read(&mut root, pictures.store);
        let model = read_model(&mut root);

        let mut brands = root.section("brands");
        let brands_file = brands.optional("file");
        brands.finish();

        let mut alerts = root.section("alerts");
        let rules_file = alerts.optional("file");
        let pauses = Duration::from_millis(1)..=Duration::from_hours(1);
        let evaluate_every = alerts.within("every", pauses.clone());
        let publish_every = alerts.within("publish_every", pauses);
        alerts.finish();

        let pipeline = pipeline::Options {
            formats,
            queue,
            batch_posts: way.within("batch_posts", 1..=10_000),
            batch_wait: way.within("batch_wait", Duration::from_millis(1)..=Duration::from_mins(1)),
            keep_unnamed: way.required("keep_unnamed"),
            shutdown_deadline: way
                .within("shutdown_deadline", Duration::from_secs(1)..=Duration::from_mins(10)),
            evaluate_every,
            publish_every,
        };
        if problems.is_sound("kafka.session_timeout") && pipeline.shutdown_deadline >= source.session_timeout
        {
            way.note(
                "shutdown_deadline",
                "must be below kafka.session_timeout, or the partitions go to others before the last commit",
            );
        }
        let does_text: bool = way.required("text");
        let does_pictures = way.required::<bool>("pictures") && pictures.enabled;
        if !does_text && !does_pictures && problems.is_sound("pictures.enabled") {
            way.note(
                "text",
                "is false, and pictures are not looked at either: the process would have nothing to do",
            );
        }
        way.finish();

        let mut listener = root.section("admin");
        let admin = admin::Options {
            listen: listener.required("listen"),
            stall_after: listener.within("stall_after", Duration::from_secs(5)..=Duration::from_hours(1)),
        };
        if problems.is_sound("kafka.drain_timeout") && admin.stall_after <= source.drain_timeout {
            listener.note(
                "stall_after",
                "must be above kafka.drain_timeout, during which the consumer stands still",
            );
        }
        listener.finish();

        let mut log = root.section("log");
        let telemetry = telemetry::Options {
            format: log.parsed("format").unwrap_or(telemetry::Format::Text),
            filter: log.required("filter"),
        };
        if let Err(problem) = telemetry.check() {
            log.note("filter", problem);
        }
        log.finish();
        root.finish();

        problems.finish(Self {
            source,
            publish,
            store,
            media,
            pictures: pictures.workers,
            pipeline,
            does_text,
            does_pictures,
            admin,
            log: telemetry,
            model,
            brands: brands_file,
            rules: rules_file,
        })
    }

    /// How to find and run models.
    ///
    /// # Errors
    /// ONNX Runtime's library or the models are in none of the places looked at.
    pub fn inference(&self) -> Result<inference::Options, ConfigError> {
        let problems = Problems::default();
        let cpu =
            Search::new(".runtime/onnxruntime/libonnxruntime.so", "/usr/lib/overheard/libonnxruntime.so");
        let library = match self.model.device {
            Device::Cpu => cpu,
            Device::Auto | Device::Cuda => cpu.after(Search::new(
                ".runtime/onnxruntime-cuda/libonnxruntime.so",
                "/usr/lib/overheard/cuda/libonnxruntime.so",
            )),
        };
        let library = resolve(self.model.library.as_ref(), library).unwrap_or_else(|problem| {
            let way_out = "run `make build`, or set it to the libonnxruntime.so of PyPI's onnxruntime";
            problems.note("inference.library", format_args!("{problem}; {way_out}"));
            PathBuf::new()
        });
        let models = self.models().unwrap_or_else(|problem| {
            problems.note("inference.models", problem);
            PathBuf::new()
        });
        problems.finish(inference::Options {
            library,
            models,
            device: self.model.device,
            threads: self.model.threads,
            text_models: self.model.text_models.clone(),
            batch_tokens: self.model.batch_tokens,
            queue: self.model.queue,
            vision_model: self.model.vision_model.clone(),
            batch_pixels: self.model.batch_pixels,
        })
    }

    fn models(&self) -> Result<PathBuf, String> {
        resolve(self.model.models.as_ref(), Search::new("models", "/usr/share/overheard/models"))
    }

    /// Looks whether the text models are such, by their manifests.
    ///
    /// # Errors
    /// The folder has no such model, or its manifest can't be used.
    pub fn check_text_models(&self) -> Result<(), ConfigError> {
        let keys = [TEXT_MODEL].into_iter().chain(std::iter::repeat(MORE_TEXT_MODELS));
        let checks = keys.zip(&self.model.text_models);
        let checks =
            checks.map(|(key, name)| self.check_model::<TextKind>(&format!("inference.{key}"), name));
        ConfigError::together(checks.filter_map(Result::err))
    }

    /// Looks whether the logo detector is one, by its manifest, where this process looks at pictures.
    ///
    /// # Errors
    /// The folder has no such model, or its manifest can't be used.
    pub fn check_vision_model(&self) -> Result<(), ConfigError> {
        if !self.does_pictures {
            return Ok(());
        }
        self.check_model::<DetectorKind>("inference.vision_model", &self.model.vision_model)
    }

    /// Name and version of each model, by what their manifests say.
    pub fn model_ids(&self) -> Vec<(&'static str, Result<ModelId, String>)> {
        let text = self.model.text_models.iter().map(|name| ("text model", self.model_id::<TextKind>(name)));
        let vision = self.model_id::<DetectorKind>(&self.model.vision_model);
        text.chain([("vision model", vision)]).collect()
    }

    fn model_id<K: Kind>(&self, name: &str) -> Result<ModelId, String> {
        let manifest = Manifest::<K>::read(&self.models()?.join(name));
        manifest.map(|manifest| manifest.id()).map_err(|error| error.to_string())
    }

    /// Where there is no folder of models at all, [`Settings::inference`] says so.
    fn check_model<K: Kind>(&self, key: &str, name: &str) -> Result<(), ConfigError> {
        let Ok(models) = self.models() else { return Ok(()) };
        Manifest::<K>::read(&models.join(name)).map(drop).map_err(|error| {
            let way_out = "write the name of a folder that is there";
            ConfigError::one(format!("{key}: {error}; {way_out}, in {}", models.display()))
        })
    }

    /// Whom to listen for.
    ///
    /// # Errors
    /// The file is in none of the places looked at, or every problem with its contents at once.
    pub fn brands(&self) -> Result<Vec<Brand>, ConfigError> {
        let path =
            resolve(self.brands.as_ref(), Search::new("config/brands.toml", "/etc/overheard/brands.toml"))
                .map_err(|problem| ConfigError::one(format!("brands.file: {problem}")))?;
        read_brands(&read(&path)?).map_err(|error| error.within(&path))
    }

    /// When to raise an alert.
    ///
    /// # Errors
    /// The file is in none of the places looked at, or every problem with its contents at once.
    pub fn rules(&self, brands: &[Brand]) -> Result<Vec<Rule>, ConfigError> {
        let path =
            resolve(self.rules.as_ref(), Search::new("config/alerts.toml", "/etc/overheard/alerts.toml"))
                .map_err(|problem| ConfigError::one(format!("alerts.file: {problem}")))?;
        let known: Vec<BrandId> = brands.iter().map(|brand| brand.id.clone()).collect();
        let rules = read_rules(&read(&path)?, &known).map_err(|error| error.within(&path))?;
        let longest = rules.iter().filter_map(|rule| match rule.condition {
            Condition::Volume { baseline, .. } => Some(baseline),
            Condition::NegativeShare { .. } => None,
        });
        match (self.store.retention_counts, longest.max()) {
            (Some(kept), Some(longest)) if kept < longest => Err(ConfigError::one(format!(
                "postgres.retention_counts: {kept:?} is shorter than a rule's baseline of {longest:?} in {}",
                path.display()
            ))),
            _ => Ok(rules),
        }
    }
}

const TEXT_MODEL: &str = "text_model";
const MORE_TEXT_MODELS: &str = "more_text_models";

fn read_model(root: &mut Section<'_>) -> ModelSettings {
    let mut inference = root.section("inference");
    let model = ModelSettings {
        library: inference.optional("library"),
        models: inference.optional("models"),
        device: inference.parsed("device").unwrap_or(Device::Auto),
        threads: inference.within("threads", 1..=256),
        text_models: [inference.required(TEXT_MODEL)]
            .into_iter()
            .chain(inference.required::<Vec<String>>(MORE_TEXT_MODELS))
            .collect(),
        batch_tokens: inference.within("batch_tokens", 1..=1_000_000),
        queue: inference.within("queue", 1..=1_000_000),
        vision_model: inference.required("vision_model"),
        batch_pixels: inference.within("batch_pixels", 1..=1 << 30),
    };
    let names = [(TEXT_MODEL, &model.text_models[..1]), (MORE_TEXT_MODELS, &model.text_models[1..])];
    for (key, names) in names.into_iter().chain([("vision_model", std::slice::from_ref(&model.vision_model))])
    {
        if names.iter().any(String::is_empty) {
            inference.note(key, "is empty; write the name of a folder in inference.models");
        }
    }
    if let Some(twice) = model.text_models[1..].iter().find(|name| **name == model.text_models[0]) {
        inference.note(
            MORE_TEXT_MODELS,
            format_args!("names {twice:?}, which is text_model already; leave it out"),
        );
    }
    inference.finish();
    model
}

fn resolve(named: Option<&PathBuf>, search: Search) -> Result<PathBuf, String> {
    match named {
        Some(path) if path.exists() => Ok(path.clone()),
        Some(path) => Err(format!("{} does not exist", path.display())),
        None => search.find(),
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|error| ConfigError::one(format!("{} can't be read: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_right() {
        let settings = Settings::defaults().unwrap();
        assert_eq!(settings.source.in_flight_bytes, 256 << 20);
        assert_eq!(settings.store.retention_posts, None);
    }
}
