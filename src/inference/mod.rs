//! ONNX Runtime: which library and device, which models, and how texts become batches.
//!
//! - `runtime` loads the shared library and opens sessions on the device asked for.
//! - `manifest` reads what a model says of itself and holds its files to it.
//! - `tokens` turns text into token ids with the model's own tokenizer file.
//! - `batch` cuts a window of texts into batches of similar length.
//! - `text_model` runs the sentiment network on one batch.
//! - `scorer` owns the model on a thread of its own, fed by a bounded queue.

mod batch;
mod error;
mod manifest;
mod runtime;
mod scorer;
mod text_model;
mod tokens;

use std::num::NonZeroUsize;
use std::path::PathBuf;

pub use batch::plan_batches;
pub use error::InferenceError;
pub use manifest::{Manifest, ModelId};
pub use runtime::{ActiveDevice, Device, Runtime};
pub use scorer::{PendingScore, TextScorer};
pub use text_model::TextModel;
pub use tokens::TextTokenizer;

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
    /// Name of the sentiment model: a folder in `models`.
    pub text_model: String,
    /// Most tokens in one batch, padding counted.
    pub batch_tokens: NonZeroUsize,
    /// Texts that may wait for the model before `submit` waits too.
    pub queue: NonZeroUsize,
}
