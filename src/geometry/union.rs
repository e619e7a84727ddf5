//! The union of what several pictures of one place show, such as frames of an animation.

use super::boxes::iou;
use crate::domain::Detection;

/// Above this intersection over union, two boxes with one label are the same logo.
const SAME_ABOVE: f32 = 0.5;

/// All detections, the surest first; of those that are the same logo the surest.
pub fn union(several: Vec<Vec<Detection>>) -> Vec<Detection> {
    let mut all: Vec<Detection> = several.into_iter().flatten().collect();
    all.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut kept: Vec<Detection> = Vec::with_capacity(all.len());
    for detection in all {
        let is_known = |known: &Detection| {
            known.label == detection.label && iou(&known.bounds, &detection.bounds) > SAME_ABOVE
        };
        if !kept.iter().any(is_known) {
            kept.push(detection);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PixelBox, Prominence};

    #[test]
    fn a_logo_in_several_frames_is_one() {
        let found = |label: &str, score, x| Detection {
            label: label.to_owned(),
            score,
            bounds: PixelBox { x, y: 0.0, width: 10.0, height: 10.0 },
            prominence: Prominence { share: 0.1, distance: 0.0, sharpness: 1.0 },
            reported: true,
        };
        let all = vec![
            vec![found("a", 0.5, 0.0), found("b", 0.7, 0.0)],
            vec![found("a", 0.9, 1.0), found("a", 0.6, 30.0)],
        ];
        let kept: Vec<(String, f32)> =
            union(all).into_iter().map(|found| (found.label, found.score)).collect();
        assert_eq!(kept, [("a".to_owned(), 0.9), ("b".to_owned(), 0.7), ("a".to_owned(), 0.6)]);
    }
}
