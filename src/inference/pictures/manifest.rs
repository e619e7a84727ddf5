//! The keys of the logo models' manifests beyond the common ones.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::domain::BrandId;
use crate::geometry::{Fusion, PyramidPolicy, ViewPolicy, WindowShape};
use crate::inference::manifest::Kind;

/// The keys of a one-stage detector, which finds all brands in one pass.
#[derive(Clone, Debug, Deserialize)]
pub struct DetectorKind {
    /// Lowest score at which a brand's logo is reported.
    pub thresholds: BTreeMap<String, f32>,
    /// Detections with a lower score are dropped.
    pub low_score: f32,
    /// Non-maximum suppression within a view: boxes of one brand with a higher `IoU` are one logo.
    pub nms_iou: f32,
    /// The views of a picture.
    pub scales: ViewPolicy,
    /// How the detections of the views are combined.
    pub fusion: Fusion,
    /// Pictures with known detections, for tests.
    #[serde(default)]
    pub goldens: Vec<PictureGolden>,
}

/// The keys of a window classifier.
#[derive(Clone, Debug, Deserialize)]
pub struct WindowsKind {
    /// Geometry of the window.
    pub window: WindowShape,
    /// Lowest score at which the logo is reported.
    pub thresholds: BTreeMap<String, f32>,
    /// Detections with a lower score are dropped.
    #[serde(default = "low_score_of_windows")]
    pub low_score: f32,
    /// Non-maximum suppression: boxes with a higher `IoU` are one logo.
    #[serde(default = "iou_of_windows")]
    pub nms_iou: f32,
    /// The scales at which a picture is searched.
    pub scales: PyramidPolicy,
    /// Pictures with known scores, for tests.
    #[serde(default)]
    pub goldens: Vec<WindowGolden>,
}

/// A picture with the detections that the exported model gave at export.
#[derive(Clone, Debug, Deserialize)]
pub struct PictureGolden {
    /// Its file below the model's folder, listed among the model's files.
    pub picture: PathBuf,
    /// The detections whose score was high enough for the exporter to record them.
    #[serde(rename = "sightings")]
    pub detections: Vec<GoldenDetection>,
}

/// A picture with the score of each of its windows, neither scaled nor padded.
#[derive(Clone, Debug, Deserialize)]
pub struct WindowGolden {
    /// Its file below the model's folder.
    pub picture: PathBuf,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Scores, one inner list per row of windows.
    pub probabilities: Vec<Vec<f32>>,
}

/// A logo in a golden picture; the box in pixels.
#[derive(Clone, Debug, Deserialize)]
pub struct GoldenDetection {
    /// Its brand.
    pub brand: String,
    /// The model's score.
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

fn low_score_of_windows() -> f32 {
    0.1
}

fn iou_of_windows() -> f32 {
    0.3
}
