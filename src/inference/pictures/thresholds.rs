//! Score thresholds of detections.

use std::collections::BTreeMap;

use crate::domain::{Detection, Picture};
use crate::geometry::{Candidate, prominence};

/// The lowest scores at which a logo is kept and at which it is reported.
pub(super) struct Thresholds {
    labels: Vec<(String, f32)>,
    low_score: f32,
}

impl Thresholds {
    /// `labels` are in the order of the network's classes. Each has a threshold: a manifest without
    /// one is refused when it is read.
    pub(super) fn new(labels: &[String], thresholds: &BTreeMap<String, f32>, low_score: f32) -> Self {
        let with_threshold = |label: &String| Some((label.clone(), *thresholds.get(label)?));
        Self { labels: labels.iter().filter_map(with_threshold).collect(), low_score }
    }

    /// Number of labels.
    pub(super) fn labels(&self) -> usize {
        self.labels.len()
    }

    /// Whether a box with this score is kept.
    pub(super) fn keep(&self, score: f32) -> bool {
        score >= self.low_score
    }

    /// Adds prominence and `reported` to the logos of a picture; keeps their order.
    pub(super) fn detections(&self, picture: &Picture, logos: Vec<Candidate>) -> Vec<Detection> {
        let detection = |candidate: Candidate| {
            let Candidate { label, score, bounds } = candidate;
            let (label, threshold) = self.labels.get(label)?;
            let prominence = prominence(picture, &bounds);
            Some(Detection { label: label.clone(), score, bounds, prominence, reported: score >= *threshold })
        };
        logos.into_iter().filter_map(detection).collect()
    }
}
