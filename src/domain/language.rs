//! Languages by their codes.

use std::fmt;
use std::str::FromStr;

/// A language: its ISO 639 code of two letters, or of three where it has none of two, such as `en`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language {
    letters: [u8; 3],
    length: u8,
}

/// Why a text names no language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no language; write a code of two or three letters, such as \"en\"")]
pub struct LanguageError(String);

impl Language {
    /// English.
    pub const ENGLISH: Self = Self { letters: *b"en\0", length: 2 };

    /// The code, in lower case.
    pub fn as_str(&self) -> &str {
        // Only letters of ASCII get in.
        std::str::from_utf8(&self.letters[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl FromStr for Language {
    type Err = LanguageError;

    /// Reads a code, or the language at the beginning of a BCP 47 tag such as `pt-br`.
    fn from_str(tag: &str) -> Result<Self, Self::Err> {
        let code = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let wrong = || LanguageError(tag.to_owned());
        if !(2..=3).contains(&code.len()) || !code.bytes().all(|letter| letter.is_ascii_lowercase()) {
            return Err(wrong());
        }
        let mut letters = [0; 3];
        letters[..code.len()].copy_from_slice(code.as_bytes());
        Ok(Self { letters, length: u8::try_from(code.len()).map_err(|_| wrong())? })
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_its_language() {
        for (tag, code) in [("en", "en"), ("pt-BR", "pt"), ("ZH-hant-tw", "zh"), ("ast", "ast")] {
            assert_eq!(tag.parse::<Language>().unwrap().as_str(), code);
        }
        assert_eq!("en-us".parse(), Ok(Language::ENGLISH));
        for wrong in ["", "e", "english", "-en", "e1", "日本"] {
            assert!(wrong.parse::<Language>().is_err(), "{wrong}");
        }
    }
}
