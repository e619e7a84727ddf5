//! Which parts of a picture a detector gets, and at which scale.

use std::num::NonZeroU32;

use serde::Deserialize;

use super::{Letterbox, Size, clipped, tiles};
use crate::domain::{Picture, PixelBox};

/// A box that ends within this many canvas pixels of a tile's inner border counts as cut off.
const CUT_WITHIN: f32 = 2.0;

/// Which views of a picture a detector gets, from its manifest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ViewPolicy {
    /// Canvas sizes of the network. Few, so that pictures can share batches.
    #[serde(rename = "canvas")]
    pub canvases: Vec<Size>,
    /// Lengths to which the longer side of the whole picture is scaled, one per view.
    pub longest_sides: Vec<u32>,
    /// Tiling of large pictures.
    pub tiles: Option<TilePolicy>,
    /// The second pass, which runs if the first finds a likely logo.
    pub again: Option<SecondLook>,
}

/// The second pass: more views of the few pictures that are likely to have a logo.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SecondLook {
    /// The second pass runs if the best score of the first is at least this.
    pub from: f32,
    /// Further lengths to which the longer side of the whole picture is scaled.
    pub longest_sides: Vec<u32>,
}

/// How large pictures are cut into tiles.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TilePolicy {
    /// Side of a tile.
    pub side: u32,
    /// Least overlap of neighbouring tiles. A logo smaller than this lies whole in one of them.
    pub overlap: u32,
    /// Longer side above which a picture is cut into tiles.
    pub from: u32,
    /// Pictures with a longer side above this are first scaled down to it, which bounds the number
    /// of tiles.
    pub up_to: Option<u32>,
    /// Then the picture is scaled by each of these factors and tiled, to find small logos.
    #[serde(default = "unscaled")]
    pub scales: Vec<f64>,
}

/// A part of a picture as input to a detector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// The part, in pixels of the full picture, and its size on the canvas.
    pub letterbox: Letterbox,
    /// Whether the picture extends beyond the part: left, top, right, bottom.
    goes_on: [bool; 4],
}

impl ViewPolicy {
    /// Describes the first invalid value, if any.
    pub fn problem(&self) -> Option<&'static str> {
        let tiles = self.tiles.as_ref();
        if self.canvases.iter().any(|canvas| canvas.pixels() == 0) || self.canvases.is_empty() {
            Some("scales.canvas must name sizes above 0")
        } else if self.longest_sides.contains(&0) || self.longest_sides.is_empty() {
            Some("scales.longest_sides must name lengths above 0")
        } else if self.again.as_ref().is_some_and(|again| !(0.0..=1.0).contains(&again.from)) {
            Some("scales.again.from must be within 0 to 1")
        } else if self.again.as_ref().is_some_and(|again| again.longest_sides.contains(&0)) {
            Some("scales.again.longest_sides must name lengths above 0")
        } else if tiles.is_some_and(|tiles| tiles.overlap >= tiles.side) {
            Some("scales.tiles.overlap must be below scales.tiles.side")
        } else if tiles.is_some_and(|tiles| !tiles.scales.iter().all(|scale| (0.1..=10.0).contains(scale))) {
            Some("scales.tiles.scales must be within 0.1 to 10")
        } else {
            None
        }
    }

    /// The views of the first pass: the whole picture first, then its tiles.
    pub fn views(&self, picture: &Picture) -> Vec<View> {
        let full = Size { width: picture.full_width(), height: picture.full_height() };
        let at_hand = Size { width: picture.width(), height: picture.height() };
        let mut views = self.whole(full, &self.longest_sides);
        if let Some(policy) = self.tiles.as_ref().filter(|policy| at_hand.longer_side() > policy.from) {
            let longest = policy.up_to.unwrap_or(u32::MAX).min(at_hand.longer_side());
            let bounded = at_hand.with_longer_side(longest);
            for scale in &policy.scales {
                views.extend(self.in_tiles(full, bounded.scaled(*scale), policy));
            }
        }
        views
    }

    /// The views of the second pass; none if the best score of the first is too low for it.
    pub fn views_again(&self, picture: &Picture, best_score: f32) -> Vec<View> {
        let full = Size { width: picture.full_width(), height: picture.full_height() };
        match &self.again {
            Some(again) if best_score >= again.from => self.whole(full, &again.longest_sides),
            _ => Vec::new(),
        }
    }

    /// The longer side to which pictures can be decoded without loss of detail in any view. `None`
    /// if the full resolution is needed.
    pub fn sufficient_side(&self) -> Option<NonZeroU32> {
        let again = self.again.iter().flat_map(|again| &again.longest_sides);
        let whole = self.longest_sides.iter().chain(again).copied().max();
        let tiled = self.tiles.as_ref().map_or(Some(0), |tiles| tiles.up_to);
        NonZeroU32::new(whole?.max(tiled?))
    }

    /// Views of the whole picture, one per length.
    fn whole(&self, full: Size, longest_sides: &[u32]) -> Vec<View> {
        let view = |side: &u32| {
            let letterbox = Letterbox::fit(everything(full), full.with_longer_side(*side), &self.canvases)?;
            Some(View { letterbox, goes_on: [false; 4] })
        };
        let mut views: Vec<View> = longest_sides.iter().filter_map(view).collect();
        // Lengths that no canvas holds are reduced, possibly to the same one.
        views.dedup();
        views
    }

    /// Tiles of the picture scaled to `shown`.
    fn in_tiles(&self, full: Size, shown: Size, policy: &TilePolicy) -> impl Iterator<Item = View> {
        let shrunk = Letterbox { canvas: shown, content: shown, source: everything(full) };
        tiles(shown, policy.side, policy.overlap).into_iter().filter_map(move |(x, y, size)| {
            let source = shrunk.to_picture(&PixelBox { x: float(x), y: float(y), ..everything(size) });
            let letterbox = Letterbox::fit(source, size, &self.canvases)?;
            let goes_on = [x > 0, y > 0, x + size.width < shown.width, y + size.height < shown.height];
            Some(View { letterbox, goes_on })
        })
    }
}

