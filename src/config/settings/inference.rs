//! `[inference]` -> which models run, where and with which limits.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::{Settings, resolve};
use crate::config::default_paths::Search;
use crate::config::{ConfigError, Problems, Section};
use crate::domain::ModelId;
use crate::inference::{DetectorKind, Device, Kind, Manifest, Options, TextKind};

/// `[inference]`, before default paths are searched.
#[derive(Debug)]
pub(super) struct Inference {
    pub(super) library: Option<PathBuf>,
    pub(super) models: Option<PathBuf>,
    pub(super) device: Device,
    pub(super) threads: NonZeroUsize,
    pub(super) text_models: Vec<String>,
    pub(super) batch_tokens: NonZeroUsize,
    pub(super) queue: NonZeroUsize,
    pub(super) vision_model: String,
    pub(super) batch_pixels: NonZeroUsize,
}

const TEXT_MODEL: &str = "text_model";
const MORE_TEXT_MODELS: &str = "more_text_models";

/// Reads the section.
pub(super) fn read(root: &mut Section<'_>) -> Inference {
    let mut inference = root.section("inference");
    let options = Inference {
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
    let names = [(TEXT_MODEL, &options.text_models[..1]), (MORE_TEXT_MODELS, &options.text_models[1..])];
    for (key, names) in
        names.into_iter().chain([("vision_model", std::slice::from_ref(&options.vision_model))])
    {
        if names.iter().any(String::is_empty) {
            inference.note(key, "is empty; write the name of a folder in inference.models");
        }
    }
    if let Some(twice) = options.text_models[1..].iter().find(|name| **name == options.text_models[0]) {
        inference.note(
            MORE_TEXT_MODELS,
            format_args!("names {twice:?}, which is already text_model; leave it out"),
        );
    }
    inference.finish();
    options
}

impl Settings {
    /// How to find and run models.
    ///
    /// # Errors
    /// ONNX Runtime's library or the models were not found.
    pub fn inference(&self) -> Result<Options, ConfigError> {
        let problems = Problems::default();
        let cpu =
            Search::new(".runtime/onnxruntime/libonnxruntime.so", "/usr/lib/overheard/libonnxruntime.so");
        let library = match self.inference.device {
            Device::Cpu => cpu,
            Device::Auto | Device::Cuda => cpu.after(Search::new(
                ".runtime/onnxruntime-cuda/libonnxruntime.so",
                "/usr/lib/overheard/cuda/libonnxruntime.so",
            )),
        };
        let library = resolve(self.inference.library.as_ref(), library).unwrap_or_else(|problem| {
            let way_out = "run `make build`, or set it to the libonnxruntime.so of PyPI's onnxruntime";
            problems.note("inference.library", format_args!("{problem}; {way_out}"));
            PathBuf::new()
        });
        let models = self.models().unwrap_or_else(|problem| {
            problems.note("inference.models", problem);
            PathBuf::new()
        });
        problems.finish(Options {
            library,
            models,
            device: self.inference.device,
            threads: self.inference.threads,
            text_models: self.inference.text_models.clone(),
            batch_tokens: self.inference.batch_tokens,
            queue: self.inference.queue,
            vision_model: self.inference.vision_model.clone(),
            batch_pixels: self.inference.batch_pixels,
        })
    }

    fn models(&self) -> Result<PathBuf, String> {
        resolve(self.inference.models.as_ref(), Search::new("models", "/usr/share/overheard/models"))
    }

    /// Checks by their manifests that the text models are text models.
    ///
    /// # Errors
    /// The model is missing, or its manifest can't be used.
    pub fn check_text_models(&self) -> Result<(), ConfigError> {
        let keys = [TEXT_MODEL].into_iter().chain(std::iter::repeat(MORE_TEXT_MODELS));
        let checks = keys.zip(&self.inference.text_models);
        let checks =
            checks.map(|(key, name)| self.check_model::<TextKind>(&format!("inference.{key}"), name));
        ConfigError::together(checks.filter_map(Result::err))
    }

    /// Checks by its manifest that the vision model is a logo detector, if this process examines pictures.
    ///
    /// # Errors
    /// The model is missing, or its manifest can't be used.
    pub fn check_vision_model(&self) -> Result<(), ConfigError> {
        if !self.does_pictures {
            return Ok(());
        }
        self.check_model::<DetectorKind>("inference.vision_model", &self.inference.vision_model)
    }

    /// Name and version of each model, from the manifests.
    pub fn model_ids(&self) -> Vec<(&'static str, Result<ModelId, String>)> {
        let text =
            self.inference.text_models.iter().map(|name| ("text model", self.model_id::<TextKind>(name)));
        let vision = self.model_id::<DetectorKind>(&self.inference.vision_model);
        text.chain([("vision model", vision)]).collect()
    }

    fn model_id<K: Kind>(&self, name: &str) -> Result<ModelId, String> {
        let manifest = Manifest::<K>::read(&self.models()?.join(name));
        manifest.map(|manifest| manifest.id()).map_err(|error| error.to_string())
    }

    /// A missing folder of models is reported by [`Settings::inference`].
    fn check_model<K: Kind>(&self, key: &str, name: &str) -> Result<(), ConfigError> {
        let Ok(models) = self.models() else { return Ok(()) };
        Manifest::<K>::read(&models.join(name)).map(drop).map_err(|error| {
            let way_out = "write the name of a folder";
            ConfigError::one(format!("{key}: {error}; {way_out}, in {}", models.display()))
        })
    }
}
