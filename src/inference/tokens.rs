//! Text to token ids, by the model's own tokenizer file: all preparation of text stands in there.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokenizers::Tokenizer;

use super::{InferenceError, Manifest, TextKind};

/// A tokenizer with the limits of its model.
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    empty_id: u32,
    max_tokens: usize,
}

impl TextTokenizer {
    /// Loads the tokenizer that a manifest names.
    ///
    /// # Errors
    /// The file differs from the manifest, or is no tokenizer.
    pub fn load(manifest: &Manifest<TextKind>) -> Result<Self, InferenceError> {
        let bytes = manifest.file("tokenizer")?;
        let tokenizer =
            Tokenizer::from_bytes(bytes).map_err(|error| InferenceError::Tokenizer(error.to_string()))?;
        Ok(Self { tokenizer, empty_id: manifest.kind.empty_id, max_tokens: manifest.kind.max_tokens })
    }

    /// The ids of a text: at least one, at most the model's longest.
    ///
    /// # Errors
    /// The tokenizer refuses the text.
    pub fn encode(&self, text: &str) -> Result<Vec<i64>, InferenceError> {
        // The tokenizer's regular expressions come with the model and meet foreign text: one that
        // gives up panics, and one post must not end the process.
        let encoding = catch_unwind(AssertUnwindSafe(|| self.tokenizer.encode_fast(text, false)))
            .map_err(|_| InferenceError::Tokenizer("the tokenizer gave up on it".to_owned()))?
            .map_err(|error| InferenceError::Tokenizer(error.to_string()))?;
        let ids = encoding.get_ids();
        if ids.is_empty() {
            return Ok(vec![i64::from(self.empty_id)]);
        }
        Ok(ids.iter().take(self.max_tokens).map(|id| i64::from(*id)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern of this kind takes exponential time on digits that an `x` follows, but not at once.
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
}
