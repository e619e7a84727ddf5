//! Non-maximum suppression: of several boxes of one logo, the one with the highest score is kept.

use std::cmp::{Ordering, Reverse};

use super::{area, iou};
use crate::domain::PixelBox;

/// How many candidates are compared at most. The work is quadratic in their number.
const MOST_CANDIDATES: usize = 2000;

/// A box that a network proposes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Class index of the brand in the network.
    pub label: usize,
    /// Confidence of the network, 0 to 1.
    pub score: f32,
    /// The box.
    pub bounds: PixelBox,
}

/// When two boxes of one brand count as the same logo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suppression {
    /// If their intersection over union (`IoU`) is above this.
    pub iou: f32,
    /// Also if the centre of the smaller lies in the larger. Fixed-size windows detect a logo at
    /// several scales, in boxes with a low `IoU`.
    pub by_centre: bool,
}

/// Greedy non-maximum suppression within each brand, among the 2,000 candidates with the highest
/// scores. Returns the kept ones, highest score first.
///
/// (Neubeck and Van Gool, "Efficient Non-Maximum Suppression", 2006, for the greedy form.)
pub fn suppress(candidates: Vec<Candidate>, suppression: Suppression) -> Vec<Candidate> {
    let mut candidates = best(candidates, MOST_CANDIDATES);
    candidates.sort_by(surest_first);
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        if !kept.iter().any(|surer| surer.label == candidate.label && same(surer, &candidate, suppression)) {
            kept.push(candidate);
        }
    }
    kept
}

/// Orders candidates by descending score, then by brand.
pub(super) fn surest_first(one: &Candidate, other: &Candidate) -> Ordering {
    other.score.total_cmp(&one.score).then_with(|| one.label.cmp(&other.label))
}

/// The `most` candidates with the highest scores.
fn best(mut candidates: Vec<Candidate>, most: usize) -> Vec<Candidate> {
    if candidates.len() > most {
        candidates.sort_by_key(|candidate| Reverse(candidate.score.to_bits()));
        candidates.truncate(most);
    }
    candidates
}

fn same(one: &Candidate, other: &Candidate, suppression: Suppression) -> bool {
    let (one, other) = (&one.bounds, &other.bounds);
    iou(one, other) > suppression.iou || suppression.by_centre && centre_inside(one, other)
}

fn centre_inside(one: &PixelBox, other: &PixelBox) -> bool {
    let (small, large) = if area(one) < area(other) { (one, other) } else { (other, one) };
    let (x, y) = (small.x + small.width / 2.0 - large.x, small.y + small.height / 2.0 - large.y);
    x > 0.0 && x < large.width && y > 0.0 && y < large.height
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arbitrary::pixel_box;
    use super::*;

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let one = (0usize..3, 0f32..=1.0, pixel_box()).prop_map(|(label, score, bounds)| Candidate {
            label,
            score,
            bounds,
        });
        prop::collection::vec(one, 0..60)
    }

    fn suppression() -> impl Strategy<Value = Suppression> {
        (0.1f32..0.9, any::<bool>()).prop_map(|(iou, by_centre)| Suppression { iou, by_centre })
    }

    proptest! {
        #[test]
        fn suppressing_twice_changes_nothing(candidates in candidates(), suppression in suppression()) {
            let once = suppress(candidates, suppression);
            prop_assert_eq!(suppress(once.clone(), suppression), once);
        }

        #[test]
        fn no_two_of_a_brand_are_kept_above_the_limit(candidates in candidates(), suppression in suppression()) {
            let kept = suppress(candidates.clone(), suppression);
            for (index, one) in kept.iter().enumerate() {
                prop_assert!(candidates.contains(one));
                for other in &kept[index + 1..] {
                    prop_assert!(one.score >= other.score);
                    prop_assert!(one.label != other.label || iou(&one.bounds, &other.bounds) <= suppression.iou);
                }
            }
        }

        #[test]
        fn the_surest_of_each_brand_is_kept(candidates in candidates(), suppression in suppression()) {
            let kept = suppress(candidates.clone(), suppression);
            let surest = |of: &[Candidate], label| {
                of.iter().filter(|c| c.label == label).map(|c| c.score).max_by(f32::total_cmp)
            };
            for label in 0..3 {
                prop_assert_eq!(surest(&kept, label), surest(&candidates, label));
            }
        }
    }

    #[test]
    fn a_window_inside_another_is_the_same_logo_only_by_its_centre() {
        let large = Candidate {
            label: 0,
            score: 0.6,
            bounds: PixelBox { x: 0.0, y: 0.0, width: 100.0, height: 30.0 },
        };
        let small = Candidate { score: 0.9, bounds: PixelBox { width: 30.0, ..large.bounds }, ..large };
        let other_brand = Candidate { label: 1, ..small };
        let by_centre = Suppression { iou: 0.5, by_centre: true };
        let apart = Suppression { by_centre: false, ..by_centre };
        assert_eq!(suppress(vec![large, small], by_centre), [small]);
        assert_eq!(suppress(vec![large, small], apart), [small, large]);
        assert_eq!(suppress(vec![large, small, other_brand], by_centre), [small, other_brand]);
    }
}
