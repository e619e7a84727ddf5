//! Decoding: the bytes of a record -> a post, an event that is no post, or a rejection.
//!
//! One file for each wire format. What all of them owe to the rest of the way stands in `rules`:
//! times that Postgres can hold, texts without NUL, identifiers that an index can take. Decoders
//! read JSON through `fields`, so that every rejection names the field that is wrong.

mod bluesky;
mod fields;
mod jetstream;
mod native;
mod rules;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use crate::domain::{Post, Record, Rejection, RejectionReason};
use fields::Object;

/// How the records of a topic are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Overheard's own: one JSON object a post (`docs/schemas/post.schema.json`).
    Post,
    /// Events of Bluesky's Jetstream, as its websocket sends them.
    Jetstream,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Post, Self::Jetstream];

    /// The name in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Jetstream => "jetstream",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text names no [`Format`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a format; the formats are {known}", known = Format::ALL.map(Format::as_str).join(", "))]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// What a well-formed record holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// Somebody said something.
    Post(Box<Post>),
    /// Something else happened: to be counted, not to be rejected.
    Ignored(Ignored),
}

/// An event that is no new post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ignored {
    /// Something was taken back: a post, a like, a follow.
    Deletion,
    /// Something was edited.
    Update,
    /// A post was passed on without a word.
    Repost,
    /// A post was liked.
    Like,
    /// An account was followed.
    Follow,
    /// An account was opened, closed or suspended.
    Account,
    /// An account changed its name or its home.
    Identity,
    /// A record of any other collection.
    Other,
}

impl Ignored {
    /// The name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deletion => "deletion",
            Self::Update => "update",
            Self::Repost => "repost",
            Self::Like => "like",
            Self::Follow => "follow",
            Self::Account => "account",
            Self::Identity => "identity",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Decodes a record of a topic that is written in `format`.
///
/// # Errors
/// The record has no payload, is not JSON, has another shape than the format says, or a field has
/// a value out of its range. The detail names the field.
pub fn decode(format: Format, record: &Record) -> Result<Decoded, Rejection> {
    let payload = record.payload.as_deref().unwrap_or_default();
    if payload.is_empty() {
        return Err(Rejection::new(RejectionReason::Empty, "the record has no payload"));
    }
    let value = serde_json::from_slice(payload).map_err(|error| {
        Rejection::new(RejectionReason::Syntax, format!("the payload is not JSON: {error}"))
    })?;
    let root = Object::root(&value)?;
    match format {
        Format::Post => native::decode(&root).map(|post| Decoded::Post(Box::new(post))),
        Format::Jetstream => jetstream::decode(&root),
    }
}
