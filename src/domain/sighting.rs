//! A logo seen in a picture.

use super::{BrandId, QueryVersion};

/// A rectangle in pixels of the upright picture: `x` and `y` are its left upper corner, and `y`
/// grows downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelBox {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// How much a logo stands out, for whoever weighs sightings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prominence {
    /// Its box's share of the picture's area, 0 to 1.
    pub share: f32,
    /// Distance of its centre from the picture's, as a share of half the diagonal: 0 in the
    /// centre, 1 in a corner.
    pub distance: f32,
    /// Variance of the Laplacian of its luminance (0 to 255), at the pixels at hand: the higher,
    /// the sharper. (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", 2000.)
    pub sharpness: f32,
}

/// A brand's logo, found in a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// Whose logo.
    pub brand: BrandId,
    /// The version of the brand's query, which has its logo's label.
    pub query: QueryVersion,
    /// Where.
    pub bounds: PixelBox,
    /// How sure the model is, 0 to 1.
    pub score: f32,
    /// How much it stands out.
    pub prominence: Prominence,
}
