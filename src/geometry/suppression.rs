//! One box a logo: of boxes that mean the same, the surest is kept.

use std::cmp::Reverse;

use super::{covered_share, iou};
use crate::domain::PixelBox;

/// A box that a network proposes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Which brand, as the network counts them.
    pub label: usize,
    /// How sure the network is, 0 to 1.
    pub score: f32,
    /// Where.
    pub bounds: PixelBox,
    /// Whether it may show a part of a logo only: it ends where a tile ends, or where a window of
    /// fixed size does.
    pub partial: bool,
}

/// From where on two boxes of one brand are one logo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuppressionLimits {
    /// Intersection over union of any two.
    pub iou: f32,
    /// Share of the smaller that lies in the other, where one of them is partial: a part of a logo
    /// may have little in common with the whole.
    pub covered: f32,
}

/// Non-maximum suppression within each brand, greedily from the best on: whole boxes before
/// partial ones, then by score. Gives back what is kept, the surest first.
///
/// (Neubeck and Van Gool, "Efficient Non-Maximum Suppression", 2006, for the greedy form.)
pub fn suppress(mut candidates: Vec<Candidate>, limits: SuppressionLimits) -> Vec<Candidate> {
    candidates.sort_by(|one, other| {
        one.partial.cmp(&other.partial).then_with(|| other.score.total_cmp(&one.score))
    });
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        if !kept.iter().any(|better| same_logo(better, &candidate, limits)) {
            kept.push(candidate);
        }
    }
    kept.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| one.label.cmp(&other.label)));
    kept
}

/// The surest so many: what bounds the work of [`suppress`], which grows with their square.
pub fn best(mut candidates: Vec<Candidate>, most: usize) -> Vec<Candidate> {
    if candidates.len() > most {
        candidates.sort_by_key(|candidate| Reverse(candidate.score.to_bits()));
        candidates.truncate(most);
    }
    candidates
}

fn same_logo(one: &Candidate, other: &Candidate, limits: SuppressionLimits) -> bool {
    one.label == other.label
        && (iou(&one.bounds, &other.bounds) > limits.iou
            || (one.partial || other.partial) && covered_share(&one.bounds, &other.bounds) > limits.covered)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arbitrary::pixel_box;
    use super::*;

    const LIMITS: SuppressionLimits = SuppressionLimits { iou: 0.5, covered: 0.7 };

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let one = (0usize..3, 0f32..=1.0, pixel_box(), any::<bool>())
            .prop_map(|(label, score, bounds, partial)| Candidate { label, score, bounds, partial });
        prop::collection::vec(one, 0..60)
    }

    proptest! {
        #[test]
        fn suppressing_twice_changes_nothing(candidates in candidates()) {
            let once = suppress(candidates, LIMITS);
            prop_assert_eq!(suppress(once.clone(), LIMITS), once);
        }

        #[test]
        fn no_two_of_a_brand_are_kept_above_the_limit(candidates in candidates()) {
            let kept = suppress(candidates.clone(), LIMITS);
            for (index, one) in kept.iter().enumerate() {
                prop_assert!(candidates.contains(one));
                for other in &kept[index + 1..] {
                    prop_assert!(one.score >= other.score);
                    prop_assert!(one.label != other.label || iou(&one.bounds, &other.bounds) <= LIMITS.iou);
                }
            }
        }

        #[test]
        fn the_surest_whole_box_of_each_brand_is_kept(candidates in candidates()) {
            let kept = suppress(candidates.clone(), LIMITS);
            for label in 0..3 {
                let whole = candidates.iter().filter(|c| c.label == label && !c.partial);
                if let Some(best) = whole.map(|c| c.score).max_by(f32::total_cmp) {
                    prop_assert!(kept.iter().any(|c| c.label == label && c.score >= best));
                }
            }
        }
    }

    #[test]
    fn a_part_gives_way_to_the_whole_though_it_is_surer() {
        let whole = Candidate {
            label: 0,
            score: 0.6,
            bounds: PixelBox { x: 0.0, y: 0.0, width: 100.0, height: 30.0 },
            partial: false,
        };
        let part = Candidate {
            score: 0.9,
            bounds: PixelBox { width: 30.0, ..whole.bounds },
            partial: true,
            ..whole
        };
        let other_brand = Candidate { label: 1, ..part };
        assert_eq!(suppress(vec![part, whole], LIMITS), [whole]);
        assert_eq!(suppress(vec![part, whole, other_brand], LIMITS), [other_brand, whole]);
        // Alone it stays: a part of a logo is a logo that was seen.
        assert_eq!(suppress(vec![part], LIMITS), [part]);
    }
}
