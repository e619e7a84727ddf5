//! ONNX Runtime's shared library, and sessions on the configured device.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ort::ep::cuda::ConvAlgorithmSearch;
use ort::ep::{CUDA, ExecutionProvider};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use super::InferenceError;

/// The configured device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The GPU if available, else the CPU; the choice is logged.
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU, or an error at start.
    Cuda,
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            other => Err(format!("{other:?} is no device; write \"auto\", \"cpu\" or \"cuda\"")),
        }
    }
}

/// The device that a session runs on, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveDevice {
    /// `cpu` or `cuda`.
    pub name: &'static str,
    /// Why this one, for the log.
    pub reason: String,
}

impl fmt::Display for ActiveDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.reason)
    }
}

/// The loaded library.
#[derive(Clone)]
pub struct Runtime {
    environment: ort::environment::Environment,
    library: PathBuf,
    device: Device,
    threads: NonZeroUsize,
}

impl Runtime {
    /// Loads the shared library.
    ///
    /// # Errors
    /// The file is missing, is not ONNX Runtime, or is too old; or CUDA is required and the library
    /// was built without it.
    pub fn load(library: &Path, device: Device, threads: NonZeroUsize) -> Result<Self, InferenceError> {
        let cannot = |detail: String| InferenceError::Library { path: library.to_owned(), detail };
        if !library.is_file() {
            return Err(cannot("there is no such file".to_owned()));
        }
        let environment = ort::init_from(library)
            .map_err(|error| cannot(error.to_string()))?
            .with_name("overheard")
            .with_telemetry(false)
            .build()
            .map_err(|error| cannot(error.to_string()))?;
        let runtime = Self { environment, library: library.to_owned(), device, threads };
        if device == Device::Cuda && !has_cuda() {
            return Err(InferenceError::Cuda(runtime.without_cuda()));
        }
        Ok(runtime)
    }

    /// The library's version, from the file `VERSION` that was fetched with it, and its build
    /// information.
    pub fn library_version(&self) -> String {
        let file = std::fs::read_to_string(self.library.with_file_name("VERSION")).unwrap_or_default();
        let version = file.split_whitespace().next().unwrap_or_default();
        format!("{version} {}", ort::info()).trim().to_owned()
    }

    fn without_cuda(&self) -> String {
        format!(
            "the library {} was built without the CUDA provider (PyPI's onnxruntime-gpu has it)",
            self.library.display()
        )
    }

    /// Opens a model from the bytes of an ONNX file.
    ///
    /// # Errors
    /// The bytes are not a model, or CUDA is required and not available (no driver, no GPU, missing
    /// CUDA or cuDNN libraries); the message has ONNX Runtime's reason.
    pub fn open(&self, model: &[u8]) -> Result<(Session, ActiveDevice), InferenceError> {
        let cpu = |reason: &str| ActiveDevice { name: "cpu", reason: reason.to_owned() };
        match self.device {
            Device::Cpu => Ok((self.session(model, false)?, cpu("inference.device is \"cpu\""))),
            Device::Auto if !has_cuda() => Ok((self.session(model, false)?, cpu(&self.without_cuda()))),
            Device::Auto => match self.session(model, true) {
                Ok(session) => Ok((session, cuda())),
                Err(error) => Ok((self.session(model, false)?, cpu(&format!("CUDA can't be had: {error}")))),
            },
            Device::Cuda => match self.session(model, true) {
                Ok(session) => Ok((session, cuda())),
                Err(error) => Err(InferenceError::Cuda(error.to_string())),
            },
        }
    }

    fn session(&self, model: &[u8], on_cuda: bool) -> Result<Session, InferenceError> {
        let mut builder = Session::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::Level3)?
            .with_intra_threads(self.threads.get())?
            .with_inter_threads(1)?
            // Spinning threads would take CPU time from tokenizing and from Postgres.
            .with_intra_op_spinning(false)?;
        if on_cuda {
            // Without `error_on_failure` a provider that fails to start is silently skipped.
            // The exhaustive search for a convolution algorithm takes seconds per new shape.
            let cuda = CUDA::default().with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic);
            builder = builder.with_execution_providers([cuda.build().error_on_failure()])?;
        }
        Ok(builder.commit_from_memory(model)?)
    }
}

/// Whether the loaded library was built with the CUDA provider.
fn has_cuda() -> bool {
    CUDA::is_available().unwrap_or(false)
}

fn cuda() -> ActiveDevice {
    ActiveDevice { name: "cuda", reason: "ONNX Runtime's CUDA provider is in place".to_owned() }
}
