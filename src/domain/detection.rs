//! A logo that a model found in a picture.

use super::{PixelBox, Prominence};

/// A logo found in a picture, by the model's own label: which brand it stands for is decided later.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// The model's label.
    pub label: String,
    /// How sure the model is, 0 to 1.
    pub score: f32,
    /// Where.
    pub bounds: PixelBox,
    /// How much it stands out.
    pub prominence: Prominence,
    /// Whether the score reaches the threshold of its label. Others serve to measure a model.
    pub reported: bool,
}
