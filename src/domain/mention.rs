//! Mentions: posts that name or show a brand, and how they feel about it.

use super::{BrandId, Language, ModelId, QueryVersion, Sentiment};

/// A half-open range of bytes in a post's text, on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Where a post names a brand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spans {
    /// The brand named.
    pub brand: BrandId,
    /// Every place in the text, in order, without overlap. Empty where only a link, a tag or a description
    /// beside the text names it.
    pub spans: Vec<Span>,
    /// The first place in the descriptions of its pictures: which of them, and where in it.
    pub alt: Option<(usize, Span)>,
}

impl Spans {
    /// The description of a picture, by its number, and the place in it, where nothing of the text names the
    /// brand: then that is what is judged.
    pub fn alt_alone(&self) -> Option<(usize, Span)> {
        self.alt.filter(|_| self.spans.is_empty())
    }
}

/// How a post mentions a brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// Its text names the brand, and no picture that was looked at shows it.
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

/// A model's score of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// How it feels.
    pub sentiment: Sentiment,
    /// The model.
    pub model: ModelId,
}

/// What was found out about a post's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The language that was detected, if any.
    pub language: Option<Language>,
    /// Its score; none where no model scores that language.
    pub score: Option<Score>,
}

/// A mention, ready to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Mention {
    /// The brand named.
    pub brand: BrandId,
    /// The version of its query by which it was found.
    pub query: QueryVersion,
    /// Where the text names it.
    pub spans: Vec<Span>,
    /// How the post feels about it.
    pub judgement: Judgement,
}
