//! Batches of canvases of equal size.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use crate::geometry::Size;

/// Splits a window of canvases into batches of equal-sized ones, as indices. A batch has at most
/// `budget` pixels; a canvas larger than the budget is a batch of its own.
pub fn plan_canvases(sizes: &[Size], budget: NonZeroUsize) -> Vec<Vec<usize>> {
    let mut of_size: BTreeMap<Size, Vec<usize>> = BTreeMap::new();
    for (index, size) in sizes.iter().enumerate() {
        of_size.entry(*size).or_default().push(index);
    }
    let batches = of_size.iter().flat_map(|(size, indices)| {
        indices.chunks((budget.get() / size.pixels().max(1)).max(1)).map(<[usize]>::to_vec)
    });
    batches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_canvas_is_in_one_batch_of_its_size_within_the_budget(
            sides in prop::collection::vec((1u32..4, 1u32..4), 0..60),
            budget in 1usize..200_000,
        ) {
            let sizes: Vec<Size> = sides.iter().map(|(x, y)| Size::from((x * 64, y * 64))).collect();
            let batches = plan_canvases(&sizes, NonZeroUsize::new(budget).unwrap());
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..sizes.len()).collect::<Vec<_>>());
            for batch in batches {
                prop_assert!(batch.iter().all(|index| sizes[*index] == sizes[batch[0]]));
                prop_assert!(batch.len() == 1 || batch.len() * sizes[batch[0]].pixels() <= budget);
            }
        }
    }
}
