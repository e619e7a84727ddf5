//! Image pyramid: fixed-size windows over a picture at several scales.

use serde::Deserialize;

use super::Size;
use crate::domain::PixelBox;

/// The window that a network classifies, from its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct WindowShape {
    /// Width of the receptive field.
    pub width: u32,
    /// Height of the receptive field.
    pub height: u32,
    /// The part of the window that the logo fills.
    pub core: Core,
    /// Pixels between neighbouring windows, in both directions.
    pub stride: u32,
    /// Grey level of the padding around the picture.
    pub fill: u8,
}

/// The scales at which a picture is searched, from a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct PyramidPolicy {
    /// Width of the narrowest logo that is searched for, in pixels of the picture.
    pub narrowest_core: f64,
    /// Factor by which the picture shrinks at each further level.
    pub ratio: f64,
}

/// How much larger than the picture a core may be, so that logos that fill the picture are found.
const ROOM: f64 = 1.05;

/// The part of a window that is classified; the rest is context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Core {
    /// Left edge in the window.
    pub x: u32,
    /// Top edge in the window.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// A picture at one scale, padded for the windows at its edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Size of the picture at this level.
    pub content: Size,
    /// Its size with the padding, which is as wide as the context around the core.
    pub padded: Size,
    /// The windows.
    pub grid: WindowGrid,
    picture: Size,
    core: Size,
}

/// Number and spacing of the windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowGrid {
    /// Windows in a row.
    pub columns: u32,
    /// Rows of windows.
    pub rows: u32,
    /// Pixels between neighbours, in both directions.
    pub stride: u32,
}

impl PyramidPolicy {
    /// Describes the first invalid value, if any.
    pub fn problem(&self) -> Option<&'static str> {
        // Close to 1 there would be too many levels; at 1 or below they would not end.
        let sound = self.narrowest_core >= 1.0 && self.ratio >= 1.01;
        (!sound).then_some("scales.narrowest_core must be 1 or more, and scales.ratio 1.01 or more")
    }
}

impl WindowShape {
    /// Describes the first invalid value, if any.
    pub fn problem(&self) -> Option<&'static str> {
        let Self { width, height, core, stride, .. } = self;
        let outside = |at: u32, length: u32, whole: u32| {
            length == 0 || at.checked_add(length).is_none_or(|end| end > whole)
        };
        if *stride == 0 {
            Some("window.stride is 0")
        } else if outside(core.x, core.width, *width) || outside(core.y, core.height, *height) {
            Some("window.core is empty or reaches out of the window")
        } else {
            None
        }
    }

    /// The levels at which a picture is searched, from the one where the narrowest logo fills a
    /// core to the one where the whole picture does.
    pub fn levels(&self, picture: Size, policy: PyramidPolicy) -> Vec<Level> {
        let core = Size { width: self.core.width, height: self.core.height };
        let (across, down) = (f64::from(core.width), f64::from(core.height));
        let first = policy.narrowest_core / across;
        let zooms = std::iter::successors(Some(first), |zoom| Some(zoom * policy.ratio));
        let fits = |zoom: f64| {
            zoom * across <= f64::from(picture.width) * ROOM
                && zoom * down <= f64::from(picture.height) * ROOM
        };
        // The first level is always included.
        let zooms = zooms.take_while(|zoom| *zoom <= first || fits(*zoom));
        let level = |zoom: f64| {
            let content = picture.scaled(1.0 / zoom);
            let padded = Size {
                width: (content.width + self.width - core.width).max(self.width),
                height: (content.height + self.height - core.height).max(self.height),
            };
            Level { content, padded, grid: self.grid(padded), picture, core }
        };
        zooms.map(level).collect()
    }

    /// Splits a grid of windows over a picture of this width into strips of at most `most_pixels`,
    /// or of one row of windows if that has more. Returns the first row and the number of rows of
    /// each. Neighbouring strips overlap by the window height minus the stride.
    pub fn strips(&self, grid: WindowGrid, width: u32, most_pixels: usize) -> Vec<(u32, u32)> {
        let most = u32::try_from(most_pixels / width.max(1) as usize).unwrap_or(u32::MAX);
        let rows = most.saturating_sub(self.height) / self.stride.max(1) + 1;
        let starts = (0..grid.rows).step_by(rows as usize);
        starts.map(|first| (first, rows.min(grid.rows - first))).collect()
    }

    /// Height in pixels of a strip of this many rows of windows.
    pub fn strip_height(&self, rows: u32) -> u32 {
        rows.saturating_sub(1) * self.stride + self.height
    }

    /// The windows of a picture of this size, one per score of a network of valid convolutions
    /// whose receptive field is the window.
    pub fn grid(&self, size: Size) -> WindowGrid {
        let count = |length: u32, window: u32| {
            length.checked_sub(window).map_or(0, |rest| rest / self.stride.max(1) + 1)
        };
        WindowGrid {
            columns: count(size.width, self.width),
            rows: count(size.height, self.height),
            stride: self.stride,
        }
    }
}

