//! Batches of texts of similar length; otherwise padding wastes almost half of the work.

use std::num::NonZeroUsize;

/// Splits a window of texts, given by their lengths in tokens, into batches of indices. Texts are
/// sorted by length, and a batch has at most `budget` tokens, padding included; a text longer than
/// the budget is a batch of its own.
pub fn plan_batches(lengths: &[usize], budget: NonZeroUsize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|index| lengths[*index]);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for index in order {
        match batches.last_mut() {
            // The order is ascending, so this text would be the longest row.
            Some(batch) if (batch.len() + 1) * lengths[index] <= budget.get() => batch.push(index),
            _ => batches.push(vec![index]),
        }
    }
    batches
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
