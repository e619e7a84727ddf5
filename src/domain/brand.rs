//! A brand: who is listened for, and by which words.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{Place, Query};

/// A brand's identifier: lower-case ASCII letters, digits and inner dashes, at most 64 of them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BrandId(Arc<str>);

/// Why a text is no [`BrandId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a brand id: use 1 to 64 lower-case letters, digits and inner dashes, such as `red-bull`"
)]
pub struct BrandIdError(pub String);

impl BrandId {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BrandId {
    type Err = BrandIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let valid = (1..=64).contains(&text.len())
            && text.bytes().all(allowed)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if valid { Ok(Self(text.into())) } else { Err(BrandIdError(text.to_owned())) }
    }
}

impl fmt::Debug for BrandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrandId({})", self.0)
    }
}

impl fmt::Display for BrandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// In which case the words of a brand name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Case {
    /// In any.
    Any,
    /// Only as they are written.
    Exact,
    /// In any; but a common word or a name of one or two letters that is written with a capital only as it is
    /// written, or all in capitals.
    #[default]
    Auto,
}

impl Case {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Any, Self::Exact];

    /// The name in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Exact => "exact",
            Self::Auto => "auto",
        }
    }
}

/// What to listen for: a query, or lists as its short form. Every list may be empty, but not all terms
/// together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// Identifier, stable over time: rows and alerts carry it.
    pub id: BrandId,
    /// Name for people.
    pub name: String,
    /// The posts that are about the brand; where there is one, words, hashtags, handles and hosts are empty.
    pub query: Option<Query>,
    /// Words and phrases that name the brand, as whole words.
    pub words: Vec<String>,
    /// Hashtags without `#`.
    pub hashtags: Vec<String>,
    /// Account names without `@`.
    pub handles: Vec<String>,
    /// Hosts such that a link to them, or to a host below them, names the brand.
    pub hosts: Vec<String>,
    /// The name by which logo detectors know its logo.
    pub logo: String,
    /// Phrases inside which a term does not name the brand ("apple pie").
    pub exclusions: Vec<String>,
    /// In which case `words` count.
    pub case: Case,
    /// Where words don't count: links, handles, tags.
    pub words_not_in: Vec<Place>,
}

impl Brand {
    /// A brand that listens for nothing yet; its id is its name and its logo's label.
    pub fn new(id: BrandId) -> Self {
        Self {
            name: id.to_string(),
            logo: id.to_string(),
            id,
            query: None,
            words: Vec::new(),
            hashtags: Vec::new(),
            handles: Vec::new(),
            hosts: Vec::new(),
            exclusions: Vec::new(),
            case: Case::Auto,
            words_not_in: Vec::new(),
        }
    }
}