impl Level {
    /// The core of a window, in pixels of the picture.
    #[expect(clippy::cast_precision_loss, reason = "sides are far below 2^23 pixels")]
    pub fn core(&self, column: u32, row: u32) -> PixelBox {
        let across = self.picture.width as f32 / self.content.width as f32;
        let down = self.picture.height as f32 / self.content.height as f32;
        PixelBox {
            // The padding is as wide as the context, so the core of the first window starts at 0.
            x: (column * self.grid.stride) as f32 * across,
            y: (row * self.grid.stride) as f32 * down,
            width: self.core.width as f32 * across,
            height: self.core.height as f32 * down,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHAPE: WindowShape = WindowShape {
        width: 102,
        height: 50,
        core: Core { x: 13, y: 14, width: 75, height: 22 },
        stride: 4,
        fill: 114,
    };
    const POLICY: PyramidPolicy = PyramidPolicy { narrowest_core: 44.0, ratio: 1.3 };

    /// Output length of valid layers, each given as kernel and stride.
    fn dense(length: u32, layers: &[(u32, u32)]) -> u32 {
        layers.iter().fold(length, |length, (kernel, stride)| {
            length.checked_sub(*kernel).map_or(0, |rest| rest / stride + 1)
        })
    }

    proptest! {
        #[test]
        fn the_grid_is_as_large_as_the_dense_output(width in 1u32..2000, height in 1u32..2000) {
            // Convolutions and two poolings with a receptive field 102 wide and 50 high.
            let across = [(4, 1), (4, 1), (2, 2), (4, 1), (4, 1), (3, 1), (3, 1), (2, 1), (2, 1), (2, 2), (18, 1)];
            let down = [(4, 1), (4, 1), (2, 2), (4, 1), (4, 1), (3, 1), (3, 1), (2, 1), (2, 1), (2, 2), (5, 1)];
            prop_assert_eq!((dense(102, &across), dense(50, &down)), (1, 1));
            let grid = SHAPE.grid(Size { width, height });
            prop_assert_eq!(grid.columns, dense(width, &across));
            prop_assert_eq!(grid.rows, dense(height, &down));
        }

        #[test]
        fn strips_have_every_row_of_windows_once(
            width in 102u32..4000, height in 50u32..3000, most in 1usize..600_000,
        ) {
            let size = Size { width, height };
            let grid = SHAPE.grid(size);
            let mut next = 0;
            for (first, rows) in SHAPE.strips(grid, width, most) {
                prop_assert_eq!(first, next);
                let strip = Size { width, height: SHAPE.strip_height(rows) };
                prop_assert_eq!(SHAPE.grid(strip), WindowGrid { rows, ..grid });
                prop_assert!(first * SHAPE.stride + strip.height <= height);
                prop_assert!(rows == 1 || strip.pixels() <= most);
                next += rows;
            }
            prop_assert_eq!(next, grid.rows);
        }

        #[test]
        fn cores_lie_in_the_picture_and_reach_its_end(width in 1u32..3000, height in 1u32..3000) {
            let levels = SHAPE.levels(Size { width, height }, POLICY);
            prop_assert!(!levels.is_empty());
            for level in levels {
                let WindowGrid { columns, rows, stride } = level.grid;
                prop_assert!(columns > 0 && rows > 0);
                let last = level.core(columns - 1, rows - 1);
                let (right, bottom) = (f64::from(last.x + last.width), f64::from(last.y + last.height));
                let step = f64::from(stride) * f64::from(width) / f64::from(level.content.width);
                prop_assert!(right + step > f64::from(width) - 1e-2);
                // A core larger than the picture gives a grid of one.
                prop_assert!(columns == 1 || right <= f64::from(width) + 1e-2);
                prop_assert!(rows == 1 || bottom <= f64::from(height) + 1e-2);
            }
        }
    }

    #[test]
    fn levels_go_from_the_narrowest_logo_to_one_as_large_as_the_picture() {
        let levels = SHAPE.levels(Size::from((300, 60)), POLICY);
        let picture = Size::from((300, 60));
        // At the last level a core is 62 high; one level further it would be 81.
        assert_eq!(levels.len(), 7);
        assert_eq!(levels[0].content, picture.scaled(75.0 / 44.0));
        assert_eq!(levels[6].content, picture.scaled(75.0 / 44.0 / 1.3f64.powi(6)));
        let small = SHAPE.levels(Size::from((20, 9)), POLICY);
        assert_eq!((small.len(), small[0].padded), (1, Size::from((102, 50))));
        assert_eq!(SHAPE.problem(), None);
        assert!(PyramidPolicy { ratio: 1.0, ..POLICY }.problem().is_some());
    }
}
