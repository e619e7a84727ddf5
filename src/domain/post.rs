//! A post: what somebody said, in the one shape that every wire format is decoded to.

use std::fmt;

use chrono::{DateTime, Utc};

use super::AuthorKey;

/// What names a post. Network and identifier are its identity; the time only decides where it counts,
/// and a later delivery or an edit may claim another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PostKey {
    /// The network it was posted on, such as `bluesky`.
    pub source: String,
    /// Its identifier there.
    pub id: String,
    /// When its client claims to have made it. It may be 1970 or next year.
    pub created_at: DateTime<Utc>,
}

/// How a post relates to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PostKind {
    /// Stands on its own.
    Original,
    /// Answers another post.
    Reply,
    /// Passes another post on without a word.
    Repost,
    /// Passes another post on with words of its own.
    Quote,
}

impl PostKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Original, Self::Reply, Self::Repost, Self::Quote];

    /// The name in the database and in the native wire format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Reply => "reply",
            Self::Repost => "repost",
            Self::Quote => "quote",
        }
    }
}

impl fmt::Display for PostKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What somebody posted.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    /// Its identity.
    pub key: PostKey,
    /// How it relates to other posts.
    pub kind: PostKind,
    /// Who posted it, as the network names accounts.
    pub author: Option<String>,
    /// What it says. Holds no NUL character.
    pub text: String,
    /// Where a person can read it.
    pub link: Option<String>,
    /// The languages that its client claims, in its order, as BCP 47 tags in lower case.
    pub languages: Vec<String>,
    /// How many people it may have reached (followers or views), where the format says.
    pub reach: Option<u64>,
    /// The full addresses that it links to; `text` may show them shortened.
    pub links: Vec<String>,
    /// The tags that the format lists, without `#`; the text may show them too.
    pub hashtags: Vec<String>,
    /// The addresses of its pictures.
    pub pictures: Vec<String>,
    /// What the author says that the pictures show, in their order; empty ones are left out.
    pub alt_texts: Vec<String>,
    /// When the network says that this version was made; the claimed time where it does not say.
    pub version: DateTime<Utc>,
    /// Whether this version replaces an earlier one.
    pub is_edit: bool,
    /// The author's pseudonym, once `privacy` has set it.
    pub author_key: Option<AuthorKey>,
}

impl Post {
    /// An original post of which nothing but identity and text is known.
    pub fn new(key: PostKey, text: impl Into<String>) -> Self {
        Self {
            version: key.created_at,
            key,
            kind: PostKind::Original,
            author: None,
            text: text.into(),
            link: None,
            languages: Vec::new(),
            reach: None,
            links: Vec::new(),
            hashtags: Vec::new(),
            pictures: Vec::new(),
            alt_texts: Vec::new(),
            is_edit: false,
            author_key: None,
        }
    }
}
