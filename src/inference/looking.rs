//! From the views of a picture to its logos: what the detector is shown, and what is made of its
//! answers.

use crate::domain::{Picture, PixelBox};
use crate::geometry::{Candidate, Fusion, Glance, Sameness, View, ViewPolicy, fuse, suppress};

use super::detection::{Detection, Thresholds};
use super::{DetectorKind, Manifest};

/// A box on a canvas, before boxes of all views of a picture come together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CanvasBox {
    pub(super) label: usize,
    pub(super) score: f32,
    pub(super) bounds: PixelBox,
}

/// How a detector looks, as its manifest says it.
pub(super) struct Looking {
    pub(super) policy: ViewPolicy,
    pub(super) thresholds: Thresholds,
    sameness: Sameness,
    fusion: Fusion,
}

impl Looking {
    pub(super) fn new(manifest: &Manifest<DetectorKind>) -> Self {
        let DetectorKind { thresholds, low_score, nms_iou, scales, fusion, .. } = &manifest.kind;
        Self {
            policy: scales.clone(),
            thresholds: Thresholds::new(&manifest.labels, thresholds, *low_score),
            sameness: Sameness { iou: *nms_iou, by_centre: false },
            fusion: *fusion,
        }
    }

    /// What a view shows, each logo once, in pixels of the picture.
    pub(super) fn glance(&self, view: View, boxes: &[CanvasBox]) -> Glance {
        let in_picture = |CanvasBox { label, score, bounds }: &CanvasBox| {
            Some(Candidate { label: *label, score: *score, bounds: view.to_picture(bounds)? })
        };
        let candidates = suppress(boxes.iter().filter_map(in_picture).collect(), self.sameness);
        Glance { view, candidates }
    }

    /// What to look at again after the first look, if anything.
    pub(super) fn views_again(&self, picture: &Picture, first: &[Glance]) -> Vec<View> {
        let best = first.iter().flat_map(|glance| &glance.candidates).map(|candidate| candidate.score);
        self.policy.views_again(picture, best.fold(0.0, f32::max))
    }

    /// The logos of a picture, the surest first.
    pub(super) fn detections(&self, picture: &Picture, glances: &[Glance]) -> Vec<Detection> {
        let mut logos = fuse(glances, self.fusion);
        logos.retain(|logo| self.thresholds.mentions(logo.score));
        self.thresholds.detections(picture, logos)
    }
}
