//! A model's manifest: its files with hashes, tensors, labels and settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ort::session::Session;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::InferenceError;
use super::tensors::{TensorSpec, difference};
use crate::domain::ModelId;

/// One file that belongs to a model.
#[derive(Clone, Debug, Deserialize)]
pub struct ModelFile {
    /// Path below the model's folder.
    pub path: PathBuf,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// The keys that only one kind of model has in its manifest.
pub trait Kind: DeserializeOwned {
    /// The kind's name in the manifest.
    const NAME: &'static str;

    /// Describes the first value that this program can't use, if any. `labels` are the classes of
    /// the network's output, in order.
    fn problem(&self, labels: &[String]) -> Option<String>;
}

/// The contents of `manifest.json`, except the fields that are only for people.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest<K> {
    /// Name of the model.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its files by role.
    pub files: BTreeMap<String, ModelFile>,
    /// Inputs of the network.
    pub inputs: Vec<TensorSpec>,
    /// Outputs of the network.
    pub outputs: Vec<TensorSpec>,
    /// Names of the output's classes, in order.
    pub labels: Vec<String>,
    /// The keys of its kind.
    #[serde(flatten)]
    pub kind: K,
    #[serde(skip)]
    folder: PathBuf,
}

/// Parsed before the rest, since other formats and kinds have other keys.
#[derive(Deserialize)]
struct Header {
    format: u32,
    kind: String,
}

/// The metadata key of the ONNX file that has its labels, separated by commas.
const LABELS_KEY: &str = "labels";

impl<K: Kind> Manifest<K> {
    /// Reads `manifest.json` of a model's folder.
    ///
    /// # Errors
    /// The file can't be read or parsed, or describes a model of another kind or one that this
    /// program can't run.
    pub fn read(folder: &Path) -> Result<Self, InferenceError> {
        let path = folder.join("manifest.json");
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        Self::parse(&text, folder).map_err(|detail| InferenceError::Manifest { path, detail })
    }

    fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let header: Header = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if header.format != 1 {
            return Err(format!("its format is {}, and this program reads format 1", header.format));
        }
        if header.kind != K::NAME {
            return Err(format!("its kind is {:?}, and what is needed here is {:?}", header.kind, K::NAME));
        }
        let mut manifest: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        folder.clone_into(&mut manifest.folder);
        manifest.kind.problem(&manifest.labels).map_or(Ok(manifest), Err)
    }

    /// Name and version.
    pub fn id(&self) -> ModelId {
        ModelId::new(&self.name, &self.version)
    }

    /// Reads the file with a role and checks its hash.
    ///
    /// # Errors
    /// The file is not listed, can't be read, or has another hash.
    pub fn file(&self, role: &str) -> Result<Vec<u8>, InferenceError> {
        match self.files.get(role) {
            Some(file) => self.read_file(file),
            None => Err(self.mismatch(format!("it lists no file for the role \"{role}\""))),
        }
    }

    /// Reads the listed file at a path below the model's folder and checks its hash.
    ///
    /// # Errors
    /// The file is not listed, can't be read, or has another hash.
    pub fn file_at(&self, path: &Path) -> Result<Vec<u8>, InferenceError> {
        match self.files.values().find(|file| file.path == path) {
            Some(file) => self.read_file(file),
            None => Err(self.mismatch(format!("it lists no file {}", path.display()))),
        }
    }

    /// Reads a file below the model's folder and checks its hash.
    ///
    /// # Errors
    /// The file can't be read, or has another hash.
    pub fn read_file(&self, file: &ModelFile) -> Result<Vec<u8>, InferenceError> {
        let path = self.folder.join(&file.path);
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        let found = hex::encode(Sha256::digest(&bytes));
        if found != file.sha256.to_lowercase() {
            let path = file.path.display();
            return Err(self.mismatch(format!(
                "{path} has SHA-256 {found}, the manifest says {}; fetch the file again, or train and export anew",
                file.sha256
            )));
        }
        Ok(bytes)
    }

    /// Checks an opened network's inputs, outputs and labels against the manifest.
    ///
    /// # Errors
    /// They differ, or the file's metadata can't be read.
    pub fn check(&self, session: &Session) -> Result<(), InferenceError> {
        let in_file = session.metadata()?.custom(LABELS_KEY);
        let labels = self.labels.join(",");
        let other_labels = (in_file.as_deref() != Some(&labels)).then(|| {
            let in_file = in_file.unwrap_or_else(|| "names none".to_owned());
            format!("labels: the manifest says {labels}, the file {in_file}")
        });
        let differences = [
            difference("inputs", &self.inputs, session.inputs()),
            difference("outputs", &self.outputs, session.outputs()),
            other_labels,
        ];
        let differences: Vec<String> = differences.into_iter().flatten().collect();
        if differences.is_empty() { Ok(()) } else { Err(self.mismatch(differences.join("; "))) }
    }

    fn mismatch(&self, difference: String) -> InferenceError {
        InferenceError::Mismatch { model: self.id().to_string(), difference }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> InferenceError {
    InferenceError::File { path: path.to_owned(), detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::{DetectorKind, TextKind, WindowsKind};
    use super::*;

    fn manifest(kind: &str, labels: &str, own: &str) -> String {
        format!(
            r#"{{"format": 1, "name": "m", "version": "1", "kind": "{kind}", "files": {{}},
                "inputs": [], "outputs": [], "labels": {labels}, {own}, "figures": {{"map": 1}}}}"#
        )
    }

    fn problem<K: Kind>(text: &str) -> Option<String> {
        Manifest::<K>::parse(text, Path::new("m")).err()
    }

    const DETECTOR: &str = r#""thresholds": {"vmware": 0.5, "adidas": 0.4}, "low_score": 0.05,
        "nms_iou": 0.5, "scales": {"canvas": [[512, 384]], "longest_sides": [512],
        "tiles": {"side": 384, "overlap": 96, "from": 1000}, "again": {"from": 0.1, "longest_sides": [256]}},
        "fusion": {"iou": 0.55, "agreement": 0.6, "seen_from": 16, "seen_to": 480}"#;
    const WINDOWS: &str = r#""window": {"width": 102, "height": 50,
        "core": {"x": 13, "y": 14, "width": 75, "height": 22}, "stride": 4, "fill": 114},
        "thresholds": {"vmware": 0.5}, "scales": {"narrowest_core": 44, "ratio": 1.3}"#;

    #[test]
    fn each_kind_reads_its_own_keys() {
        let brands = r#"["vmware", "adidas"]"#;
        assert_eq!(problem::<DetectorKind>(&manifest("logo-detector", brands, DETECTOR)), None);
        assert_eq!(
            problem::<WindowsKind>(&manifest("logo-windows", r#"["other", "vmware"]"#, WINDOWS)),
            None
        );
        let wrong = problem::<TextKind>(&manifest("logo-detector", brands, DETECTOR)).unwrap();
        assert!(wrong.contains("\"logo-detector\"") && wrong.contains("\"text-sentiment\""), "{wrong}");
    }

    #[test]
    fn what_can_not_be_worked_with_is_named() {
        let detector =
            |labels: &str, own: &str| problem::<DetectorKind>(&manifest("logo-detector", labels, own));
        for (labels, from, to, word) in [
            (r#"["vmware", "nike"]"#, "", "", "nike"),
            (r#"["vmware", "Adidas"]"#, "adidas", "Adidas", "Adidas"),
            (r#"["vmware", "vmware"]"#, "", "", "twice"),
            (r#"["vmware", "adidas"]"#, "0.05", "0.45", "low_score"),
            (r#"["vmware", "adidas"]"#, "[[512, 384]]", "[]", "canvas"),
            (r#"["vmware", "adidas"]"#, "\"overlap\": 96", "\"overlap\": 384", "overlap"),
            (r#"["vmware", "adidas"]"#, "\"nms_iou\": 0.5", "\"nms_iou\": 2", "nms_iou"),
            (r#"["vmware", "adidas"]"#, "[256]", "[0]", "again"),
            (r#"["vmware", "adidas"]"#, "\"from\": 0.1", "\"from\": 10", "again.from"),
            (r#"["vmware", "adidas"]"#, "0.6", "1.6", "agreement"),
            (r#"["vmware", "adidas"]"#, "480", "8", "seen_to"),
        ] {
            let said = detector(labels, &DETECTOR.replace(from, to)).unwrap_or_default();
            assert!(said.contains(word), "{word}: {said}");
        }
        let text = |own: &str| {
            let labels = r#"["negative", "neutral", "positive"]"#;
            let own = format!(r#""pad_id": 0, "empty_id": 1, {own}"#);
            problem::<TextKind>(&manifest("text-sentiment", labels, &own))
        };
        assert_eq!(text(r#""max_tokens": 9, "language": ["en", "pt-br"]"#), None);
        for (own, word) in [
            (r#""max_tokens": 0, "language": ["en"]"#, "max_tokens"),
            (r#""max_tokens": 9"#, "language"),
            (r#""max_tokens": 9, "language": []"#, "language is empty"),
            (r#""max_tokens": 9, "language": ["English"]"#, "\"English\" is no language"),
        ] {
            let said = text(own).unwrap_or_default();
            assert!(said.contains(word), "{word}: {said}");
        }
        let windows = problem::<WindowsKind>(&manifest("logo-windows", r#"["vmware", "other"]"#, WINDOWS));
        assert!(windows.unwrap().contains("other"));
    }
}
