//! Text to token ids, with the model's tokenizer file, which holds all text preprocessing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokenizers::{Encoding, Tokenizer};

use super::manifest::TextKind;
use crate::domain::Span;
use crate::inference::{InferenceError, Manifest};

/// The target of a text's sentiment, as a half-open range of token positions. `0..0`, the default,
/// is the whole text. docs/sentiment.md defines how a span becomes token positions, here and in the
/// training code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// First token.
    pub start: usize,
    /// One past the last token.
    pub end: usize,
}

/// A model's tokenizer and length limit.
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    empty_id: u32,
    max_tokens: usize,
}

impl TextTokenizer {
    /// Loads the tokenizer of a manifest.
    ///
    /// # Errors
    /// The file is missing or differs from the manifest, or is not a tokenizer.
    pub fn load(manifest: &Manifest<TextKind>) -> Result<Self, InferenceError> {
        let bytes = manifest.file("tokenizer")?;
        let tokenizer =
            Tokenizer::from_bytes(bytes).map_err(|error| InferenceError::Tokenizer(error.to_string()))?;
        Ok(Self { tokenizer, empty_id: manifest.kind.empty_id, max_tokens: manifest.kind.max_tokens })
    }

    /// The token ids of a text: at least one, at most `max_tokens`.
    ///
    /// # Errors
    /// The tokenizer fails on the text.
    pub fn encode(&self, text: &str) -> Result<Vec<i64>, InferenceError> {
        let encoding = guarded(|| self.tokenizer.encode_fast(text, false))?;
        Ok(self.cut(&encoding))
    }

    /// The same, with the target of each place. A place that has no tokens or is truncated gets the
    /// default.
    ///
    /// # Errors
    /// The tokenizer fails on the text.
    pub fn encode_with_targets(
        &self,
        text: &str,
        places: &[Option<Span>],
    ) -> Result<(Vec<i64>, Vec<Target>), InferenceError> {
        let encoding = guarded(|| self.tokenizer.encode(text, false))?;
        let target = |place: &Option<Span>| {
            let target = place.and_then(|span| tokens_at(encoding.get_offsets(), span)).unwrap_or_default();
            if target.start < self.max_tokens {
                Target { end: target.end.min(self.max_tokens), ..target }
            } else {
                Target::default()
            }
        };
        Ok((self.cut(&encoding), places.iter().map(target).collect()))
    }

    fn cut(&self, encoding: &Encoding) -> Vec<i64> {
        let ids = encoding.get_ids();
        if ids.is_empty() {
            return vec![i64::from(self.empty_id)];
        }
        ids.iter().take(self.max_tokens).map(|id| i64::from(*id)).collect()
    }
}

/// Turns a panic into an error: the tokenizer panics when one of its regular expressions gives up on
/// a text, and one post must not end the process.
fn guarded(encode: impl FnOnce() -> tokenizers::Result<Encoding>) -> Result<Encoding, InferenceError> {
    catch_unwind(AssertUnwindSafe(encode))
        .map_err(|_| InferenceError::Tokenizer("the tokenizer gave up on it".to_owned()))?
        .map_err(|error| InferenceError::Tokenizer(error.to_string()))
}

/// The tokens that overlap a span. If none does, the last one that starts before its end: a token
/// that replaces text, such as a user name, may have the offsets of the last character only.
fn tokens_at(offsets: &[(usize, usize)], place: Span) -> Option<Target> {
    let overlaps = |&(start, end): &(usize, usize)| start < place.end && end > place.start;
    let first = offsets.iter().position(overlaps);
    let last = offsets.iter().rposition(overlaps);
    let nearest = || offsets.iter().rposition(|&(start, _)| start < place.end);
    let (first, last) = first.zip(last).or_else(|| nearest().map(|token| (token, token)))?;
    Some(Target { start: first, end: last + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pattern takes exponential time on digits that are followed by an `x`, but not directly.
    const GIVES_UP: &str = r#"{
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "post_processor": null,
        "decoder": null, "pre_tokenizer": {"type": "Whitespace"},
        "normalizer": {"type": "Replace", "pattern": {"Regex": "(\\d+)+x"}, "content": "y"},
        "model": {"type": "WordLevel", "vocab": {"?": 0, "good": 1}, "unk_token": "?"}
    }"#;

    #[test]
    fn a_tokenizer_that_gives_up_refuses_the_text_and_goes_on() {
        let tokenizer: Tokenizer = GIVES_UP.parse().unwrap();
        let tokenizer = TextTokenizer { tokenizer, empty_id: 0, max_tokens: 3 };
        let refused = tokenizer.encode(&format!("{}zx", "1".repeat(5000)));
        assert!(matches!(refused, Err(InferenceError::Tokenizer(_))), "{refused:?}");
        assert_eq!(tokenizer.encode("good good good good").unwrap(), [1, 1, 1]);
        assert_eq!(tokenizer.encode("").unwrap(), [0]);
    }

    /// One token per word; the one that replaces `@name` has the offsets of its last character.
    const WORDS: &str = r#"{
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "post_processor": null,
        "decoder": null, "pre_tokenizer": {"type": "WhitespaceSplit"},
        "normalizer": {"type": "Replace", "pattern": {"Regex": "@\\w+|https?://\\S+"}, "content": " <user> "},
        "model": {"type": "WordLevel", "vocab": {"?": 0, "good": 1, "<user>": 2}, "unk_token": "?"}
    }"#;

    /// The target of the first occurrence of each word.
    fn targets<const N: usize>(text: &str, words: [&str; N]) -> [Target; N] {
        let tokenizer = TextTokenizer { tokenizer: WORDS.parse().unwrap(), empty_id: 0, max_tokens: 5 };
        let places = words.map(|word| text.find(word).map(|start| Span { start, end: start + word.len() }));
        let (ids, targets) = tokenizer.encode_with_targets(text, &places).unwrap();
        assert_eq!(ids, tokenizer.encode(text).unwrap());
        targets.try_into().unwrap()
    }

    fn target(start: usize, end: usize) -> Target {
        Target { start, end }
    }

    #[test]
    fn a_place_is_the_tokens_that_overlap_it() {
        let found = targets("Ünser ACME-Wagen is good", ["ACME", "Wagen is", "Ünser", "elsewhere", "good"]);
        assert_eq!(found, [target(1, 2), target(1, 3), target(0, 1), Target::default(), target(3, 4)]);
    }

    #[test]
    fn what_was_replaced_is_found_by_its_token_or_by_the_one_before() {
        let found = targets("good @acme good", ["@acme", "acme", "@ac"]);
        // The token replaces the whole name, but has the offsets of its last letter.
        assert_eq!(found, [target(1, 2), target(1, 2), target(0, 1)]);
        // No token starts before the end of the host.
        assert_eq!(targets("https://acme.com/news", ["acme"]), [Target::default()]);
        assert_eq!(targets("", [""]), [Target::default()]);
    }

    #[test]
    fn what_is_cut_off_is_no_target() {
        let found = targets("a b c d e-f g h", ["d e-f g", "g", "e-f", "h"]);
        assert_eq!(found, [target(3, 5), Target::default(), target(4, 5), Target::default()]);
    }
}
