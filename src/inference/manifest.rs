//! A model's manifest: what its files must be, and what it was measured to do.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use ort::session::Session;
use ort::value::{Outlet, ValueType};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::InferenceError;
use crate::domain::Label;

/// Name and version of a model, as rows carry it: `sentiment@1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelId(String);

impl ModelId {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One file that belongs to a model.
#[derive(Clone, Debug, Deserialize)]
pub struct ModelFile {
    /// Path below the model's folder.
    pub path: PathBuf,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// A size along one axis: a number, or a name where it varies.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Dimension {
    /// Always this many.
    Fixed(i64),
    /// Varies, under this name.
    Named(String),
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// An input or output of the network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TensorSpec {
    /// Its name in the graph.
    pub name: String,
    /// Element type, such as `int64` or `float32`.
    #[serde(rename = "type")]
    pub element: String,
    /// Sizes.
    pub shape: Vec<Dimension>,
}

impl fmt::Display for TensorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape: Vec<_> = self.shape.iter().map(ToString::to_string).collect();
        write!(f, "{} {} [{}]", self.name, self.element, shape.join(", "))
    }
}

/// A known text with the probabilities that the exported file gave when it was made.
#[derive(Clone, Debug, Deserialize)]
pub struct Golden {
    /// The text.
    pub text: String,
    /// Negative, neutral, positive.
    pub probabilities: [f32; 3],
}

/// What `manifest.json` says. Fields that only people read are left out.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest {
    format: u32,
    /// Name of the model.
    pub name: String,
    /// Its version.
    pub version: String,
    kind: String,
    /// Its files by role.
    pub files: BTreeMap<String, ModelFile>,
    /// Inputs of the network.
    pub inputs: Vec<TensorSpec>,
    /// Outputs of the network.
    pub outputs: Vec<TensorSpec>,
    /// What the last axis of the output stands for.
    pub labels: Vec<String>,
    /// The id that fills short rows.
    pub pad_id: u32,
    /// The id that stands for a text without any token.
    pub empty_id: u32,
    /// Longest text in tokens; what is longer is cut.
    pub max_tokens: usize,
    /// Known answers.
    #[serde(default)]
    pub goldens: Vec<Golden>,
    #[serde(skip)]
    folder: PathBuf,
}

/// The metadata key under which the ONNX file itself names its labels, separated by commas.
const LABELS_KEY: &str = "labels";

impl Manifest {
    /// Reads `manifest.json` of a text model's folder.
    ///
    /// # Errors
    /// The file can't be read or parsed, or describes a model that this program can't run.
    pub fn read(folder: &Path) -> Result<Self, InferenceError> {
        let path = folder.join("manifest.json");
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        let wrong = |detail: String| InferenceError::Manifest { path: path.clone(), detail };
        let mut manifest: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        folder.clone_into(&mut manifest.folder);
        if manifest.format != 1 {
            return Err(wrong(format!("its format is {}, and this program reads format 1", manifest.format)));
        }
        if manifest.kind != "text-sentiment" {
            return Err(wrong(format!(
                "its kind is {:?}, and a text model's is \"text-sentiment\"",
                manifest.kind
            )));
        }
        let expected: Vec<_> = Label::ALL.iter().map(|label| label.as_str()).collect();
        if manifest.labels != expected {
            return Err(wrong(format!(
                "its labels are {:?}, and must be {expected:?} in this order",
                manifest.labels
            )));
        }
        if manifest.max_tokens == 0 {
            return Err(wrong("max_tokens is 0".to_owned()));
        }
        Ok(manifest)
    }

    /// Name and version.
    pub fn id(&self) -> ModelId {
        ModelId(format!("{}@{}", self.name, self.version))
    }

    /// The bytes of one of its files, held to their hash.
    ///
    /// # Errors
    /// The file is not listed, can't be read, or has another hash.
    pub fn file(&self, role: &str) -> Result<Vec<u8>, InferenceError> {
        let Some(file) = self.files.get(role) else {
            return Err(self.mismatch(format!("it lists no file for the role \"{role}\"")));
        };
        let path = self.folder.join(&file.path);
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        let found = hex(&Sha256::digest(&bytes));
        if found != file.sha256.to_lowercase() {
            let path = file.path.display();
            return Err(self.mismatch(format!(
                "{path} has SHA-256 {found}, the manifest says {}; fetch the file again, or train and export anew",
                file.sha256
            )));
        }
        Ok(bytes)
    }

    /// Holds an opened network to what the manifest says of its tensors and labels.
    ///
    /// # Errors
    /// The difference, tensor by tensor.
    pub fn check(&self, session: &Session) -> Result<(), InferenceError> {
        let mut differences = Vec::new();
        compare("inputs", &self.inputs, session.inputs(), &mut differences);
        compare("outputs", &self.outputs, session.outputs(), &mut differences);
        let in_file = session.metadata()?.custom(LABELS_KEY);
        if in_file.as_deref() != Some(self.labels.join(",").as_str()) {
            differences.push(format!(
                "labels: the manifest says {}, the file {}",
                self.labels.join(","),
                in_file.unwrap_or_else(|| "names none".to_owned())
            ));
        }
        if differences.is_empty() { Ok(()) } else { Err(self.mismatch(differences.join("; "))) }
    }

    fn mismatch(&self, difference: String) -> InferenceError {
        InferenceError::Mismatch { model: self.id().to_string(), difference }
    }
}

fn compare(what: &str, said: &[TensorSpec], outlets: &[Outlet], differences: &mut Vec<String>) {
    let found: Vec<TensorSpec> = outlets.iter().map(spec).collect();
    if said != found {
        let list =
            |specs: &[TensorSpec]| specs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        differences.push(format!("{what}: the manifest says {}, the file has {}", list(said), list(&found)));
    }
}

fn spec(outlet: &Outlet) -> TensorSpec {
    let name = outlet.name().to_owned();
    let ValueType::Tensor { ty, shape, dimension_symbols } = outlet.dtype() else {
        return TensorSpec { name, element: outlet.dtype().to_string(), shape: Vec::new() };
    };
    let element = match ty {
        ort::value::TensorElementType::Int64 => "int64".to_owned(),
        ort::value::TensorElementType::Float32 => "float32".to_owned(),
        other => other.to_string(),
    };
    let shape = shape.iter().zip(dimension_symbols.iter()).map(|(size, symbol)| {
        if *size < 0 { Dimension::Named(symbol.clone()) } else { Dimension::Fixed(*size) }
    });
    TensorSpec { name, element, shape: shape.collect() }
}

fn unreadable(path: &Path, error: &std::io::Error) -> InferenceError {
    InferenceError::File { path: path.to_owned(), detail: error.to_string() }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
