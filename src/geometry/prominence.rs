//! How much a logo stands out in its picture.

use super::{area, clipped};
use crate::domain::{Picture, PixelBox, Prominence};

/// About how many pixels of a box are sampled for its sharpness: enough for a variance, and it
/// bounds the cost of large boxes.
const SAMPLED: usize = 16_384;

/// Measures the prominence of a box that is given in pixels of the full picture.
#[expect(clippy::cast_precision_loss, reason = "sides are far below 2^23 pixels")]
pub fn prominence(picture: &Picture, bounds: &PixelBox) -> Prominence {
    let (width, height) = (picture.full_width() as f32, picture.full_height() as f32);
    let inside = clipped(bounds, width, height);
    let share = inside.map_or(0.0, |inside| area(&inside) / (width * height));
    let x = (bounds.x + bounds.width / 2.0).clamp(0.0, width) - width / 2.0;
    let y = (bounds.y + bounds.height / 2.0).clamp(0.0, height) - height / 2.0;
    let distance = x.hypot(y) / (width / 2.0).hypot(height / 2.0);
    let sharpness = inside.map_or(0.0, |inside| sharpness(picture, &inside));
    Prominence { share: share.min(1.0), distance: distance.min(1.0), sharpness }
}

/// Variance of the Laplacian of the luminance, on the decoded pixels. 0 if the box is too small to
/// have one.
#[expect(clippy::cast_possible_truncation, reason = "a variance needs no more digits")]
fn sharpness(picture: &Picture, bounds: &PixelBox) -> f32 {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let across = f64::from(picture.width()) / f64::from(picture.full_width());
    let down = f64::from(picture.height()) / f64::from(picture.full_height());
    let columns = inner(f64::from(bounds.x) * across, f64::from(bounds.width) * across, width);
    let rows = inner(f64::from(bounds.y) * down, f64::from(bounds.height) * down, height);
    let every = (columns.len() * rows.len()).div_ceil(SAMPLED).max(1);
    let luminance = |x: usize, y: usize| luminance(&picture.rgb()[(y * width + x) * 3..][..3]);

    let (mut count, mut sum, mut squares) = (0u32, 0.0, 0.0);
    for y in rows.step_by(every) {
        for x in columns.clone() {
            let around =
                luminance(x - 1, y) + luminance(x + 1, y) + luminance(x, y - 1) + luminance(x, y + 1);
            let laplacian = f64::from(around - 4 * luminance(x, y)) / 1000.0;
            count += 1;
            sum += laplacian;
            squares += laplacian * laplacian;
        }
    }
    if count == 0 {
        return 0.0;
    }
    let mean = sum / f64::from(count);
    (squares / f64::from(count) - mean * mean).max(0.0) as f32
}

/// The pixels of a range that have a neighbour on both sides.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates, and the result is held to the picture"
)]
fn inner(start: f64, length: f64, whole: usize) -> std::ops::Range<usize> {
    let last = whole.saturating_sub(1);
    let from = (start.round() as usize).clamp(1, last.max(1));
    let to = ((start + length).round() as usize).clamp(from, last.max(from));
    // One or two pixels have none.
    if whole < 3 { 0..0 } else { from..to }
}

/// Rec. 601 luma in thousandths, 0 to 255,000.
fn luminance(rgb: &[u8]) -> i32 {
    299 * i32::from(rgb[0]) + 587 * i32::from(rgb[1]) + 114 * i32::from(rgb[2])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arbitrary::pixel_box;
    use super::*;

    fn picture(width: u32, height: u32, luma: impl Fn(u32, u32) -> u8) -> Picture {
        let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Picture::new(width, height, rows.flat_map(|(x, y)| [luma(x, y); 3]).collect()).unwrap()
    }

    #[test]
    fn a_logo_in_the_middle_stands_out_more_than_one_in_a_corner() {
        let flat = picture(200, 100, |_, _| 128);
        let middle = prominence(&flat, &PixelBox { x: 50.0, y: 25.0, width: 100.0, height: 50.0 });
        assert!((middle.share - 0.25).abs() < 1e-6 && middle.distance.abs() < 1e-6);
        assert!(middle.sharpness.abs() < 1e-6);
        let corner = prominence(&flat, &PixelBox { x: 190.0, y: 90.0, width: 20.0, height: 20.0 });
        assert!((corner.distance - 1.0).abs() < 1e-6 && (corner.share - 0.005).abs() < 1e-6);
    }

    #[test]
    fn sharp_edges_are_sharper_than_soft_ones_and_the_variance_is_the_known_one() {
        // Alternating columns: the Laplacian is 2 * 255 or -2 * 255 everywhere.
        let sharp = picture(64, 64, |x, _| if x % 2 == 0 { 0 } else { 255 });
        let soft = picture(64, 64, |x, _| u8::try_from(x * 4).unwrap());
        let whole = PixelBox { x: 0.0, y: 0.0, width: 64.0, height: 64.0 };
        let found = prominence(&sharp, &whole).sharpness;
        assert!((found - 510.0 * 510.0).abs() < 1.0, "{found}");
        assert!(prominence(&soft, &whole).sharpness < 1.0);
    }

    #[test]
    fn a_picture_decoded_smaller_is_measured_where_it_is() {
        let small =
            picture(64, 64, |x, _| if x >= 32 && x % 2 == 0 { 255 } else { 0 }).standing_for(128, 128);
        let right = PixelBox { x: 70.0, y: 0.0, width: 58.0, height: 128.0 };
        assert!(prominence(&small, &right).sharpness > 1000.0);
        assert!(prominence(&small, &PixelBox { x: 0.0, width: 50.0, ..right }).sharpness < 1.0);
    }

    proptest! {
        #[test]
        fn any_box_of_any_picture_can_be_measured(
            bounds in pixel_box(), width in 1u32..40, height in 1u32..40, factor in 1u32..20,
        ) {
            let picture = picture(width, height, |x, y| u8::try_from((x * 7 + y * 13) % 256).unwrap())
                .standing_for(width * factor, height * factor);
            let Prominence { share, distance, sharpness } = prominence(&picture, &bounds);
            prop_assert!((0.0..=1.0).contains(&share) && (0.0..=1.0).contains(&distance));
            prop_assert!(sharpness >= 0.0 && sharpness.is_finite());
        }
    }
}
