//! Overlapping squares that cover a picture.

use super::Size;

/// Top left corner and size of each tile, row by row. Tiles are squares of `side` pixels, clipped
/// to the picture, and overlap by at least `overlap`. A logo smaller than that in both directions
/// lies whole in a tile. Tiles are spaced evenly; the last one ends at the edge of the picture.
pub fn tiles(picture: Size, side: u32, overlap: u32) -> Vec<(u32, u32, Size)> {
    let across = starts(picture.width, side, overlap);
    let down = starts(picture.height, side, overlap);
    let tile = Size { width: picture.width.min(side), height: picture.height.min(side) };
    down.iter().flat_map(|y| across.iter().map(|x| (*x, *y, tile))).collect()
}

fn starts(length: u32, side: u32, overlap: u32) -> Vec<u32> {
    if length <= side {
        return vec![0];
    }
    let stride = side.saturating_sub(overlap).max(1);
    let rest = length - side;
    let steps = rest.div_ceil(stride);
    // In 64 bits, because the product of two lengths can overflow 32.
    let start = |step: u32| (u64::from(rest) * u64::from(step) * 2 / u64::from(steps)).div_ceil(2);
    (0..=steps).map(|step| u32::try_from(start(step)).unwrap_or(rest)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_pixel_is_in_a_tile_and_every_tile_in_the_picture(
            width in 1u32..3000, height in 1u32..3000, side in 64u32..700, overlap in 0u32..64,
        ) {
            let picture = Size { width, height };
            let found = tiles(picture, side, overlap);
            let mut columns = vec![false; width as usize];
            let mut rows = vec![false; height as usize];
            for (x, y, size) in found {
                prop_assert!(x + size.width <= width && y + size.height <= height);
                columns[x as usize..(x + size.width) as usize].fill(true);
                rows[y as usize..(y + size.height) as usize].fill(true);
            }
            // There is a tile for every pair of a column and a row.
            prop_assert!(columns.iter().all(|covered| *covered) && rows.iter().all(|covered| *covered));
        }

        #[test]
        fn what_is_smaller_than_the_overlap_lies_whole_in_a_tile(
            width in 700u32..3000, height in 700u32..3000, side in 320u32..700, overlap in 32u32..160,
            at in (0f64..1.0, 0f64..1.0), size in (0f64..1.0, 0f64..1.0),
        ) {
            let (wide, high) = (size.0 * f64::from(overlap), size.1 * f64::from(overlap));
            let (left, top) = (at.0 * (f64::from(width) - wide), at.1 * (f64::from(height) - high));
            let whole = tiles(Size { width, height }, side, overlap).into_iter().any(|(x, y, size)| {
                f64::from(x) <= left && left + wide <= f64::from(x + size.width)
                    && f64::from(y) <= top && top + high <= f64::from(y + size.height)
            });
            prop_assert!(whole);
        }
    }

    #[test]
    fn a_picture_of_a_tile_is_one_tile() {
        let picture = Size::from((512, 300));
        assert_eq!(tiles(picture, 512, 128), [(0, 0, picture)]);
        assert_eq!(tiles(Size::from((513, 300)), 512, 128).len(), 2);
        // It terminates even if the overlap is as large as the side.
        assert!(!tiles(Size::from((600, 600)), 512, 512).is_empty());
    }
}
