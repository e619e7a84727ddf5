//! Fits pictures of any shape onto canvases of a few fixed sizes.

use serde::Deserialize;

use crate::domain::PixelBox;

/// A size in whole pixels. Written as `[width, height]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(from = "(u32, u32)")]
pub struct Size {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl From<(u32, u32)> for Size {
    fn from((width, height): (u32, u32)) -> Self {
        Self { width, height }
    }
}

impl Size {
    /// Number of pixels.
    pub fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// The size scaled to a longer side of `side` pixels. No side becomes shorter than one pixel.
    #[must_use]
    pub fn with_longer_side(self, side: u32) -> Self {
        self.scaled(f64::from(side) / f64::from(self.longer_side().max(1)))
    }

    /// Both sides times a factor, rounded. No side becomes shorter than one pixel.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { width: scaled(self.width, factor), height: scaled(self.height, factor) }
    }

    /// The longer of the two sides.
    pub fn longer_side(self) -> u32 {
        self.width.max(self.height)
    }

    /// Whether it fits into another without rotation.
    pub fn fits(self, other: Self) -> bool {
        self.width <= other.width && self.height <= other.height
    }
}

/// A scaled part of a picture in the top left corner of a canvas; the rest is padding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    /// Size of the canvas.
    pub canvas: Size,
    /// Size of the scaled part on the canvas.
    pub content: Size,
    /// The part, in pixels of the picture.
    pub source: PixelBox,
}

impl Letterbox {
    /// Fits `source` onto the smallest canvas that holds it at the size `content`. If none does, it
    /// is scaled down, keeping its aspect ratio, to the canvas on which it is largest. `None` if
    /// there is no canvas.
    pub fn fit(source: PixelBox, content: Size, canvases: &[Size]) -> Option<Self> {
        let holding = canvases.iter().filter(|canvas| content.fits(**canvas));
        if let Some(canvas) = holding.min_by_key(|canvas| (canvas.pixels(), canvas.width)) {
            return Some(Self { canvas: *canvas, content, source });
        }
        let largest = |canvas: &Size| {
            let across = f64::from(canvas.width) / f64::from(content.width);
            across.min(f64::from(canvas.height) / f64::from(content.height))
        };
        let canvas = canvases.iter().max_by(|one, other| largest(one).total_cmp(&largest(other)))?;
        let smaller = content.scaled(largest(canvas));
        let content =
            Size { width: smaller.width.min(canvas.width), height: smaller.height.min(canvas.height) };
        Some(Self { canvas: *canvas, content, source })
    }

    /// Maps a box of the picture to the canvas.
    pub fn to_canvas(&self, bounds: &PixelBox) -> PixelBox {
        let (across, down) = self.scales();
        PixelBox {
            x: (bounds.x - self.source.x) * across,
            y: (bounds.y - self.source.y) * down,
            width: bounds.width * across,
            height: bounds.height * down,
        }
    }

    /// Maps a box on the canvas to the picture.
    pub fn to_picture(&self, bounds: &PixelBox) -> PixelBox {
        let (across, down) = self.scales();
        PixelBox {
            x: bounds.x / across + self.source.x,
            y: bounds.y / down + self.source.y,
            width: bounds.width / across,
            height: bounds.height / down,
        }
    }

    /// Horizontal and vertical scale; rounding to whole pixels makes them differ slightly.
    #[expect(clippy::cast_precision_loss, reason = "sides are far below 2^23 pixels")]
    fn scales(&self) -> (f32, f32) {
        (self.content.width as f32 / self.source.width, self.content.height as f32 / self.source.height)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates, and a size is positive"
)]
fn scaled(side: u32, factor: f64) -> u32 {
    ((f64::from(side) * factor).round() as u32).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arbitrary::pixel_box;
    use super::*;

    fn canvases() -> Vec<Size> {
        [(512, 512), (512, 384), (384, 512), (640, 640)].map(Size::from).to_vec()
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_within_a_pixel(
            bounds in pixel_box(), source in pixel_box(), side in 16u32..2000,
        ) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            let size = Size { width: source.width.ceil() as u32, height: source.height.ceil() as u32 };
            let letterbox = Letterbox::fit(source, size.with_longer_side(side), &canvases()).unwrap();
            let back = letterbox.to_picture(&letterbox.to_canvas(&bounds));
            for (found, expected) in
                [(back.x, bounds.x), (back.y, bounds.y), (back.width, bounds.width), (back.height, bounds.height)]
            {
                prop_assert!((found - expected).abs() < 1.0, "{back:?} is not {bounds:?}");
            }
        }

        #[test]
        fn content_fits_its_canvas_and_keeps_its_shape(width in 1u32..6000, height in 1u32..6000, side in 16u32..2000) {
            let picture = Size { width, height };
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let source = PixelBox { x: 0.0, y: 0.0, width: width as f32, height: height as f32 };
            let letterbox = Letterbox::fit(source, picture.with_longer_side(side), &canvases()).unwrap();
            prop_assert!(letterbox.content.fits(letterbox.canvas));
            let (across, down) = letterbox.scales();
            // Rounding changes a side by at most half a pixel; no side is below one.
            let whole = letterbox.to_canvas(&source);
            prop_assert!((whole.height / down * across - whole.width * source.height / source.width).abs()
                <= 1.0 + across.max(down));
        }
    }

    #[test]
    fn the_smallest_canvas_that_holds_it_is_taken() {
        let source = PixelBox { x: 0.0, y: 0.0, width: 1024.0, height: 768.0 };
        let fit = |side| Letterbox::fit(source, Size::from((1024, 768)).with_longer_side(side), &canvases());
        assert_eq!(fit(512).unwrap().canvas, Size::from((512, 384)));
        assert_eq!(fit(513).unwrap().canvas, Size::from((640, 640)));
        let shrunk = fit(2000).unwrap();
        assert_eq!((shrunk.canvas, shrunk.content), (Size::from((640, 640)), Size::from((640, 480))));
        assert_eq!(Letterbox::fit(source, Size::from((1, 1)), &[]), None);
    }
}
