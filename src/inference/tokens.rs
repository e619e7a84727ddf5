//! Text to token ids, by the model's own tokenizer file: all preparation of text stands in there.

use tokenizers::Tokenizer;

use super::{InferenceError, Manifest};

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
    pub fn load(manifest: &Manifest) -> Result<Self, InferenceError> {
        let bytes = manifest.file("tokenizer")?;
        let tokenizer =
            Tokenizer::from_bytes(bytes).map_err(|error| InferenceError::Tokenizer(error.to_string()))?;
        Ok(Self { tokenizer, empty_id: manifest.empty_id, max_tokens: manifest.max_tokens })
    }

    /// The ids of a text: at least one, at most the model's longest.
    ///
    /// # Errors
    /// The tokenizer refuses the text.
    pub fn encode(&self, text: &str) -> Result<Vec<i64>, InferenceError> {
        let encoding = self
            .tokenizer
            .encode_fast(text, false)
            .map_err(|error| InferenceError::Tokenizer(error.to_string()))?;
        let ids = encoding.get_ids();
        if ids.is_empty() {
            return Ok(vec![i64::from(self.empty_id)]);
        }
        Ok(ids.iter().take(self.max_tokens).map(|id| i64::from(*id)).collect())
    }
}
