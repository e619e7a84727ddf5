//! Files of pictures, honest and hostile, made on the spot. The unit tests of `media` use them too.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage};

/// A picture that is red in its left upper quarter, with shades of green and blue elsewhere, so that
/// one sees which way is up.
pub fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        if x < width / 2 && y < height / 2 {
            Rgb([230, 20, 20])
        } else {
            let shade = |at: u32, of: u32| u8::try_from(at * 200 / of).unwrap();
            Rgb([0, shade(x, width), shade(y, height)])
        }
    })
}

pub fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(picture).unwrap();
    bytes
}

/// A JPEG as a camera writes it that was held another way, by EXIF's number of the orientation.
pub fn turned_jpeg(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".to_vec();
    // One entry: the tag, the kind (a short), how many, the value; then no further directory.
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let plain = jpeg(picture);
    [&plain[..2], &[0xff, 0xe1], &length, &exif, &plain[2..]].concat()
}

pub fn png(picture: &RgbImage) -> Vec<u8> {
    written(picture, ImageFormat::Png)
}

pub fn webp(picture: &RgbImage) -> Vec<u8> {
    written(picture, ImageFormat::WebP)
}

/// A GIF of which only the first frame is the picture; the others are black.
pub fn gif(picture: &RgbImage, frames: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 30);
    for frame in 0..frames {
        let shown =
            if frame == 0 { picture.clone() } else { RgbImage::new(picture.width(), picture.height()) };
        encoder.encode_frame(Frame::new(DynamicImage::ImageRgb8(shown).into_rgba8())).unwrap();
    }
    drop(encoder);
    bytes
}

/// A PNG of less than a kilobyte whose header tells of so many pixels.
pub fn png_bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(&RgbImage::new(8, 8));
    // Behind the signature: length and name of the header, width and height, five bytes, checksum.
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

fn written(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
