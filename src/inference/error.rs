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
        /// What the loader said.
        detail: String,
    },
    /// CUDA was asked for and can't be had.
    #[error("inference.device is \"cuda\", but {0}; set it to \"auto\" or \"cpu\" to run without a GPU")]
    Cuda(String),
    /// A file of the model can't be read.
    #[error(
        "{path} can't be read: {detail}; inference.models must name the folder that holds the model folders, and other settings in [inference] which of them"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The manifest is not one, or does not describe a model of this kind.
    #[error("{path} is no usable manifest: {detail}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The model's files are not what the manifest says.
    #[error("The model {model} does not fit its manifest: {difference}")]
    Mismatch {
        /// The model.
        model: String,
        /// What the manifest says and what the file has.
        difference: String,
    },
    /// The tokenizer failed on a text.
    #[error("The text can't be tokenized: {0}")]
    Tokenizer(String),
    /// A picture can't be made ready for the network.
    #[error("The picture can't be prepared: {0}")]
    Picture(String),
    /// ONNX Runtime failed.
    #[error("ONNX Runtime failed: {0}")]
    Runtime(String),
    /// The model gave numbers that are no probabilities.
    #[error(transparent)]
    Score(#[from] crate::domain::SentimentError),
    /// The thread that owns the model has ended, also since the runtime broke: the fault of
    /// no text and no picture.
    #[error("The model's thread has ended")]
    Stopped,
}

impl<R> From<ort::Error<R>> for InferenceError {
    fn from(error: ort::Error<R>) -> Self {
        Self::Runtime(error.message().to_owned())
    }
}
