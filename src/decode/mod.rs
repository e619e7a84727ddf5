//! Decoding: turns the bytes of a record into posts, removals, ignored events and rejections.
//!
//! Each wire format has a file. `rules` has what every post must satisfy to be stored: times that
//! Postgres can represent, texts without NUL, identifiers that fit an index entry. Decoders read
//! JSON through `fields`, so that every rejection names the invalid field. Only identity, time and
//! text are needed: any other part that can't be read is left out, and noted as a [`Repair`].

mod bluesky;
mod entities;
mod feed;
#[cfg(test)]
mod feed_tests;
mod fields;
mod html;
mod jetstream;
mod json;
mod mapping;
mod mastodon;
#[cfg(test)]
mod mastodon_tests;
mod native;
mod notes;
#[cfg(test)]
mod properties;
mod rules;
#[cfg(test)]
mod tests;
mod times;
mod x;
#[cfg(test)]
mod x_tests;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::{Post, Record, Rejection, RejectionReason, Removal};
pub use entities::unescape_html;
pub use feed::{FeedItems, read_feed};
use fields::Object;
pub use json::read_json;
pub use mapping::{Mapping, MappingKeys, MappingProblem};
use notes::Notes;
pub use notes::Repair;

/// What an unmarked frame is told.
const FRAMED: &str = "it begins as Confluent's schema registry frames records: set framing = \"schema-registry\" \
    on the topic in kafka.topics";

/// The wire format of the records of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Overheard's own: one JSON object per post (`docs/schemas/post.schema.json`).
    Post,
    /// Events of Bluesky's Jetstream, as sent on its websocket.
    Jetstream,
    /// Mastodon's statuses and the messages of its streams.
    Mastodon,
    /// Response pages of X's API, version 2.
    X,
    /// Documents of RSS, Atom or JSON Feed.
    Rss,
    /// Any JSON or CSV, by a [`Mapping`].
    Mapping,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] =
        [Self::Post, Self::Jetstream, Self::Mastodon, Self::X, Self::Rss, Self::Mapping];

    /// The name in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Jetstream => "jetstream",
            Self::Mastodon => "mastodon",
            Self::X => "x",
            Self::Rss => "rss",
            Self::Mapping => "mapping",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The string is not the name of a [`Format`].
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

/// What stands before the payload in the records of a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Nothing.
    #[default]
    Plain,
    /// Confluent's schema registry: a zero byte, then a schema's number in four.
    SchemaRegistry,
}

impl FromStr for Framing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::Plain),
            "schema-registry" => Ok(Self::SchemaRegistry),
            other => Err(format!("{other:?} is neither \"none\" nor \"schema-registry\"")),
        }
    }
}

/// How the records of a topic are to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    /// The format of the payload.
    pub format: Format,
    /// What stands before it.
    pub framing: Framing,
    /// Where the parts of a post are, for [`Format::Mapping`].
    pub mapping: Option<Arc<Mapping>>,
}

impl From<Format> for Wire {
    fn from(format: Format) -> Self {
        Self { format, framing: Framing::Plain, mapping: None }
    }
}

/// What a record holds. A page of results or a feed has several items.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// What can be used of it, in its order. There is something here or a rejection.
    pub items: Vec<Decoded>,
    /// Why the rest can't be used, each with its place in the record.
    pub rejection: Option<Rejection>,
    /// What was left out or mended, in no order.
    pub repairs: Vec<Repair>,
}

/// One thing that a record holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// A post, or a new version of one.
    Post(Box<Post>),
    /// A post or an account was removed.
    Removal(Removal),
    /// A well-formed event that is not a new post. It is counted and skipped.
    Ignored(Ignored),
}

