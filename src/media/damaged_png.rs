//! PNGs that are cut or damaged, read as far as they go.

use std::io::Cursor;

use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};
use png::{ColorType, DecodeOptions, Decoder, Transformations};

/// At least one in so many rows must be readable.
const READABLE_OF: u32 = 4;

/// Decodes without looking at checksums, row by row until one can't be read; what is missing is white.
/// `admits` judges width, height and the bytes of the pixels by the header. None where too little can be
/// read, or the rows don't come in their order (interlaced).
pub(super) fn decode(bytes: &[u8], admits: impl Fn(u32, u32, u64) -> bool) -> Option<DynamicImage> {
    let mut options = DecodeOptions::default();
    options.set_ignore_checksums(true);
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes), options);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height, interlaced) = {
        let info = reader.info();
        (info.width, info.height, info.interlaced)
    };
    let size = reader.output_buffer_size()?;
    if interlaced || !admits(width, height, size as u64) {
        return None;
    }
    let (colour, _) = reader.output_color_type();
    let mut pixels = Vec::with_capacity(size);
    let mut rows = 0;
    while let Ok(Some(row)) = reader.next_row() {
        pixels.extend_from_slice(row.data());
        rows += 1;
    }
    if rows == 0 || rows * READABLE_OF < height {
        return None;
    }
    pixels.resize(size, u8::MAX);
    Some(match colour {
        ColorType::Grayscale => DynamicImage::ImageLuma8(GrayImage::from_raw(width, height, pixels)?),
        ColorType::GrayscaleAlpha => {
            DynamicImage::ImageLumaA8(GrayAlphaImage::from_raw(width, height, pixels)?)
        }
        ColorType::Rgb => DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, pixels)?),
        ColorType::Rgba => DynamicImage::ImageRgba8(RgbaImage::from_raw(width, height, pixels)?),
        ColorType::Indexed => return None,
    })
}
