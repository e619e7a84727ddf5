//! Runs the models with ONNX Runtime: library, devices, manifests, and batching.
//!
//! - `runtime` loads the shared library and opens sessions on the configured device.
//! - `manifest` reads a model's manifest and checks its files against it; `tensors` compares the
//!   network's inputs and outputs.
//! - `worker` runs a model on its own thread behind a bounded queue.
//! - `text` and `pictures` have the models.

mod error;
mod manifest;
mod pictures;
mod runtime;
mod tensors;
mod text;
mod worker;

use std::num::NonZeroUsize;
use std::path::PathBuf;

pub use error::InferenceError;
pub use manifest::{Kind, Manifest, ModelFile};
pub use pictures::{
    DetectorKind, DetectorModel, GoldenDetection, LogoDetector, PendingDetections, PictureGolden, Search,
    WindowGolden, WindowModel, WindowsKind, plan_canvases,
};
pub use runtime::{ActiveDevice, Device, Runtime};
pub use text::{
    PendingScores, Target, TextGolden, TextKind, TextModel, TextRow, TextScorer, TextTokenizer, plan_batches,
};
pub use worker::Pending;

/// How models are found and run.
#[derive(Clone, Debug)]
pub struct Options {
    /// ONNX Runtime's shared library.
    pub library: PathBuf,
    /// The folder that holds one folder per model.
    pub models: PathBuf,
    /// The device to run them on.
    pub device: Device,
    /// Threads per operator. On a busy machine one is faster than two.
    pub threads: NonZeroUsize,
    /// Names of the sentiment models: folders in `models`. A text goes to the first one that
    /// supports its language.
    pub text_models: Vec<String>,
    /// Most tokens in one batch, padding included.
    pub batch_tokens: NonZeroUsize,
    /// Capacity of each sentiment model's queue; a text takes one place per target. `submit` waits
    /// while the queue is full.
    pub queue: NonZeroUsize,
    /// Name of the logo detector: a folder in `models`.
    pub vision_model: String,
    /// Most pixels in one batch of canvases.
    pub batch_pixels: NonZeroUsize,
}