impl View {
    /// Maps a box on the canvas to pixels of the full picture. `None` if it lies in the padding or
    /// is cut off by an inner border of a tile. The neighbouring tile then shows it whole or, if it
    /// is larger than the overlap, the view of the whole picture does.
    pub fn to_picture(&self, bounds: &PixelBox) -> Option<PixelBox> {
        if self.gaps(bounds).into_iter().zip(self.goes_on).any(|(gap, goes_on)| goes_on && gap <= CUT_WITHIN)
        {
            return None;
        }
        let content = everything(self.letterbox.content);
        let inside = clipped(bounds, content.width, content.height)?;
        Some(self.letterbox.to_picture(&inside))
    }

    /// Maps a box of the full picture to the canvas, if the view shows the whole box.
    pub fn whole_on_canvas(&self, bounds: &PixelBox) -> Option<PixelBox> {
        let seen = self.letterbox.to_canvas(bounds);
        let shown = |(gap, goes_on): (f32, bool)| if goes_on { gap > CUT_WITHIN } else { gap > -CUT_WITHIN };
        self.gaps(&seen).into_iter().zip(self.goes_on).all(shown).then_some(seen)
    }

    /// Distances of a box on the canvas from the borders of the content: left, top, right, bottom.
    fn gaps(&self, bounds: &PixelBox) -> [f32; 4] {
        let content = everything(self.letterbox.content);
        let (right, below) = (bounds.x + bounds.width, bounds.y + bounds.height);
        [bounds.x, bounds.y, content.width - right, content.height - below]
    }
}

fn unscaled() -> Vec<f64> {
    vec![1.0]
}

fn everything(size: Size) -> PixelBox {
    PixelBox { x: 0.0, y: 0.0, width: float(size.width), height: float(size.height) }
}

