//! The kinds of models, each with what its manifest says beyond the common part.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::manifest::Kind;
use crate::domain::{BrandId, Label, Language};
use crate::geometry::{Fusion, PyramidPolicy, ViewPolicy, WindowShape};

/// A sentiment model.
#[derive(Clone, Debug, Deserialize)]
pub struct TextKind {
    /// The id that fills short rows.
    pub pad_id: u32,
    /// The id that stands for a text without any token.
    pub empty_id: u32,
    /// Longest text in tokens; what is longer is cut.
    pub max_tokens: usize,
    /// The languages that it scores.
    #[serde(rename = "language", deserialize_with = "languages")]
    pub languages: Vec<Language>,
    /// Known answers.
    #[serde(default)]
    pub goldens: Vec<TextGolden>,
}

/// A known text with the probabilities that the exported file gave when it was made.
#[derive(Clone, Debug, Deserialize)]
pub struct TextGolden {
    /// The text.
    pub text: String,
    /// Negative, neutral, positive.
    pub probabilities: [f32; 3],
}

/// A network that sees all logos of a picture in one pass.
#[derive(Clone, Debug, Deserialize)]
pub struct DetectorKind {
    /// Score from which on a brand's logo is reported.
    pub thresholds: BTreeMap<String, f32>,
    /// What scores below this is not even mentioned.
    pub low_score: f32,
    /// Two boxes of one brand in one view with more than this intersection over union are one logo.
    pub nms_iou: f32,
    /// How pictures are looked at.
    pub scales: ViewPolicy,
    /// How what the views show is brought together.
    pub fusion: Fusion,
    /// Known answers.
    #[serde(default)]
    pub goldens: Vec<PictureGolden>,
}

/// A network that judges one window at a time.
#[derive(Clone, Debug, Deserialize)]
pub struct WindowsKind {
    /// The window.
    pub window: WindowShape,
    /// Score from which on the logo is reported.
    pub thresholds: BTreeMap<String, f32>,
    /// What scores below this is not even mentioned.
    #[serde(default = "low_score_of_windows")]
    pub low_score: f32,
    /// Two boxes with more than this intersection over union are one logo.
    #[serde(default = "iou_of_windows")]
    pub nms_iou: f32,
    /// The sizes at which a picture is searched.
    pub scales: PyramidPolicy,
    /// Known answers.
    #[serde(default)]
    pub goldens: Vec<WindowGolden>,
}

/// A known picture with what was seen in it when the model was made.
#[derive(Clone, Debug, Deserialize)]
pub struct PictureGolden {
    /// Its file below the model's folder, listed among the model's files.
    pub picture: PathBuf,
    /// The logos in it that the exporter was sure enough of to note them.
    pub sightings: Vec<GoldenSighting>,
}

/// A known picture with the score of each of its windows, as it is: neither scaled nor framed.
#[derive(Clone, Debug, Deserialize)]
pub struct WindowGolden {
    /// Its file below the model's folder.
    pub picture: PathBuf,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Rows of windows.
    pub probabilities: Vec<Vec<f32>>,
}

/// A logo in a known picture; the box in pixels.
#[derive(Clone, Debug, Deserialize)]
pub struct GoldenSighting {
    /// Whose.
    pub brand: String,
    /// How sure the model was.
    pub score: f32,
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Kind for TextKind {
    const NAME: &'static str = "text-sentiment";

    fn problem(&self, labels: &[String]) -> Option<String> {
        let expected: Vec<_> = Label::ALL.iter().map(|label| label.as_str()).collect();
        if labels != expected {
            return Some(format!("its labels are {labels:?}, and must be {expected:?} in this order"));
        }
        if self.languages.is_empty() {
            return Some("language is empty, and must list the languages that it scores".to_owned());
        }
        (self.max_tokens == 0).then(|| "max_tokens is 0".to_owned())
    }
}

impl Kind for DetectorKind {
    const NAME: &'static str = "logo-detector";

    fn problem(&self, labels: &[String]) -> Option<String> {
        wrong_brands(labels, &self.thresholds, self.low_score)
            .or_else(|| wrong_share("nms_iou", self.nms_iou))
            .or_else(|| self.scales.problem().or_else(|| self.fusion.problem()).map(str::to_owned))
    }
}

impl Kind for WindowsKind {
    const NAME: &'static str = "logo-windows";

    fn problem(&self, labels: &[String]) -> Option<String> {
        let [other, brand] = labels else {
            return Some(format!("its labels are {labels:?}, and must be \"other\" and a brand"));
        };
        if other != "other" {
            return Some(format!("its first label is {other:?}, and must be \"other\""));
        }
        wrong_brands(std::slice::from_ref(brand), &self.thresholds, self.low_score)
            .or_else(|| wrong_share("nms_iou", self.nms_iou))
            .or_else(|| self.window.problem().or_else(|| self.scales.problem()).map(str::to_owned))
    }
}

fn wrong_brands(brands: &[String], thresholds: &BTreeMap<String, f32>, low_score: f32) -> Option<String> {
    for (index, brand) in brands.iter().enumerate() {
        if let Err(error) = brand.parse::<BrandId>() {
            return Some(format!("among its labels, {error}"));
        }
        if brands[..index].contains(brand) {
            return Some(format!("its labels name {brand:?} twice"));
        }
        match thresholds.get(brand) {
            None => return Some(format!("thresholds has none for {brand:?}")),
            Some(threshold) if !(0.0..=1.0).contains(threshold) => {
                return Some(format!("thresholds.{brand} is {threshold}, and must be within 0 to 1"));
            }
            Some(threshold) if *threshold < low_score => {
                return Some(format!("thresholds.{brand} is {threshold}, below low_score ({low_score})"));
            }
            Some(_) => {}
        }
    }
    wrong_share("low_score", low_score)
}

fn wrong_share(key: &str, value: f32) -> Option<String> {
    (!(0.0..=1.0).contains(&value)).then(|| format!("{key} is {value}, and must be within 0 to 1"))
}

fn languages<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Language>, D::Error> {
    let codes = Vec::<String>::deserialize(from)?;
    codes
        .iter()
        .map(|code| code.parse().map_err(|error| D::Error::custom(format!("language: {error}"))))
        .collect()
}

fn low_score_of_windows() -> f32 {
    0.1
}

fn iou_of_windows() -> f32 {
    0.3
}
