//! Which parts of a picture a detector is shown, and how large.

use std::num::NonZeroU32;

use serde::Deserialize;

use super::{Letterbox, Size, clipped, tiles};
use crate::domain::{Picture, PixelBox};

/// A box that ends so near an inner border of a tile, in pixels of the canvas, is cut off there.
const CUT_WITHIN: f32 = 2.0;

/// How a detector looks at pictures, as its manifest says it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ViewPolicy {
    /// The sizes that the network is given; few, so that pictures share batches.
    #[serde(rename = "canvas")]
    pub canvases: Vec<Size>,
    /// Each whole picture is looked at with its longer side at each of these lengths.
    pub longest_sides: Vec<u32>,
    /// Large pictures are looked at in parts, too.
    pub tiles: Option<TilePolicy>,
}

/// Large pictures, in parts.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct TilePolicy {
    /// Side of a tile.
    pub side: u32,
    /// Least overlap of two neighbours: what is smaller lies whole in one of them.
    pub overlap: u32,
    /// Pictures with a longer side above this are looked at in tiles.
    pub from: u32,
    /// Pictures with a longer side above this are made so large first, which bounds the tiles of
    /// one picture.
    pub up_to: Option<u32>,
    /// Then they are enlarged by this, for logos that are small in all pictures.
    #[serde(default = "unscaled")]
    pub scale: f64,
}

/// A part of a picture as a detector is shown it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Which part, in pixels of the full picture, and where it is put.
    pub letterbox: Letterbox,
    /// Whether the picture goes on beyond the part: to the left, above, to the right, below.
    goes_on: [bool; 4],
}

impl ViewPolicy {
    /// What can't be followed in it, if anything.
    pub fn problem(&self) -> Option<&'static str> {
        let tiles = self.tiles.as_ref();
        if self.canvases.iter().any(|canvas| canvas.pixels() == 0) || self.canvases.is_empty() {
            Some("scales.canvas must name sizes above 0")
        } else if self.longest_sides.contains(&0) || self.longest_sides.is_empty() {
            Some("scales.longest_sides must name lengths above 0")
        } else if tiles.is_some_and(|tiles| tiles.overlap >= tiles.side) {
            Some("scales.tiles.overlap must be below scales.tiles.side")
        } else if tiles.is_some_and(|tiles| !(0.1..=10.0).contains(&tiles.scale)) {
            Some("scales.tiles.scale must be within 0.1 to 10")
        } else {
            None
        }
    }

    /// The views of a picture: the whole of it first, then its tiles.
    pub fn views(&self, picture: &Picture) -> Vec<View> {
        let full = Size { width: picture.full_width(), height: picture.full_height() };
        let at_hand = Size { width: picture.width(), height: picture.height() };
        let whole = self.longest_sides.iter().filter_map(|side| {
            let letterbox = Letterbox::fit(everything(full), full.with_longer_side(*side), &self.canvases)?;
            Some(View { letterbox, goes_on: [false; 4] })
        });
        let mut views: Vec<View> = whole.collect();
        // Two lengths that no canvas holds may have become the same.
        views.dedup();
        if let Some(policy) = self.tiles.filter(|policy| at_hand.longer_side() > policy.from) {
            let longest = policy.up_to.unwrap_or(u32::MAX).min(at_hand.longer_side());
            let shown = at_hand.with_longer_side(longest).scaled(policy.scale);
            views.extend(self.in_tiles(full, shown, policy));
        }
        views
    }

    /// A picture decoded to a longer side of no less than this shows as much as in full. `None`
    /// where nothing less than all its pixels does.
    pub fn sufficient_side(&self) -> Option<NonZeroU32> {
        let whole = self.longest_sides.iter().copied().max();
        let tiled = self.tiles.map_or(Some(0), |tiles| tiles.up_to);
        NonZeroU32::new(whole?.max(tiled?))
    }

    /// Tiles of the picture at the size `shown`.
    fn in_tiles(&self, full: Size, shown: Size, policy: TilePolicy) -> impl Iterator<Item = View> {
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
    /// A box on the canvas, in pixels of the full picture. None where it lies in the filled rest of
    /// the canvas, or is cut off by an inner border of a tile: the neighbour has it whole, or the
    /// view of the whole picture, if it is larger than the overlap.
    pub fn to_picture(&self, bounds: &PixelBox) -> Option<PixelBox> {
        let content = everything(self.letterbox.content);
        let gaps = [
            bounds.x,
            bounds.y,
            content.width - bounds.x - bounds.width,
            content.height - bounds.y - bounds.height,
        ];
        if gaps.iter().zip(self.goes_on).any(|(gap, goes_on)| goes_on && *gap <= CUT_WITHIN) {
            return None;
        }
        let inside = clipped(bounds, content.width, content.height)?;
        Some(self.letterbox.to_picture(&inside))
    }
}

fn unscaled() -> f64 {
    1.0
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
        // Five columns of tiles at least 128 apart, three rows.
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
        policy.tiles = policy.tiles.map(|tiles| TilePolicy { scale: 1.5, ..tiles });
        let enlarged = policy.views(&picture(8000, 6000));
        assert!(enlarged.len() > few);
        assert!((enlarged[3].letterbox.source.height - 6000.0 * 512.0 / (1536.0 * 1.5)).abs() < 1.0);
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
