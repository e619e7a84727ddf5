//! Words that mean something else most of the time, and so name a brand only as its owner writes them.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::folding::folded_term;

/// A name of at most this many characters is short.
const SHORT: usize = 2;

/// Whether a name is a common word of a language that is judged.
pub(super) fn is_common(name: &str) -> bool {
    COMMON.contains(folded_term(name).as_str()) || is_stop_word(name)
}

/// Whether a name has so few letters and digits that it is mostly something else, such as `3m` in `3m tall`.
pub(super) fn is_short(name: &str) -> bool {
    let folded = folded_term(name);
    folded.is_ascii() && folded.len() <= SHORT
}

/// Whether a word is in nearly every text of its language, and so can't name anything.
pub fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(folded_term(word).as_str())
}

/// The most common function words of English, German, French, Spanish, Italian and Portuguese, in
/// alphabetical order. Written by hand for this purpose.
static STOP_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| words(include_str!("stop_words.txt")));

/// Common words in these languages that are names of brands too, or may well be, in alphabetical order.
/// Written by hand for this purpose.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| words(include_str!("common_words.txt")));

fn words(text: &'static str) -> HashSet<&'static str> {
    text.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_in_order_and_folded() {
        for text in [include_str!("stop_words.txt"), include_str!("common_words.txt")] {
            assert!(text.split_whitespace().is_sorted());
            assert!(text.split_whitespace().all(|word| folded_term(word) == word));
        }
    }

    #[test]
    fn common_and_short_names_are_told_from_others() {
        assert!(["Gap", "Shell", "Target", "ORANGE", "The", "Liebe"].into_iter().all(is_common));
        assert!(!["VMware", "Red Bull", "Starbucks", "adidas"].into_iter().any(is_common));
        assert!(["3M", "HP", "O2"].into_iter().all(is_short) && !["IBM", "東芝"].into_iter().any(is_short));
        assert!(["the", "und", "AND", "de"].into_iter().all(is_stop_word) && !is_stop_word("A"));
    }
}
