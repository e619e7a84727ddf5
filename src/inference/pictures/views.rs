//! The views of a picture that the detector is run on, and how their boxes are combined.

use crate::domain::{Detection, Picture};
use crate::geometry::{Candidate, Fusion, Suppression, View, ViewDetections, ViewPolicy, fuse, suppress};
use crate::inference::Manifest;

use super::manifest::DetectorKind;
use super::thresholds::Thresholds;

/// A detector's views and post-processing, from its manifest.
pub(super) struct ViewReader {
    pub(super) policy: ViewPolicy,
    pub(super) thresholds: Thresholds,
    suppression: Suppression,
    fusion: Fusion,
}

impl ViewReader {
    pub(super) fn new(manifest: &Manifest<DetectorKind>) -> Self {
        let DetectorKind { thresholds, low_score, nms_iou, scales, fusion, .. } = &manifest.kind;
        Self {
            policy: scales.clone(),
            thresholds: Thresholds::new(&manifest.labels, thresholds, *low_score),
            suppression: Suppression { iou: *nms_iou, by_centre: false },
            fusion: *fusion,
        }
    }

    /// Maps boxes from canvas to picture pixels and applies non-maximum suppression.
    pub(super) fn read(&self, view: View, on_canvas: &[Candidate]) -> ViewDetections {
        let in_picture = |candidate: &Candidate| {
            Some(Candidate { bounds: view.to_picture(&candidate.bounds)?, ..*candidate })
        };
        let candidates = suppress(on_canvas.iter().filter_map(in_picture).collect(), self.suppression);
        ViewDetections { view, candidates }
    }

    /// The views of the second pass; none unless the first scored high enough.
    pub(super) fn views_again(&self, picture: &Picture, first: &[ViewDetections]) -> Vec<View> {
        let best = first.iter().flat_map(|view| &view.candidates).map(|candidate| candidate.score);
        self.policy.views_again(picture, best.fold(0.0, f32::max))
    }

    /// The logos of a picture, highest score first.
    pub(super) fn detections(&self, picture: &Picture, found: &[ViewDetections]) -> Vec<Detection> {
        let mut logos = fuse(found, self.fusion);
        logos.retain(|logo| self.thresholds.keep(logo.score));
        self.thresholds.detections(picture, logos)
    }
}
