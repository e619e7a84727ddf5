//! A boolean query: which posts are about a brand, as analysts write it.
//!
//! Plain data. `crate::query` parses it from text, prints it, imports it from other tools and evaluates it.

use std::fmt;

use super::{Language, PostKind};

/// A query, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// A word or phrase stands in the post.
    Term(Term),
    /// All hold.
    All(Vec<Query>),
    /// At least one holds.
    Any(Vec<Query>),
    /// It does not hold anywhere in the post.
    Not(Box<Query>),
    /// Both hold, and places of them stand near each other.
    Near(Box<Near>),
    /// It holds within these places alone.
    In(Place, Box<Query>),
    /// The post has a property.
    Is(Property),
}

impl Query {
    /// All of these hold; those that are `All` themselves are taken in, and one alone is itself.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        joined(parts, Self::All, |part| match part {
            Self::All(parts) => Ok(parts),
            part => Err(part),
        })
    }

    /// At least one of these holds; those that are `Any` themselves are taken in, and one alone is itself.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        joined(parts, Self::Any, |part| match part {
            Self::Any(parts) => Ok(parts),
            part => Err(part),
        })
    }
}

fn joined(
    parts: impl IntoIterator<Item = Query>,
    join: fn(Vec<Query>) -> Query,
    open: fn(Query) -> Result<Vec<Query>, Query>,
) -> Query {
    let mut flat = Vec::new();
    for part in parts {
        match open(part) {
            Ok(inner) => flat.extend(inner),
            Err(part) => flat.push(part),
        }
    }
    if flat.len() == 1 { flat.remove(0) } else { join(flat) }
}

/// A word, or words in a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Term {
    /// As written, without quotes, wildcard and sign.
    pub text: String,
    /// The last word may go on: `vmw*`.
    pub prefix: bool,
    /// Only in this case.
    pub exact_case: bool,
}

/// Two queries that hold near each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// The one that comes first, where the order counts.
    pub left: Query,
    /// The other one.
    pub right: Query,
    /// The second begins at most this many words after the first ends: 1 is next to it.
    pub distance: u16,
    /// Whether `left` comes first.
    pub ordered: bool,
}

/// A part of a post in which words may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// The running text.
    Text,
    /// Hashtags, in the text and beside it.
    Tag,
    /// Addresses, in the text and beside it.
    Link,
    /// Descriptions of pictures.
    Alt,
    /// Names of accounts that the text addresses.
    Handle,
}

impl fmt::Display for Place {
    /// The name after `in:`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Tag => "tag",
            Self::Link => "link",
            Self::Alt => "alt",
            Self::Handle => "handle",
        })
    }
}

impl Place {
    /// All places.
    pub const ALL: [Self; 5] = [Self::Text, Self::Tag, Self::Link, Self::Alt, Self::Handle];

    /// The name in queries and configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Tag => "tag",
            Self::Link => "link",
            Self::Alt => "alt",
            Self::Handle => "handle",
        }
    }
}

/// A property of a post that no word tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Property {
    /// `lang:en`: its language.
    Language(Language),
    /// `source:bluesky`: the network it was posted on.
    Source(String),
    /// `author:name`: its author, without `@`.
    Author(String),
    /// `site:example.com`: it links to this host or one below it.
    Site(String),
    /// `link:example.com/path`: an address that it links to contains this.
    Link(String),
    /// `has:image`: it has pictures.
    HasImage,
    /// `is:reply`: how it relates to others.
    Kind(PostKind),
}
