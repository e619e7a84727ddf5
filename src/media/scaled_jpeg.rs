//! JPEGs decoded at 1/2, 1/4 or 1/8 of their size.
//!
//! A JPEG stores its pixels as blocks of 8 x 8 frequencies. Leaving out the high ones decodes the
//! picture at a smaller size for a fraction of the time and memory, as libjpeg does (the transform
//! is in Annex A of ITU-T T.81). The full-size decoder can't do this, so `jpeg_decoder` is used.

use std::num::NonZeroU32;

use image::RgbImage;
use jpeg_decoder::{Decoder, PixelFormat};

/// Most scans of a JPEG. A progressive one has about ten. Each is a pass over the whole picture, so
/// a small file with thousands of empty scans would take very long.
pub(super) const MOST_SCANS: usize = 100;

/// Counts the scans of a JPEG by its markers (Annex B of ITU-T T.81). Data after the end marker,
/// such as the video of a motion photo, are ignored.
pub(super) fn scans(bytes: &[u8]) -> usize {
    let mut scans = 0;
    let mut at = 0;
    while let Some((marker, after)) = next_marker(bytes, at) {
        at = after;
        match marker {
            // SOI, TEM and RST0 to RST7 have no length field.
            0xd8 | 0x01 | 0xd0..=0xd7 => continue,
            0xd9 => break,
            0xda => scans += 1,
            _ => {}
        }
        // The data after a scan's header contain no markers but restarts.
        let length = bytes.get(at..at + 2).map_or(2, |length| u16::from_be_bytes([length[0], length[1]]));
        at += usize::from(length);
    }
    scans
}

/// The next marker at or after `from`, and the position after it.
fn next_marker(bytes: &[u8], from: usize) -> Option<(u8, usize)> {
    let pairs = bytes.get(from..)?.windows(2);
    let at = from + pairs.into_iter().position(|pair| pair[0] == 0xff && ![0x00, 0xff].contains(&pair[1]))?;
    Some((bytes[at + 1], at + 2))
}

/// Smallest scale, in eighths, at which the longest side is still as long as needed.
pub(super) fn eighths(longest_side: u32, needed: NonZeroU32) -> u32 {
    [1, 2, 4]
        .into_iter()
        .find(|eighths| u64::from(longest_side) * u64::from(*eighths) >= u64::from(needed.get()) * 8)
        .unwrap_or(8)
}

/// Decodes a JPEG of the given size at a scale in eighths. `None` if this decoder can't.
pub(super) fn decode(bytes: &[u8], eighths: u32, (width, height): (u32, u32)) -> Option<RgbImage> {
    let mut decoder = Decoder::new(bytes);
    // The decoder takes the smallest scale at which at least one side is as long as requested.
    let scaled = |side: u32| u16::try_from((side * eighths).div_ceil(8)).ok();
    let (width, height) = decoder.scale(scaled(width)?, scaled(height)?).ok()?;
    let (width, height) = (u32::from(width), u32::from(height));
    decoder.set_max_decoding_buffer_size(width as usize * height as usize * 4);
    let pixels = decoder.decode().ok()?;
    let rgb = match decoder.info()?.pixel_format {
        PixelFormat::RGB24 => pixels,
        PixelFormat::L8 => pixels.into_iter().flat_map(|grey| [grey; 3]).collect(),
        // Rare: CMYK, and 16-bit grey.
        PixelFormat::CMYK32 | PixelFormat::L16 => return None,
    };
    RgbImage::from_raw(width, height, rgb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_left_out_than_the_caller_can_spare() {
        let eighths = |side, needed| eighths(side, NonZeroU32::new(needed).unwrap());
        assert_eq!([eighths(800, 100), eighths(799, 100), eighths(801, 100)], [1, 2, 1]);
        assert_eq!([eighths(400, 100), eighths(200, 100), eighths(199, 100)], [2, 4, 8]);
        assert_eq!([eighths(50, 100), eighths(65_535, 1), eighths(65_535, u32::MAX)], [8, 1, 8]);
    }

    #[test]
    fn scans_are_counted_up_to_the_end_of_the_picture() {
        let scan = [0xff, 0xda, 0, 3, 1, 9, 0xff, 0x00, 0xda, 0xff, 0xd0, 7];
        let comment = [0xff, 0xfe, 0, 4, 0xff, 0xda];
        let start = [0xff, 0xd8];
        assert_eq!(scans(&[]), 0);
        assert_eq!(scans(&[&start[..], &comment, &scan, &scan, &[0xff, 0xd9], &scan].concat()), 2);
        assert_eq!(scans(&[&start[..], &[0xff, 0xda]].concat()), 1);
        assert_eq!(scans(&[&start[..], &[0xff, 0xda, 0xff, 0xff, 0xff]].concat()), 1);
    }
}
