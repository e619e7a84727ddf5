//! What can go wrong between a model file and a score.

use std::path::PathBuf;

/// Why a model can't be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// The shared library can't be loaded.
    #[error(
        "ONNX Runtime's library {path} can't be loaded: {detail}; run `make build`, or point inference.library at the libonnxruntime.so of release 1.24 or later"
    )]
    Library {
        /// The file.
        path: PathBuf,
        /// The loader's message.
        detail: String,
    },
    /// CUDA is required but not available.
    #[error("inference.device is \"cuda\", but {0}; set it to \"auto\" or \"cpu\" to run without a GPU")]
    Cuda(String),
    /// A model file can't be read.
    #[error(
        "{path} can't be read: {detail}; inference.models must name the folder that holds the model folders, and other settings in [inference] which of them"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// The system's message.
        detail: String,
    },
    /// The manifest can't be parsed, or describes a model of another kind or one that can't be run.
    #[error("{path} is no usable manifest: {detail}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The model's files differ from the manifest.
    #[error("The model {model} does not fit its manifest: {difference}")]
    Mismatch {
        /// The model.
        model: String,
        /// What the manifest says and what was found.
        difference: String,
    },
    /// The tokenizer failed on a text.
    #[error("The text can't be tokenized: {0}")]
    Tokenizer(String),
    /// A picture can't be scaled for the network.
    #[error("The picture can't be prepared: {0}")]
    Picture(String),
    /// ONNX Runtime failed, or its output is malformed.
    #[error("ONNX Runtime failed: {0}")]
    Runtime(String),
    /// The model's output is not a probability distribution.
    #[error(transparent)]
    Score(#[from] crate::domain::SentimentError),
    /// The model's thread has ended, for example because the runtime broke. No text or picture is
    /// at fault.
    #[error("The model's thread has ended")]
    Stopped,
}

impl<R> From<ort::Error<R>> for InferenceError {
    fn from(error: ort::Error<R>) -> Self {
        Self::Runtime(error.message().to_owned())
    }
}
