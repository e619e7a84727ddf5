//! Merges the detections of several views of a picture into one box per logo.

use serde::Deserialize;

use super::suppression::surest_first;
use super::{Candidate, View, iou};
use crate::domain::PixelBox;

/// How the detections of several views are merged.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Fusion {
    /// Boxes of one brand with more than this intersection over union are one logo.
    pub iou: f32,
    /// Weight of the mean score over the views against the best score, 0 to 1.
    pub agreement: f32,
    /// Shortest longer side of a logo, in canvas pixels, that a view is expected to show.
    pub seen_from: f32,
    /// Longest such side.
    pub seen_to: f32,
}

/// The detections in one view.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewDetections {
    /// The view.
    pub view: View,
    /// Detected logos in pixels of the full picture, without duplicates.
    pub candidates: Vec<Candidate>,
}

impl Fusion {
    /// Describes the first invalid value, if any.
    pub fn problem(&self) -> Option<&'static str> {
        if !(0.0..=1.0).contains(&self.iou) || !(0.0..=1.0).contains(&self.agreement) {
            Some("fusion.iou and fusion.agreement must be within 0 to 1")
        } else if !(self.seen_from >= 0.0 && self.seen_from <= self.seen_to) {
            Some("fusion.seen_from must be at least 0 and at most fusion.seen_to")
        } else {
            None
        }
    }

    fn expects(&self, view: &View, bounds: &PixelBox) -> bool {
        view.whole_on_canvas(bounds)
            .is_some_and(|seen| (self.seen_from..=self.seen_to).contains(&seen.width.max(seen.height)))
    }
}

/// Merges the detections of all views; highest score first.
///
/// Boxes of one brand that overlap are one logo. Its box is their mean, weighted by their scores.
/// Its score is interpolated between the best score and the mean over all views expected to show
/// it, with the weight [`Fusion::agreement`], because a logo seen in only one view is rarely real.
/// (After Solovyev, Wang and Gabruseva, "Weighted boxes fusion", 2021.)
pub fn fuse(views: &[ViewDetections], fusion: Fusion) -> Vec<Candidate> {
    let seen_in = |(index, view): (usize, &ViewDetections)| {
        view.candidates.iter().map(move |candidate| (index, *candidate)).collect::<Vec<_>>()
    };
    let mut all: Vec<(usize, Candidate)> = views.iter().enumerate().flat_map(seen_in).collect();
    all.sort_by(|(_, one), (_, other)| surest_first(one, other));
    let mut logos: Vec<Vec<(usize, Candidate)>> = Vec::new();
    for (view, candidate) in all {
        let same = |logo: &&mut Vec<(usize, Candidate)>| {
            let surest = &logo[0].1;
            surest.label == candidate.label && iou(&surest.bounds, &candidate.bounds) > fusion.iou
        };
        match logos.iter_mut().find(same) {
            // A view counts once, with its highest-scoring box, which came first.
            Some(logo) if logo.iter().any(|(other, _)| *other == view) => {}
            Some(logo) => logo.push((view, candidate)),
            None => logos.push(vec![(view, candidate)]),
        }
    }
    let mut fused: Vec<Candidate> = logos.iter().map(|logo| fused(logo, views, fusion)).collect();
    fused.sort_by(surest_first);
    fused
}

