//! Network inputs: parts of pictures, cropped, scaled and padded.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::domain::{Picture, PixelBox};
use crate::geometry::{Letterbox, Level, Size, WindowShape};
use crate::inference::InferenceError;

/// Padding value of a canvas: the grey that the detector is trained with.
const GREY: u8 = 114;

/// An RGB image for a network, row by row.
#[derive(Clone, PartialEq, Eq)]
pub struct Canvas {
    /// Its size.
    pub size: Size,
    /// Three bytes per pixel.
    pub rgb: Vec<u8>,
}

impl Canvas {
    /// An empty canvas.
    pub fn grey(size: Size) -> Self {
        Self { size, rgb: vec![GREY; size.pixels() * 3] }
    }

    /// A part of a picture on its canvas. The detector is trained with another library's scaling;
    /// the closest filters here are Hamming (for area averaging) to shrink and bilinear to enlarge.
    ///
    /// # Errors
    /// The part can't be scaled.
    pub fn show(picture: &Picture, letterbox: &Letterbox) -> Result<Self, InferenceError> {
        let area = FilterType::Hamming;
        let filter = if smaller(picture, letterbox) { area } else { FilterType::Bilinear };
        let content = scaled(picture, &letterbox.source, letterbox.content, filter)?;
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

    /// A whole picture at one level of a pyramid, padded so that a core can touch the picture's
    /// border. Scaled with a triangle filter (Pillow's bilinear), as in the window classifier's
    /// training.
    ///
    /// # Errors
    /// The picture can't be scaled.
    pub fn framed(picture: &Picture, level: &Level, window: &WindowShape) -> Result<Self, InferenceError> {
        let content = scaled(picture, &whole(picture), level.content, FilterType::Bilinear)?;
        let mut canvas = Self { size: level.padded, rgb: vec![window.fill; level.padded.pixels() * 3] };
        let (left, top) = (window.core.x as usize * 3, window.core.y as usize);
        let rows = content.chunks_exact(level.content.width as usize * 3);
        let lines = canvas.rgb.chunks_exact_mut(level.padded.width as usize * 3).skip(top);
        for (row, line) in rows.zip(lines) {
            line[left..left + row.len()].copy_from_slice(row);
        }
        Ok(canvas)
    }
}

/// Whether the part is wider in the decoded pixels than on its canvas.
fn smaller(picture: &Picture, letterbox: &Letterbox) -> bool {
    let across = f64::from(picture.width()) / f64::from(picture.full_width());
    f64::from(letterbox.source.width) * across > f64::from(letterbox.content.width)
}

fn whole(picture: &Picture) -> PixelBox {
    #[expect(clippy::cast_precision_loss, reason = "sides are far below 2^23 pixels")]
    let (width, height) = (picture.full_width() as f32, picture.full_height() as f32);
    PixelBox { x: 0.0, y: 0.0, width, height }
}

/// Scales a part of a picture, given in pixels of the full one, to a size.
fn scaled(
    picture: &Picture,
    part: &PixelBox,
    size: Size,
    filter: FilterType,
) -> Result<Vec<u8>, InferenceError> {
    let failed = |error: &dyn std::fmt::Display| InferenceError::Picture(error.to_string());
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let across = width / f64::from(picture.full_width());
    let down = height / f64::from(picture.full_height());
    let (left, wide) = stretch(f64::from(part.x) * across, f64::from(part.width) * across, width);
    let (top, high) = stretch(f64::from(part.y) * down, f64::from(part.height) * down, height);
    let pixels = ImageRef::new(picture.width(), picture.height(), picture.rgb(), PixelType::U8x3)
        .map_err(|error| failed(&error))?;
    let mut scaled = Image::new(size.width, size.height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).crop(left, top, wide, high);
    Resizer::new().resize(&pixels, &mut scaled, &options).map_err(|error| failed(&error))?;
    Ok(scaled.into_vec())
}

/// Start and length of an interval, clamped to a picture's side. Values within 0.01 of a whole pixel
/// are rounded: single-precision errors would blur a part that needs no scaling.
fn stretch(start: f64, length: f64, side: f64) -> (f64, f64) {
    let whole = |value: f64| if (value - value.round()).abs() < 1e-2 { value.round() } else { value };
    let start = whole(start).clamp(0.0, side);
    (start, whole(length).min(side - start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Core, PyramidPolicy};

    /// Each pixel's red and green are its coordinates.
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
    fn a_frame_lets_the_first_core_begin_at_the_first_pixel() {
        let core = Core { x: 3, y: 2, width: 10, height: 6 };
        let shape = WindowShape { width: 20, height: 10, core, stride: 4, fill: 99 };
        let policy = PyramidPolicy { narrowest_core: 10.0, ratio: 1.3 };
        let level = shape.levels(Size::from((30, 20)), policy)[0];
        let canvas = Canvas::framed(&picture(30, 20), &level, &shape).unwrap();
        assert_eq!(canvas.size, Size::from((40, 24)));
        assert_eq!(canvas.rgb.len(), canvas.size.pixels() * 3);
        assert_eq!(at(&canvas, 2, 2), [99; 3]);
        assert_eq!(at(&canvas, 3, 2), [0, 0, 7]);
        assert_eq!(at(&canvas, 8, 12), [5, 10, 7]);
        assert_eq!(at(&canvas, 32, 21), [29, 19, 7]);
        assert_eq!(at(&canvas, 33, 21), [99; 3]);
        // A picture smaller than a window still gets one window.
        let level = shape.levels(Size::from((4, 3)), policy)[0];
        let canvas = Canvas::framed(&picture(4, 3), &level, &shape).unwrap();
        assert_eq!((canvas.size, at(&canvas, 3, 2)), (Size::from((20, 10)), [0, 0, 7]));
    }
}
