//! From what a network proposes to what is seen: one box a logo, measured and judged.

use std::collections::BTreeMap;

use crate::domain::{BrandId, Picture, Sighting};
use crate::geometry::{Candidate, prominence};

/// A logo that a model found in a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// Which, where, how sure, how prominent.
    pub sighting: Sighting,
    /// Whether the score reaches the threshold of its brand. Others serve to measure a model.
    pub reported: bool,
}

/// From which score on a logo is worth mentioning, and worth reporting.
pub(super) struct Thresholds {
    brands: Vec<(BrandId, f32)>,
    low_score: f32,
}

impl Thresholds {
    /// Brands in the order in which the network counts them, with what their manifest says; a name
    /// that is no brand was refused when the manifest was read.
    pub(super) fn new(labels: &[String], thresholds: &BTreeMap<String, f32>, low_score: f32) -> Self {
        let brand = |label: &String| Some((label.parse().ok()?, *thresholds.get(label)?));
        Self { brands: labels.iter().filter_map(brand).collect(), low_score }
    }

    /// How many brands there are.
    pub(super) fn brands(&self) -> usize {
        self.brands.len()
    }

    /// Whether a score is worth a box.
    pub(super) fn mentions(&self, score: f32) -> bool {
        score >= self.low_score
    }

    /// The logos of a picture, each of which stands among the candidates once, in the same order.
    pub(super) fn detections(&self, picture: &Picture, logos: Vec<Candidate>) -> Vec<Detection> {
        let detection = |candidate: Candidate| {
            let Candidate { label, score, bounds } = candidate;
            let (brand, threshold) = self.brands.get(label)?;
            let prominence = prominence(picture, &bounds);
            let sighting = Sighting { brand: brand.clone(), bounds, score, prominence };
            Some(Detection { sighting, reported: score >= *threshold })
        };
        logos.into_iter().filter_map(detection).collect()
    }
}
