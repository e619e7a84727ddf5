//! Area, intersection over union and clipping of boxes.

use crate::domain::PixelBox;

/// Area of a box in square pixels; 0 if a side is not positive.
pub fn area(bounds: &PixelBox) -> f32 {
    bounds.width.max(0.0) * bounds.height.max(0.0)
}

/// Intersection over union of two boxes: 0 if they don't overlap, 1 if they are equal.
/// (Jaccard's index; Everingham et al., "The Pascal Visual Object Classes Challenge", 2010.)
pub fn iou(one: &PixelBox, other: &PixelBox) -> f32 {
    let shared = intersection(one, other);
    let union = area(one) + area(other) - shared;
    // Two boxes without area have an IoU of 0, even if equal.
    if union > 0.0 { (shared / union).clamp(0.0, 1.0) } else { 0.0 }
}

/// The part of a box inside a picture of this size; `None` if a side of it is below one pixel.
pub fn clipped(bounds: &PixelBox, width: f32, height: f32) -> Option<PixelBox> {
    let (x, right) = (bounds.x.clamp(0.0, width), (bounds.x + bounds.width).clamp(0.0, width));
    let (y, bottom) = (bounds.y.clamp(0.0, height), (bounds.y + bounds.height).clamp(0.0, height));
    let inside = PixelBox { x, y, width: right - x, height: bottom - y };
    (inside.width >= 1.0 && inside.height >= 1.0).then_some(inside)
}

fn intersection(one: &PixelBox, other: &PixelBox) -> f32 {
    let width = (one.x + one.width).min(other.x + other.width) - one.x.max(other.x);
    let height = (one.y + one.height).min(other.y + other.height) - one.y.max(other.y);
    width.max(0.0) * height.max(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arbitrary::pixel_box;
    use super::*;

    proptest! {
        #[test]
        fn iou_is_symmetric_and_bounded(one in pixel_box(), other in pixel_box()) {
            let there = iou(&one, &other);
            prop_assert!((0.0..=1.0).contains(&there));
            prop_assert!((there - iou(&other, &one)).abs() < 1e-6);
            prop_assert!((iou(&one, &one) - 1.0).abs() < 1e-3);
        }

        #[test]
        fn a_clipped_box_lies_in_the_picture_and_in_the_box(bounds in pixel_box(), side in 1f32..500.0) {
            if let Some(inside) = clipped(&bounds, side, side) {
                prop_assert!(inside.x >= 0.0 && inside.y >= 0.0);
                prop_assert!(inside.x + inside.width <= side + 1e-3);
                prop_assert!(inside.x >= bounds.x && inside.width <= bounds.width + 1e-3);
                prop_assert!(inside.y >= bounds.y && inside.height <= bounds.height + 1e-3);
            }
        }
    }

    #[test]
    fn half_of_two_equal_boxes_makes_a_third() {
        let one = PixelBox { x: 0.0, y: 0.0, width: 10.0, height: 4.0 };
        let other = PixelBox { x: 5.0, ..one };
        assert!((iou(&one, &other) - 1.0 / 3.0).abs() < 1e-6);
        let flat = PixelBox { width: 0.0, ..one };
        assert!(iou(&flat, &flat).abs() < f32::EPSILON);
        assert_eq!(clipped(&PixelBox { x: 20.0, ..one }, 20.0, 20.0), None);
    }
}
