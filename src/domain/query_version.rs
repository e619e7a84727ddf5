//! Versions of queries: by which definition of its brand a mention came in.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Brand, Case};

/// The version of a brand's query: 16 hexadecimal digits that follow from its
/// [definition](Brand::definition), so that the same definition has the same one everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueryVersion(Arc<str>);

impl QueryVersion {
    /// The version of a definition.
    pub fn of(definition: &str) -> Self {
        let hash = Sha256::digest(definition.as_bytes());
        Self(hex::encode(&hash[..8]).into())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueryVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Brand {
    /// Everything that decides what mentions the brand, as the lines of its table in the file of brands. What
    /// is left empty has no line, and the name for people is not part of it.
    pub fn definition(&self) -> String {
        let lists = [
            ("words", &self.words),
            ("hashtags", &self.hashtags),
            ("handles", &self.handles),
            ("hosts", &self.hosts),
            ("exclusions", &self.exclusions),
        ];
        let query =
            self.query.iter().map(|query| format!("query = {}", serde_json::json!(query.to_string())));
        let lists = lists.into_iter().filter(|(_, terms)| !terms.is_empty());
        let lists = lists.map(|(key, terms)| format!("{key} = {}", serde_json::json!(terms)));
        let mut lines: Vec<String> = query.chain(lists).collect();
        if self.case != Case::Auto {
            lines.push(format!("case = \"{}\"", self.case.as_str()));
        }
        if !self.words_not_in.is_empty() {
            let places: Vec<&str> = self.words_not_in.iter().map(|place| place.as_str()).collect();
            lines.push(format!("words_not_in = {}", serde_json::json!(places)));
        }
        if self.logo != self.id.as_str() {
            lines.push(format!("logo = {}", serde_json::json!(self.logo)));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand(words: &[&str]) -> Brand {
        Brand {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            hosts: vec!["acme.example".to_owned()],
            ..Brand::new("acme".parse().unwrap())
        }
    }

    #[test]
    fn a_version_follows_from_what_decides_and_from_nothing_else() {
        let (first, second) = (brand(&["Acme \"Inc\""]), brand(&["Acme \"Inc\"", "Acme Labs"]));
        let version = |brand: &Brand| QueryVersion::of(&brand.definition());
        assert_eq!(first.definition(), "words = [\"Acme \\\"Inc\\\"\"]\nhosts = [\"acme.example\"]");
        assert_ne!(version(&first), version(&second));
        let renamed = Brand { name: "Acme Corporation".to_owned(), ..first.clone() };
        assert_eq!(version(&first), version(&renamed));
        assert_ne!(version(&first), version(&Brand { logo: "acme-2".to_owned(), ..first.clone() }));
        assert_eq!(version(&first).as_str().len(), 16);
    }
}
