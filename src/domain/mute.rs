//! Mutes: what is hidden from figures, and can be shown again.

use chrono::{DateTime, Utc};

use super::{AuthorKey, BrandId};

/// What a mute hides mentions by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MuteOf {
    /// The author, by all pseudonyms that the account may have.
    Author {
        /// The network.
        source: String,
        /// The pseudonyms.
        keys: Vec<AuthorKey>,
    },
    /// A link to this host, or to one below it.
    Host(String),
    /// Words in a row; with a leading `#` a hashtag, with `@` an account that the text addresses.
    Phrase(String),
    /// The network it was posted on.
    Source(String),
}

impl MuteOf {
    /// The name in rows and views.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Author { .. } => "author",
            Self::Host(_) => "host",
            Self::Phrase(_) => "phrase",
            Self::Source(_) => "source",
        }
    }
}

/// A mute: mentions that it is about stay stored and are in no figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Its number, which the mentions carry that it hides.
    pub id: i64,
    /// What it hides by.
    pub of: MuteOf,
    /// Only mentions of this brand; of all brands without.
    pub brand: Option<BrandId>,
    /// Only posts that claim this time or a later one.
    pub since: Option<DateTime<Utc>>,
}
