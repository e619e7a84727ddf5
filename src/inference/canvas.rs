//! Pixels as the networks take them: cut out of a picture, scaled, put onto a canvas or framed.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::InferenceError;
use crate::domain::{Picture, PixelBox};
use crate::geometry::{Letterbox, Level, Size};

/// What fills a canvas beside the picture: the grey that detectors are trained with.
const GREY: u8 = 114;

/// Pixels of a size: red, green and blue, row by row.
#[derive(Clone, PartialEq, Eq)]
pub struct Canvas {
    /// Its size.
    pub size: Size,
    /// Three bytes a pixel.
    pub rgb: Vec<u8>,
}

impl Canvas {
    /// A canvas without a picture.
    pub fn grey(size: Size) -> Self {
        Self { size, rgb: vec![GREY; size.pixels() * 3] }
    }

    /// A part of a picture on its canvas. Scaled with a triangle filter as wide as a pixel of the
    /// result, which is what Pillow calls bilinear: training scales the same way.
    ///
    /// # Errors
    /// The part can't be scaled.
    pub fn show(picture: &Picture, letterbox: &Letterbox) -> Result<Self, InferenceError> {
        let content = scaled(picture, &letterbox.source, letterbox.content)?;
        if letterbox.content == letterbox.canvas {
            return Ok(Self { size: letterbox.canvas, rgb: content });
        }
        let mut canvas = Self::grey(letterbox.canvas);
        let rows = content.chunks_exact(letterbox.content.width as usize * 3);
        for (row, target) in rows.zip(canvas.rgb.chunks_exact_mut(letterbox.canvas.width as usize * 3)) {
            target[..row.len()].copy_from_slice(row);
        }
        Ok(canvas)
    }

    /// A whole picture at one level of a pyramid, with a border that repeats its outermost pixels:
    /// so many to the left and above as the offset says, the rest on the other side.
    ///
    /// # Errors
    /// The picture can't be scaled.
    pub fn framed(picture: &Picture, level: &Level, left: u32, top: u32) -> Result<Self, InferenceError> {
        let content = scaled(picture, &whole(picture), level.content)?;
        let (left, top) = (left as usize, top as usize);
        let (width, padded) = (level.content.width as usize, level.padded.width as usize);
        let lines: Vec<&[u8]> = content.chunks_exact(width * 3).collect();
        let mut rgb = Vec::with_capacity(level.padded.pixels() * 3);
        for y in 0..level.padded.height as usize {
            let line = lines[y.saturating_sub(top).min(lines.len() - 1)];
            let (first, last) = (&line[..3], &line[line.len() - 3..]);
            rgb.extend_from_slice(&first.repeat(left));
            rgb.extend_from_slice(line);
            rgb.extend_from_slice(&last.repeat(padded - width - left));
        }
        Ok(Self { size: level.padded, rgb })
    }
}

fn whole(picture: &Picture) -> PixelBox {
    #[expect(clippy::cast_precision_loss, reason = "sides are far below 2^23 pixels")]
    let (width, height) = (picture.full_width() as f32, picture.full_height() as f32);
    PixelBox { x: 0.0, y: 0.0, width, height }
}

/// A part of a picture, given in pixels of the full one, at a size.
fn scaled(picture: &Picture, part: &PixelBox, size: Size) -> Result<Vec<u8>, InferenceError> {
    let failed = |error: &dyn std::fmt::Display| InferenceError::Picture(error.to_string());
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let across = width / f64::from(picture.full_width());
    let down = height / f64::from(picture.full_height());
    let (left, wide) = stretch(f64::from(part.x) * across, f64::from(part.width) * across, width);
    let (top, high) = stretch(f64::from(part.y) * down, f64::from(part.height) * down, height);
    let pixels = ImageRef::new(picture.width(), picture.height(), picture.rgb(), PixelType::U8x3)
        .map_err(|error| failed(&error))?;
    let mut scaled = Image::new(size.width, size.height, PixelType::U8x3);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
        .crop(left, top, wide, high);
    Resizer::new().resize(&pixels, &mut scaled, &options).map_err(|error| failed(&error))?;
    Ok(scaled.into_vec())
}

/// Start and length of a stretch, held to a picture's side. Whole pixels are taken as such: what
/// single precision adds to them would blur a part that needs no scaling.
fn stretch(start: f64, length: f64, side: f64) -> (f64, f64) {
    let whole = |value: f64| if (value - value.round()).abs() < 1e-2 { value.round() } else { value };
    let start = whole(start).clamp(0.0, side);
    (start, whole(length).min(side - start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Core, WindowShape};

    /// Each pixel tells where it is.
    fn picture(width: u8, height: u8) -> Picture {
        let pixel = |y: u8| (0..width).flat_map(move |x| [x, y, 7]);
        Picture::new(u32::from(width), u32::from(height), (0..height).flat_map(pixel).collect()).unwrap()
    }

    fn at(canvas: &Canvas, x: usize, y: usize) -> [u8; 3] {
        let start = (y * canvas.size.width as usize + x) * 3;
        canvas.rgb[start..start + 3].try_into().unwrap()
    }

    #[test]
    fn a_part_at_its_own_size_keeps_its_pixels() {
        let source = PixelBox { x: 30.0, y: 10.0, width: 64.0, height: 40.0 };
        let canvas = [Size::from((64, 64))];
        let letterbox = Letterbox::fit(source, Size::from((64, 40)), &canvas).unwrap();
        let canvas = Canvas::show(&picture(200, 100), &letterbox).unwrap();
        assert_eq!(at(&canvas, 0, 0), [30, 10, 7]);
        assert_eq!(at(&canvas, 63, 39), [93, 49, 7]);
        assert_eq!(at(&canvas, 0, 40), [GREY; 3]);
    }

    #[test]
    fn parts_are_given_in_pixels_of_the_full_picture() {
        let half = picture(100, 50).standing_for(200, 100);
        let source = PixelBox { x: 100.0, y: 0.0, width: 100.0, height: 100.0 };
        let letterbox = Letterbox::fit(source, Size::from((50, 50)), &[Size::from((50, 50))]).unwrap();
        let canvas = Canvas::show(&half, &letterbox).unwrap();
        assert_eq!(at(&canvas, 0, 0), [50, 0, 7]);
        assert_eq!(at(&canvas, 49, 49), [99, 49, 7]);
    }

    #[test]
    fn a_frame_repeats_the_outermost_pixels() {
        let core = Core { x: 3, y: 2, width: 10, height: 6 };
        let shape = WindowShape { width: 20, height: 10, core, stride: 4 };
        let level = shape.levels(Size::from((30, 20)), &[1.0])[0];
        let canvas = Canvas::framed(&picture(30, 20), &level, core.x, core.y).unwrap();
        assert_eq!(canvas.size, Size::from((40, 24)));
        assert_eq!(canvas.rgb.len(), canvas.size.pixels() * 3);
        assert_eq!(at(&canvas, 0, 0), [0, 0, 7]);
        assert_eq!(at(&canvas, 3, 2), [0, 0, 7]);
        assert_eq!(at(&canvas, 8, 12), [5, 10, 7]);
        assert_eq!(at(&canvas, 39, 23), [29, 19, 7]);
    }
}
