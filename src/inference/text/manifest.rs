//! The keys of a sentiment model's manifest beyond the common ones.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::domain::{Label, Language};
use crate::inference::manifest::Kind;

/// The keys of a sentiment model.
#[derive(Clone, Debug, Deserialize)]
pub struct TextKind {
    /// Token id for padding.
    pub pad_id: u32,
    /// Token id that replaces a text without tokens.
    pub empty_id: u32,
    /// Most tokens of a text; longer texts are truncated.
    pub max_tokens: usize,
    /// Languages that the model supports.
    #[serde(rename = "language", deserialize_with = "languages")]
    pub languages: Vec<Language>,
    /// Texts with known scores, for tests.
    #[serde(default)]
    pub goldens: Vec<TextGolden>,
}

/// A text with the probabilities that the exported model gave at export.
#[derive(Clone, Debug, Deserialize)]
pub struct TextGolden {
    /// The text.
    pub text: String,
    /// Negative, neutral, positive.
    pub probabilities: [f32; 3],
}

impl Kind for TextKind {
    const NAME: &'static str = "text-sentiment";

    fn problem(&self, labels: &[String]) -> Option<String> {
        let expected: Vec<_> = Label::ALL.iter().map(|label| label.as_str()).collect();
        if labels != expected {
            return Some(format!("its labels are {labels:?}, and must be {expected:?} in this order"));
        }
        if self.languages.is_empty() {
            return Some("language is empty, and must list the languages that it scores".to_owned());
        }
        (self.max_tokens == 0).then(|| "max_tokens is 0".to_owned())
    }
}

fn languages<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Language>, D::Error> {
    let codes = Vec::<String>::deserialize(from)?;
    codes
        .iter()
        .map(|code| code.parse().map_err(|error| D::Error::custom(format!("language: {error}"))))
        .collect()
}
