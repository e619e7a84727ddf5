//! ONNX Runtime: which library and device, which models, and how texts and pictures become batches.
//!
//! - `runtime` loads the shared library and opens sessions on the device asked for.
//! - `manifest` reads what a model says of itself and holds its files to it; `kinds` has what only
//!   one kind of model says, `tensors` what a network takes and gives.
//! - `batch` cuts a window into batches of similar length or of one size.
//! - `worker` owns a model on a thread of its own, fed by a bounded queue.
//!
//! Texts: `tokens` turns text into token ids with the model's own tokenizer file, `text_model`
//! runs the sentiment network on one batch, `scorer` does it on a thread, `scorers` asks the model
//! of a text's language.
//!
//! Pictures: `canvas` scales and cuts, `detector_model` runs the one-pass detector on canvases,
//! `logo_detector` does it on a thread, `looking` brings together what the views of a picture show,
//! `window_model` searches with windows, `detection` judges what they propose.

mod batch;
mod canvas;
mod detection;
mod detector_model;
mod error;
mod kinds;
mod logo_detector;
mod looking;
mod manifest;
mod runtime;
mod scorer;
mod scorers;
mod tensors;
mod text_model;
mod tokens;
mod window_model;
mod worker;

use std::num::NonZeroUsize;
use std::path::PathBuf;

pub use batch::{plan_batches, plan_canvases};
pub use detection::Detection;
pub use detector_model::DetectorModel;
pub use error::InferenceError;
pub use kinds::{
    DetectorKind, GoldenSighting, PictureGolden, TextGolden, TextKind, WindowGolden, WindowsKind,
};
pub use logo_detector::{LogoDetector, PendingSightings};
pub use manifest::{Kind, Manifest, ModelFile};
pub use runtime::{ActiveDevice, Device, Runtime};
pub use scorer::{PendingScores, TextScorer};
pub use scorers::{PendingJudgements, TextScorers};
pub use text_model::{TextModel, TextRow};
pub use tokens::{Target, TextTokenizer};
pub use window_model::{Search, WindowModel};
pub use worker::Pending;

/// How models are found and run.
#[derive(Clone, Debug)]
pub struct Options {
    /// ONNX Runtime's shared library.
    pub library: PathBuf,
    /// The folder that holds one folder per model.
    pub models: PathBuf,
    /// Where to run them.
    pub device: Device,
    /// Threads within one operator. On a busy machine one is faster than two.
    pub threads: NonZeroUsize,
    /// Names of the sentiment models: folders in `models`. The first that scores the language of a
    /// text scores it.
    pub text_models: Vec<String>,
    /// Most tokens in one batch, padding counted.
    pub batch_tokens: NonZeroUsize,
    /// Texts that may wait for the model before `submit` waits too.
    pub queue: NonZeroUsize,
    /// Name of the logo detector: a folder in `models`.
    pub vision_model: String,
    /// Most pixels in one batch of canvases.
    pub batch_pixels: NonZeroUsize,
}
