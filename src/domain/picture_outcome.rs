//! What became of a picture.

use super::{Detection, PixelBox};

/// What became of a picture's address.
#[derive(Clone, Debug, PartialEq)]
pub enum PictureOutcome {
    /// It was fetched and examined.
    Examined(ExaminedPicture),
    /// The address is not let through, for this reason.
    Refused(String),
    /// It can't be had, or not be examined, for this reason.
    Failed(String),
    /// The file is no picture.
    Undecodable {
        /// Why.
        reason: String,
        /// SHA-256 of the file.
        content: [u8; 32],
        /// Size of the file.
        bytes: u64,
    },
}

impl PictureOutcome {
    /// The name in rows and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Examined(_) => "fetched",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
            Self::Undecodable { .. } => "undecodable",
        }
    }
}

/// A picture that a model has examined.
#[derive(Clone, Debug, PartialEq)]
pub struct ExaminedPicture {
    /// SHA-256 of the file.
    pub content: [u8; 32],
    /// The perceptual hash, as a signed number; none where the picture is too plain for one.
    pub perceptual: Option<i64>,
    /// Size of the file.
    pub bytes: u64,
    /// Width of the upright picture.
    pub width: u32,
    /// Height of the upright picture.
    pub height: u32,
    /// The model, with its version.
    pub model: String,
    /// The logos that it reports.
    pub detections: Vec<Detection>,
}

impl ExaminedPicture {
    /// The same logos in a picture that is the same but for its size.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "boxes have single precision")]
    pub fn detections_at_size(&self, width: u32, height: u32) -> Vec<Detection> {
        let across = (f64::from(width) / f64::from(self.width.max(1))) as f32;
        let down = (f64::from(height) / f64::from(self.height.max(1))) as f32;
        let scaled = |detection: &Detection| {
            let PixelBox { x, y, width, height } = detection.bounds;
            let bounds =
                PixelBox { x: x * across, y: y * down, width: width * across, height: height * down };
            Detection { bounds, ..detection.clone() }
        };
        self.detections.iter().map(scaled).collect()
    }
}
