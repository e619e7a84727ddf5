//! Grounds: what see-through pictures are shown on.

use image::{DynamicImage, RgbImage};

/// White, as most pages show them. The colour of fully transparent pixels is arbitrary and often black,
/// which would hide a black logo.
pub(super) const WHITE: u8 = 255;
/// A dark grey, as dark pages show them.
pub(super) const DARK: u8 = 32;

/// From this alpha on a pixel is seen, and below that one it is seen through.
const VISIBLE: u8 = 128;
const SEEN_THROUGH: u8 = 64;
/// From this luminance on a pixel is hard to see on white.
const LIGHT: u32 = 200;
/// At least one in so many pixels must be seen through, and one in so many of the visible ones light, for
/// the dark ground to show more.
const SEEN_THROUGH_OF: usize = 10;
const LIGHT_OF: usize = 5;

/// Whether much of what a picture shows is hardly seen on white.
pub(super) fn white_hides(image: &DynamicImage) -> bool {
    if !image.color().has_alpha() {
        return false;
    }
    let converted;
    let pixels = if let Some(pixels) = image.as_rgba8() {
        pixels
    } else {
        converted = image.to_rgba8();
        &converted
    };
    let (mut visible, mut light, mut through, mut all) = (0, 0, 0, 0);
    for pixel in pixels.pixels() {
        let [red, green, blue, alpha] = pixel.0;
        all += 1;
        if alpha < SEEN_THROUGH {
            through += 1;
        } else if alpha >= VISIBLE {
            visible += 1;
            // Rec. 601, in 256ths.
            let luminance = (u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29) >> 8;
            light += usize::from(luminance >= LIGHT);
        }
    }
    visible > 0 && through * SEEN_THROUGH_OF >= all && light * LIGHT_OF >= visible
}

/// Blends transparent parts with a grey.
pub(super) fn over(image: DynamicImage, grey: u8) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let (width, height) = (image.width(), image.height());
    let mut bytes = image.into_rgba8().into_raw();
    // In place: RGB is written over RGBA that was read already.
    for pixel in 0..bytes.len() / 4 {
        let alpha = u32::from(bytes[pixel * 4 + 3]);
        for channel in 0..3 {
            let colour = u32::from(bytes[pixel * 4 + channel]);
            let mixed = (colour * alpha + u32::from(grey) * (255 - alpha) + 127) / 255;
            bytes[pixel * 3 + channel] = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
    }
    bytes.truncate(bytes.len() / 4 * 3);
    bytes.shrink_to_fit();
    RgbImage::from_raw(width, height, bytes).unwrap_or_default()
}
