//! Where logos can be in a picture: boxes, and the parts of a picture that a network is shown.
//!
//! - `boxes` measures boxes against each other and against the picture.
//! - `suppression` keeps one of several boxes that mean the same logo; `fusion` makes one of what
//!   several views of a picture show.
//! - `letterbox` fits a part of a picture onto a canvas of a size that the network knows, and
//!   brings boxes back.
//! - `tiles` cuts a large picture into overlapping squares.
//! - `views` decides which parts of a picture are looked at, and how large.
//! - `pyramid` gives the sizes at which fixed windows search a picture, and the grid of windows
//!   at each.
//! - `prominence` tells how much a logo stands out.
//!
//! Lengths are in pixels, `y` grows downwards, and a box reaches from its left upper corner up to,
//! but not including, its right lower one.

mod boxes;
mod fusion;
mod letterbox;
mod prominence;
mod pyramid;
mod suppression;
mod tiles;
mod views;

pub use boxes::{area, clipped, iou};
pub use fusion::{Fusion, Glance, fuse};
pub use letterbox::{Letterbox, Size};
pub use prominence::prominence;
pub use pyramid::{Core, Level, PyramidPolicy, WindowGrid, WindowShape};
pub use suppression::{Candidate, Sameness, suppress};
pub use tiles::tiles;
pub use views::{SecondLook, TilePolicy, View, ViewPolicy};

#[cfg(test)]
mod arbitrary {
    //! Boxes and pictures for property tests.

    use proptest::prelude::*;

    use crate::domain::PixelBox;

    /// A box of 1 to 400 pixels a side, inside a thousand by a thousand.
    pub(super) fn pixel_box() -> impl Strategy<Value = PixelBox> {
        (0f32..600.0, 0f32..600.0, 1f32..400.0, 1f32..400.0).prop_map(|(x, y, width, height)| PixelBox {
            x,
            y,
            width,
            height,
        })
    }
}
