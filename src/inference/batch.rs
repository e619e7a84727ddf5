//! Batches of similar length, or of canvases of one size: padding otherwise wastes almost half of
//! the work.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use crate::geometry::Size;

/// Cuts a window of texts into batches. Takes the length of each text in tokens and gives the
/// indices of each batch: texts sorted by length, and rows times the longest row within `budget`
/// tokens, except that a text longer than the budget is a batch of its own.
pub fn plan_batches(lengths: &[usize], budget: NonZeroUsize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|index| lengths[*index]);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for index in order {
        match batches.last_mut() {
            // Sorted: this text would be the longest row.
            Some(batch) if (batch.len() + 1) * lengths[index] <= budget.get() => batch.push(index),
            _ => batches.push(vec![index]),
        }
    }
    batches
}

/// Cuts a window of canvases into batches of one size each, in the order they came. A batch has
/// at most `budget` pixels, except that a canvas larger than the budget is a batch of its own.
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
        fn every_text_is_in_one_batch_and_batches_keep_the_budget(
            lengths in prop::collection::vec(1usize..300, 0..200),
            budget in 1usize..4096,
        ) {
            let batches = plan_batches(&lengths, NonZeroUsize::new(budget).unwrap());
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for batch in batches {
                let longest = batch.iter().map(|i| lengths[*i]).max().unwrap();
                prop_assert!(batch.len() == 1 || batch.len() * longest <= budget);
            }
        }
    }

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

    #[test]
    fn sorting_keeps_padding_low() {
        let lengths: Vec<usize> = (0..256).map(|i| 1 + (i * 37) % 64).collect();
        let padded: usize = plan_batches(&lengths, NonZeroUsize::new(1024).unwrap())
            .iter()
            .map(|batch| batch.len() * batch.iter().map(|i| lengths[*i]).max().unwrap())
            .sum();
        let real: usize = lengths.iter().sum();
        assert!(padded * 10 < real * 13, "{padded} tokens for {real} real ones");
    }
}
