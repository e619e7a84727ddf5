//! Perceptual hashes: whether two pictures look the same though their files differ.

use std::fmt;

use image::imageops::thumbnail;
use image::{DynamicImage, GrayImage, ImageBuffer, Rgb};
use image_hasher::{HashAlg, HasherConfig};

use crate::domain::Picture;

/// Side of the thumbnail that is hashed.
const SIDE: u32 = 16;
/// A picture with a shorter side than this has too little detail to hash.
const SHORTEST: u32 = 2 * SIDE;

/// A 64-bit hash that stays nearly the same when a picture is scaled, recompressed or converted.
///
/// The picture is averaged down to 16 x 16 greys. Each bit says whether one of the 8 x 8 lowest
/// frequencies of their discrete cosine transform is above the median. This is the pHash of Zauner,
/// "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), with a smaller
/// picture before the transform, as the crate `image_hasher` computes it.
///
/// Half of all bits are set, so two hashes differ in an even number of bits. The picture's size and
/// aspect ratio do not enter the hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PerceptualHash(u64);

impl PerceptualHash {
    /// Most bits in which the hashes of two copies of a picture may differ.
    ///
    /// Measured on 1,323 photos and screenshots, each against a JPEG copy. At half size and quality
    /// 75, 842 had the same hash, and all but 3 were within 4 bits; at three tenths in size and
    /// quality 80, all but 25. Of all pairs of different pictures, the closest three differed in 12
    /// bits; among 68 pictures of one program, most of them screenshots, one pair differed in 6.
    /// Small details, such as one word on a poster, do not show in the hash.
    pub const SAME_WITHIN: u32 = 4;

    /// From a `bigint` in Postgres.
    pub fn from_i64(bits: i64) -> Self {
        Self(bits.cast_unsigned())
    }

    /// For a `bigint` in Postgres; the distance is `bit_count((a # b)::bit(64))` there.
    pub fn to_i64(self) -> i64 {
        self.0.cast_signed()
    }

    /// Hamming distance, 0 to 64.
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

/// A picture's hash. `None` if it is too small or too plain for a distinctive one: all blank pages
/// would count as the same.
pub fn perceptual_hash(picture: &Picture) -> Option<PerceptualHash> {
    if picture.width().min(picture.height()) < SHORTEST {
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

/// Standard deviation of the greys (0 to 255) below which a picture is too plain. Almost every real
/// picture has more.
const PLAIN: f64 = 8.0;

fn is_distinctive(small: &GrayImage) -> bool {
    let count = f64::from(SIDE * SIDE);
    let mean = small.iter().map(|grey| f64::from(*grey)).sum::<f64>() / count;
    let variance = small.iter().map(|grey| (f64::from(*grey) - mean).powi(2)).sum::<f64>() / count;
    variance.sqrt() >= PLAIN
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroUsize};

    use image::RgbImage;
    use image::imageops::{FilterType, flip_horizontal, resize};

    use super::*;
    use crate::media::decode;

    fn of(image: &RgbImage) -> Option<PerceptualHash> {
        perceptual_hash(&Picture::new(image.width(), image.height(), image.as_raw().clone()).unwrap())
    }

    /// Rectangles of all sizes and shades, different for each number.
    fn scene(number: u32) -> RgbImage {
        // A linear congruential generator (Numerical Recipes), so that scenes are reproducible.
        let mut state = number.wrapping_mul(2_654_435_761);
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % below
        };
        let mut scene = RgbImage::from_pixel(240, 160, Rgb([120; 3]));
        for _ in 0..40 {
            let (left, top) = (next(220), next(140));
            let (width, height) = (20 + next(60), 20 + next(60));
            let colour = Rgb([(); 3].map(|()| u8::try_from(next(256)).unwrap()));
            for y in top..(top + height).min(160) {
                for x in left..(left + width).min(240) {
                    scene.put_pixel(x, y, colour);
                }
            }
        }
        scene
    }

    #[test]
    fn the_same_picture_scaled_and_compressed_anew_counts_as_the_same() {
        let max_pixels = NonZeroUsize::new(1_000_000).unwrap();
        for number in 0..12 {
            let original = scene(number);
            let hash = of(&original).unwrap();
            let half = resize(&original, 120, 80, FilterType::Triangle);
            let mut bytes = Vec::new();
            image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 80)
                .encode_image(&original)
                .unwrap();
            let whole = decode(&bytes, max_pixels, None).unwrap().picture;
            let scaled = decode(&bytes, max_pixels, NonZeroU32::new(100)).unwrap().picture;
            assert_eq!(scaled.width(), 120);
            for again in [of(&half), perceptual_hash(&whole), perceptual_hash(&scaled)] {
                let again = again.unwrap();
                assert!(hash.is_same_as(again), "{number}: {hash:?} {again:?}");
            }
        }
    }

    #[test]
    fn other_pictures_are_not_the_same() {
        let hashes: Vec<_> = (0..12).map(|number| of(&scene(number)).unwrap()).collect();
        for (at, one) in hashes.iter().enumerate() {
            for other in &hashes[..at] {
                assert!(!one.is_same_as(*other), "{one:?} {other:?}");
            }
        }
        assert!(!of(&scene(3)).unwrap().is_same_as(of(&flip_horizontal(&scene(3))).unwrap()));
    }

    #[test]
    fn a_plain_or_tiny_picture_has_no_hash_to_be_mistaken_by() {
        for grey in [0, 100, 255] {
            assert_eq!(of(&RgbImage::from_pixel(300, 200, Rgb([grey; 3]))), None);
        }
        // A white page with a line at the bottom, and a faint gradient.
        let page = RgbImage::from_fn(300, 200, |x, y| Rgb([if y == 190 && x < 100 { 0 } else { 255 }; 3]));
        assert_eq!(of(&page), None);
        let shade = RgbImage::from_fn(300, 200, |x, _| Rgb([200 + u8::try_from(x / 50).unwrap(); 3]));
        assert_eq!(of(&shade), None);
        assert_eq!(of(&resize(&scene(1), 31, 200, FilterType::Triangle)), None);
        assert!(of(&resize(&scene(1), 32, 200, FilterType::Triangle)).is_some());
    }

    #[test]
    fn postgres_keeps_all_bits() {
        let hash = PerceptualHash(0xfedc_ba98_7654_3210);
        assert_eq!(PerceptualHash::from_i64(hash.to_i64()), hash);
        assert_eq!(hash.distance(PerceptualHash(!0xfedc_ba98_7654_3210)), 64);
        assert_eq!(hash.distance(PerceptualHash(0xfedc_ba98_7654_3213)), 2);
    }
}
