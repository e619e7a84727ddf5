//! Geometry of logo detection: boxes, and the parts of a picture that are input to a network.
//!
//! - `boxes`: area, intersection over union, clipping.
//! - `suppression`: non-maximum suppression. `fusion`: merges the detections of several views.
//! - `letterbox`: fits a part of a picture onto a canvas of an input size of the network, and maps
//!   boxes back.
//! - `tiles`: cuts a large picture into overlapping squares.
//! - `views`: which parts of a picture a detector gets, and at which scale.
//! - `pyramid`: the scales at which fixed windows search a picture, and the window grid at each.
//! - `union`: what several pictures of one place show together.
//! - `prominence`: how much a logo stands out.
//!
//! Lengths are in pixels, `y` grows downwards, and a box extends from its top left corner to its
//! bottom right corner, which is not part of it.

mod boxes;
mod fusion;
mod letterbox;
mod prominence;
mod pyramid;
mod suppression;
mod tiles;
mod union;
mod views;

pub use boxes::{area, clipped, iou};
pub use fusion::{Fusion, ViewDetections, fuse};
pub use letterbox::{Letterbox, Size};
pub use prominence::prominence;
pub use pyramid::{Core, Level, PyramidPolicy, WindowGrid, WindowShape};
pub use suppression::{Candidate, Suppression, suppress};
pub use tiles::tiles;
pub use union::union;
pub use views::{SecondLook, TilePolicy, View, ViewPolicy};

#[cfg(test)]
mod arbitrary {
    //! Boxes and pictures for property tests.

    use proptest::prelude::*;

    use crate::domain::PixelBox;

    /// A box with sides of 1 to 400 pixels, inside 1,000 by 1,000 pixels.
    pub(super) fn pixel_box() -> impl Strategy<Value = PixelBox> {
        (0f32..600.0, 0f32..600.0, 1f32..400.0, 1f32..400.0).prop_map(|(x, y, width, height)| PixelBox {
            x,
            y,
            width,
            height,
        })
    }
}
