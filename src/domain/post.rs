//! A post: what somebody said, in the one shape that every wire format is decoded to.

use std::fmt;

use chrono::{DateTime, Utc};

/// The identity of a post. A post delivered twice has the same key twice.
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
    /// The language that its client claims, as a BCP 47 tag in lower case.
    pub language: Option<String>,
    /// How many people it may have reached (followers or views), where the format says.
    pub reach: Option<u64>,
    /// The full addresses that it links to; `text` may show them shortened.
    pub links: Vec<String>,
    /// The tags that the format lists, without `#`; the text may show them too.
    pub hashtags: Vec<String>,
    /// The addresses of its pictures.
    pub pictures: Vec<String>,
}

impl Post {
    /// An original post of which nothing but identity and text is known.
    pub fn new(key: PostKey, text: impl Into<String>) -> Self {
        Self {
            key,
            kind: PostKind::Original,
            author: None,
            text: text.into(),
            link: None,
            language: None,
            reach: None,
            links: Vec::new(),
            hashtags: Vec::new(),
            pictures: Vec::new(),
        }
    }
}