/// Kind of an event that is not a new post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ignored {
    /// A record other than a post was deleted, such as a like or a follow.
    Deletion,
    /// A record other than a post was edited.
    Update,
    /// A repost without text of its own.
    Repost,
    /// A post was liked.
    Like,
    /// An account was followed.
    Follow,
    /// An account was opened or came back, or a server stopped speaking for it.
    Account,
    /// An account changed its handle or its server.
    Identity,
    /// An account's repository was set to another state as a whole.
    Sync,
    /// A stream says something about itself.
    Info,
    /// A page of results or a feed that has nothing in it.
    Empty,
    /// Anything else that is no post.
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
            Self::Sync => "sync",
            Self::Info => "info",
            Self::Empty => "empty",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Decodes a record.
///
/// What can't be used is rejected: no payload, not the format's syntax or shape, or an invalid value
/// of a field that a post needs. The detail names the field.
pub fn decode(wire: &Wire, record: &Record) -> Contents {
    let notes = Notes::default();
    let mut found = items(wire, record, &notes).unwrap_or_else(|rejection| vec![Err(rejection)]);
    if found.is_empty() {
        found.push(Ok(Decoded::Ignored(Ignored::Empty)));
    }
    let count = found.len();
    let (mut items, mut rejections) = (Vec::with_capacity(count), Vec::new());
    for item in found {
        match item {
            Ok(item) => items.push(item),
            Err(rejection) => rejections.push(rejection),
        }
    }
    Contents { items, rejection: together(rejections, count), repairs: notes.into_repairs() }
}

/// One rejection that tells of all.
fn together(mut rejections: Vec<Rejection>, of: usize) -> Option<Rejection> {
    let first = rejections.first()?;
    if of == 1 {
        return rejections.pop();
    }
    let details: Vec<&str> = rejections.iter().map(|rejection| rejection.detail.as_str()).collect();
    let detail = format!("{} of {of} can't be used: {}", details.len(), details.join("; "));
    Some(Rejection::new(first.reason, detail))
}

type Items = Result<Vec<Result<Decoded, Rejection>>, Rejection>;

fn items(wire: &Wire, record: &Record, notes: &Notes) -> Items {
    let payload = record.payload.as_deref().unwrap_or_default();
    if payload.is_empty() {
        return Err(Rejection::new(RejectionReason::Empty, "the record has no payload"));
    }
    let payload = unframed(wire.framing, payload)?;
    let one = |decode: fn(&Object<'_>, DateTime<Utc>) -> Result<Decoded, Rejection>| {
        let value = json(payload, notes)?;
        Ok(vec![decode(&Object::root(&value, notes)?, record.received_at)])
    };
    match wire.format {
        Format::Post => one(native::decode),
        Format::Jetstream => one(jetstream::decode),
        Format::Mastodon => {
            let value = json(payload, notes)?;
            Ok(vec![mastodon::decode(&Object::root(&value, notes)?, record.received_at, notes)])
        }
        Format::X => {
            let value = json(payload, notes)?;
            x::decode(&Object::root(&value, notes)?, record.received_at)
        }
        Format::Mapping => match &wire.mapping {
            Some(mapping) => mapping::decode(mapping, payload, record.received_at, notes),
            None => Err(Rejection::new(RejectionReason::Shape, "the topic has no mapping in kafka.topics")),
        },
        Format::Rss => feed::decode(payload, record.received_at, notes),
    }
}

/// The payload behind the frame.
fn unframed(framing: Framing, payload: &[u8]) -> Result<&[u8], Rejection> {
    if framing == Framing::Plain {
        return Ok(payload);
    }
    let [0, _, _, _, _, payload @ ..] = payload else {
        let detail = "the payload does not begin with the schema registry's zero byte and four of a \
            schema's number; leave out `framing` in kafka.topics if records are not framed";
        return Err(Rejection::new(RejectionReason::Syntax, detail));
    };
    Ok(payload)
}

fn json(payload: &[u8], notes: &Notes) -> Result<serde_json::Value, Rejection> {
    let (value, mended) = read_json(payload).map_err(|error| {
        let hint = if payload.first() == Some(&0) { format!("; {FRAMED}") } else { String::new() };
        Rejection::new(RejectionReason::Syntax, format!("the payload is not JSON: {error}{hint}"))
    })?;
    if mended {
        notes.note(Repair::Json);
    }
    Ok(value)
}
