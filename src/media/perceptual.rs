//! Whether two pictures are the same to the eye, though their files differ.

use std::fmt;

use image::imageops::thumbnail;
use image::{DynamicImage, GrayImage, ImageBuffer, Rgb};
use image_hasher::{HashAlg, HasherConfig};

use crate::domain::Picture;

/// Side of the small grey picture that is hashed.
const SIDE: u32 = 32;

/// 64 bits that stay nearly the same when a picture is scaled, compressed anew or converted.
///
/// The picture is averaged down to 32 x 32 greys; of their low frequencies (discrete cosine
/// transform) each bit says whether one is above the median. This is the pHash of Zauner,
/// "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), as the crate
/// `image_hasher` computes it, with 16 x 16 values before the transform.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PerceptualHash(u64);

impl PerceptualHash {
    /// Up to how many bits the hashes of the same picture may differ.
    pub const SAME_WITHIN: u32 = 2;

    /// From its form in Postgres.
    pub fn from_i64(bits: i64) -> Self {
        Self(bits.cast_unsigned())
    }

    /// For a `bigint` in Postgres; the distance is `bit_count((a # b)::bit(64))` there.
    pub fn to_i64(self) -> i64 {
        self.0.cast_signed()
    }

    /// In how many bits two hashes differ, 0 to 64.
    pub fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }

    /// Whether two pictures count as the same.
    pub fn is_same_as(self, other: Self) -> bool {
        self.distance(other) <= Self::SAME_WITHIN
    }
}

impl fmt::Debug for PerceptualHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PerceptualHash({:016x})", self.0)
    }
}

/// A picture's hash. `None` where it is too small or too plain to be told apart by one: a blank
/// page would be the same as every other.
pub fn perceptual_hash(picture: &Picture) -> Option<PerceptualHash> {
    if picture.width().min(picture.height()) < SIDE {
        return None;
    }
    let pixels = ImageBuffer::<Rgb<u8>, &[u8]>::from_raw(picture.width(), picture.height(), picture.rgb())?;
    let small = DynamicImage::ImageRgb8(thumbnail(&pixels, SIDE, SIDE)).into_luma8();
    if !is_distinctive(&small) {
        return None;
    }
    let hasher = HasherConfig::with_bytes_type::<[u8; 8]>()
        .hash_size(8, 8)
        .hash_alg(HashAlg::Median)
        .preproc_dct()
        .to_hasher();
    let bytes = hasher.hash_image(&small).into_inner();
    Some(PerceptualHash(u64::from_be_bytes(bytes)))
}

/// Standard deviation of the greys (0 to 255) below which a picture is too plain.
const PLAIN: f64 = 8.0;

fn is_distinctive(small: &GrayImage) -> bool {
    let count = f64::from(SIDE * SIDE);
    let mean = small.iter().map(|grey| f64::from(*grey)).sum::<f64>() / count;
    let variance = small.iter().map(|grey| (f64::from(*grey) - mean).powi(2)).sum::<f64>() / count;
    variance.sqrt() >= PLAIN
}