#[expect(clippy::cast_precision_loss, reason = "views are few")]
fn fused(logo: &[(usize, Candidate)], views: &[ViewDetections], fusion: Fusion) -> Candidate {
    let (_, surest) = logo[0];
    let total: f32 = logo.iter().map(|(_, candidate)| candidate.score).sum();
    if total <= 0.0 {
        return surest;
    }
    let mean = |side: fn(&PixelBox) -> f32| {
        logo.iter().map(|(_, candidate)| candidate.score * side(&candidate.bounds)).sum::<f32>() / total
    };
    let bounds =
        PixelBox { x: mean(|b| b.x), y: mean(|b| b.y), width: mean(|b| b.width), height: mean(|b| b.height) };
    let ought = |(index, view): &(usize, &ViewDetections)| {
        logo.iter().any(|(view, _)| view == index) || fusion.expects(&view.view, &bounds)
    };
    let views = views.iter().enumerate().filter(ought).count();
    let score = (1.0 - fusion.agreement) * surest.score + fusion.agreement * total / views as f32;
    Candidate { label: surest.label, score, bounds }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arbitrary::pixel_box;
    use super::super::{Size, ViewPolicy};
    use super::*;
    use crate::domain::Picture;

    const FUSION: Fusion = Fusion { iou: 0.5, agreement: 0.5, seen_from: 16.0, seen_to: 480.0 };

    /// Views of a picture of 1,000 by 1,000 pixels.
    fn views(sides: &str) -> Vec<View> {
        let json = format!(r#"{{"canvas": [[512, 512]], "longest_sides": {sides}, "tiles": null}}"#);
        let policy: ViewPolicy = serde_json::from_str(&json).unwrap();
        let pixels = vec![0; Size { width: 10, height: 10 }.pixels() * 3];
        policy.views(&Picture::new(10, 10, pixels).unwrap().standing_for(1000, 1000))
    }

    fn candidate(score: f32, x: f32, side: f32) -> Candidate {
        Candidate { label: 0, score, bounds: PixelBox { x, y: 0.0, width: side, height: side } }
    }

    fn found_in(seen: Vec<Vec<Candidate>>) -> Vec<ViewDetections> {
        let views = views("[500, 250, 125]");
        views.into_iter().zip(seen).map(|(view, candidates)| ViewDetections { view, candidates }).collect()
    }

    #[test]
    fn a_logo_that_all_views_show_is_as_sure_as_they_are_and_in_between() {
        let seen = found_in(vec![
            vec![candidate(0.8, 100.0, 200.0)],
            vec![candidate(0.8, 110.0, 200.0)],
            vec![candidate(0.8, 120.0, 200.0)],
        ]);
        let [one] = fuse(&seen, FUSION)[..] else { panic!("one logo") };
        assert!((one.score - 0.8).abs() < 1e-6 && (one.bounds.x - 110.0).abs() < 1e-3, "{one:?}");
    }

    #[test]
    fn what_one_view_alone_shows_is_less_sure_unless_the_others_could_not_see_it() {
        let large = fuse(&found_in(vec![vec![candidate(0.9, 0.0, 400.0)], vec![], vec![]]), FUSION);
        assert!((large[0].score - (0.45 + 0.15)).abs() < 1e-6, "{large:?}");
        // 40 pixels become 20, 10 and 5 in the three views, too small in the last two.
        let small = fuse(&found_in(vec![vec![candidate(0.9, 0.0, 40.0)], vec![], vec![]]), FUSION);
        assert!((small[0].score - 0.9).abs() < 1e-6, "{small:?}");
    }

    proptest! {
        #[test]
        fn no_score_leaves_the_range_of_what_was_seen_and_every_brand_stays(
            seen in prop::collection::vec(prop::collection::vec((0usize..3, 0.01f32..=1.0, pixel_box()), 0..12), 3)
        ) {
            let candidates = |some: Vec<(usize, f32, PixelBox)>| {
                some.into_iter().map(|(label, score, bounds)| Candidate { label, score, bounds }).collect()
            };
            let views = found_in(seen.into_iter().map(candidates).collect());
            let all: Vec<Candidate> = views.iter().flat_map(|view| view.candidates.clone()).collect();
            let fused = fuse(&views, FUSION);
            prop_assert!(fused.len() <= all.len());
            for label in 0..3 {
                let best = |of: &[Candidate]| of.iter().filter(|c| c.label == label).map(|c| c.score).max_by(f32::total_cmp);
                match (best(&all), best(&fused)) {
                    (Some(before), Some(after)) => prop_assert!(after > 0.0 && after <= before + 1e-6),
                    (before, after) => prop_assert_eq!(before, after),
                }
            }
        }
    }
}