#[expect(clippy::cast_precision_loss, reason = "sides are far below 2^23 pixels")]
fn float(side: u32) -> f32 {
    side as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> ViewPolicy {
        serde_json::from_str(
            r#"{"canvas": [[512, 512], [512, 384]], "longest_sides": [512, 320],
                "tiles": {"side": 512, "overlap": 128, "from": 1280}}"#,
        )
        .unwrap()
    }

    fn picture(width: u32, height: u32) -> Picture {
        Picture::new(width, height, vec![0; Size { width, height }.pixels() * 3]).unwrap()
    }

    #[test]
    fn small_pictures_are_looked_at_whole_and_large_ones_in_tiles_too() {
        let policy = policy();
        assert_eq!(policy.problem(), None);
        assert_eq!(policy.views(&picture(1280, 960)).len(), 2);
        let views = policy.views(&picture(1920, 1080));
        // Five columns and three rows of tiles that overlap by at least 128.
        assert_eq!(views.len(), 2 + 5 * 3);
        assert!(views[2..].iter().all(|view| view.letterbox.content == Size::from((512, 512))));
        assert_eq!(policy.sufficient_side(), None);
        assert_eq!(ViewPolicy { tiles: None, ..policy }.sufficient_side(), NonZeroU32::new(512));
    }

    #[test]
    fn tiles_of_a_huge_picture_are_bounded() {
        let mut policy = policy();
        policy.tiles = policy.tiles.map(|tiles| TilePolicy { up_to: Some(2048), ..tiles });
        let few = policy.views(&picture(8000, 6000)).len();
        assert_eq!(few, policy.views(&picture(2048, 1536)).len());
        assert_eq!(policy.sufficient_side(), NonZeroU32::new(2048));
        policy.tiles = policy.tiles.map(|tiles| TilePolicy { scales: vec![1.5], ..tiles });
        let enlarged = policy.views(&picture(8000, 6000));
        assert!(enlarged.len() > few);
        policy.tiles = policy.tiles.map(|tiles| TilePolicy { scales: vec![1.0, 1.5], ..tiles });
        assert_eq!(policy.views(&picture(8000, 6000)).len() - 2, few - 2 + enlarged.len() - 2);
        assert!((enlarged[3].letterbox.source.height - 6000.0 * 512.0 / (1536.0 * 1.5)).abs() < 1.0);
    }

    #[test]
    fn a_second_look_follows_where_the_first_suspects_something() {
        let again = SecondLook { from: 0.2, longest_sides: vec![256, 448] };
        let policy = ViewPolicy { again: Some(again), tiles: None, ..policy() };
        let small = picture(640, 480);
        assert_eq!(policy.views(&small).len(), 2);
        assert_eq!(policy.views_again(&small, 0.19), []);
        let sides: Vec<u32> =
            policy.views_again(&small, 0.2).iter().map(|view| view.letterbox.content.longer_side()).collect();
        assert_eq!(sides, [256, 448]);
    }

    #[test]
    fn a_view_shows_whole_what_it_contains_and_a_tile_not_what_its_border_cuts() {
        let views = policy().views(&picture(1920, 1080));
        let logo = PixelBox { x: 100.0, y: 100.0, width: 120.0, height: 40.0 };
        let on_canvas = views[0].whole_on_canvas(&logo).unwrap();
        assert!((on_canvas.width - 120.0 * 512.0 / 1920.0).abs() < 1e-3, "{on_canvas:?}");
        assert_eq!(views[2].whole_on_canvas(&logo), Some(logo));
        assert_eq!(views[2].whole_on_canvas(&PixelBox { x: 450.0, ..logo }), None);
    }

    #[test]
    fn boxes_come_back_in_pixels_of_the_full_picture() {
        let half = picture(512, 384).standing_for(1024, 768);
        let view = policy().views(&half)[0];
        let bounds = view.to_picture(&PixelBox { x: 0.0, y: 0.0, width: 256.0, height: 100.0 });
        assert_eq!(bounds, Some(PixelBox { x: 0.0, y: 0.0, width: 512.0, height: 200.0 }));
        assert_eq!(view.to_picture(&PixelBox { x: 0.0, y: 400.0, width: 9.0, height: 9.0 }), None);
    }

    #[test]
    fn what_an_inner_border_of_a_tile_cuts_is_left_to_the_neighbour() {
        let views = policy().views(&picture(1920, 1080));
        let (first, last) = (views[2], views[views.len() - 1]);
        let left = PixelBox { x: 0.0, y: 100.0, width: 50.0, height: 20.0 };
        let right = PixelBox { x: 461.0, ..left };
        assert!(first.to_picture(&left).is_some() && first.to_picture(&right).is_none());
        assert!(last.to_picture(&left).is_none());
        let bounds = last.to_picture(&right).unwrap();
        assert!((bounds.x + bounds.width - 1919.0).abs() < 1e-3, "{bounds:?}");
    }
}
