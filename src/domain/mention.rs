//! A mention: a post that names a brand, and how it feels about it.

use super::{BrandId, Language, ModelId, Sentiment};

/// A half-open range of bytes in a post's text, on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Where a text names a brand. Empty where only a link or a tag beside the text names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spans {
    /// The brand named.
    pub brand: BrandId,
    /// Every place in the text, in order, without overlap.
    pub spans: Vec<Span>,
}

/// How a post mentions a brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// Its text names the brand, and no picture shows it, as far as they were looked at.
    Text,
    /// A picture shows the brand's logo, and the text does not name it.
    Image,
    /// Both.
    Both,
}

impl Evidence {
    /// The name in rows and views.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Both => "both",
        }
    }
}

/// What a model made of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// How it feels.
    pub sentiment: Sentiment,
    /// The model that says so.
    pub model: ModelId,
}

/// What was found out about a post's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The language that it is taken to be in, if that can be told.
    pub language: Option<Language>,
    /// Its score; none where no model scores that language.
    pub score: Option<Score>,
}

/// A mention, ready to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Mention {
    /// The brand named.
    pub brand: BrandId,
    /// Where the text names it.
    pub spans: Vec<Span>,
    /// How the post feels about it.
    pub judgement: Judgement,
}
