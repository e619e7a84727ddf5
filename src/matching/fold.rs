//! Folding: one spelling for texts and terms alike, with the way back to the original's bytes.
//!
//! Every character becomes at most one: the lower case of its upper case, so that ς and σ, ſ and
//! s, ı and i are the same. Runs of white space become one space. Typographic apostrophes and
//! hyphens, and the full-width # and @ of East Asian keyboards, become the plain ones.

use crate::domain::Span;

/// A folded text.
#[derive(Debug)]
pub(super) struct Folded {
    text: String,
    /// For each byte of `text`, and one past the last, where its character starts in the
    /// original. None where folding moved nothing.
    origins: Option<Vec<usize>>,
}

impl Folded {
    pub(super) fn new(original: &str) -> Self {
        if moves_nothing(original) {
            return Self { text: original.to_ascii_lowercase(), origins: None };
        }
        let mut text = String::with_capacity(original.len());
        let mut origins = Vec::with_capacity(original.len() + 1);
        let mut in_space = false;
        for (at, character) in original.char_indices() {
            let space = character.is_whitespace();
            if !(space && in_space) {
                text.push(if space { ' ' } else { fold(character) });
                origins.resize(text.len(), at);
            }
            in_space = space;
        }
        origins.push(original.len());
        Self { text, origins: Some(origins) }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The bytes of the original that a range of the folded text came from.
    pub(super) fn original(&self, start: usize, end: usize) -> Span {
        match &self.origins {
            None => Span { start, end },
            Some(origins) => Span { start: origins[start], end: origins[end] },
        }
    }
}

/// A term in the spelling of folded texts, without white space around it.
pub(super) fn folded_term(term: &str) -> String {
    Folded::new(term.trim()).text
}

/// ASCII whose only white space is single spaces: most posts in Latin script without emoji.
fn moves_nothing(text: &str) -> bool {
    let plain = |b: &u8| b.is_ascii() && (*b == b' ' || !b.is_ascii_whitespace() && *b != 0x0B);
    text.as_bytes().iter().all(plain) && !text.contains("  ")
}

fn fold(character: char) -> char {
    match character {
        _ if character.is_ascii() => character.to_ascii_lowercase(),
        '\u{2018}' | '\u{2019}' | '\u{02BC}' | '\u{FF07}' => '\'',
        '\u{2010}' | '\u{2011}' => '-',
        '\u{FF03}' => '#',
        '\u{FF20}' => '@',
        // Its full lower case is i with a combining dot.
        'İ' => 'i',
        _ => {
            let upper = only(character.to_uppercase()).unwrap_or(character);
            only(upper.to_lowercase()).unwrap_or(upper)
        }
    }
}

fn only(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folding_twice_changes_nothing_for_any_character() {
        for character in '\0'..=char::MAX {
            assert_eq!(fold(fold(character)), fold(character), "{character:?}");
        }
    }

    #[test]
    fn cases_that_are_not_one_to_one_fold_alike() {
        for (one, other) in [
            ("İSTANBUL", "istanbul"),
            ("ΟΔΟΣ", "οδος"),
            ("STRAẞE", "straße"),
            ("ſilk", "SILK"),
            ("McDonald’s", "mcdonald's"),
            ("Coca\u{2011}Cola", "coca-cola"),
            ("Red \u{A0}\n Bull", "red bull"),
            ("＃ＶＭ", "#ｖｍ"),
        ] {
            assert_eq!(folded_term(one), folded_term(other));
        }
    }

    proptest! {
        #[test]
        fn every_character_leads_back_to_its_original(text in any::<String>()) {
            let folded = Folded::new(&text);
            for (start, character) in folded.as_str().char_indices() {
                let span = folded.original(start, start + character.len_utf8());
                let original = &text[span.start..span.end];
                if character == ' ' {
                    prop_assert!(!original.is_empty() && original.chars().all(char::is_whitespace));
                } else {
                    prop_assert_eq!(only(original.chars()).map(fold), Some(character));
                }
            }
            prop_assert_eq!(folded.original(0, folded.as_str().len()), Span { start: 0, end: text.len() });
        }
    }
}
