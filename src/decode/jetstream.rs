//! Bluesky's Jetstream: one JSON event for each change of an account or of one of its records.
//!
//! The two versions of the protocol are told apart by their shape. In the first, `kind` names the
//! event, a commit stands in a field of its own, and `time_us` is when Jetstream saw it. In the second
//! `$type` names the event, the fields of a commit stand beside `did`, and times are texts.
//!
//! A created or updated `app.bsky.feed.post` is a post, a deleted one a removal. An account that is
//! deleted, taken down, suspended or deactivated is a removal of all its posts; one that comes back
//! brings back nothing. Other events of known kinds are ignored and counted by kind. Unknown kinds and
//! operations are rejected, so that a change of the protocol shows in the dead letters. Unknown
//! collections are ignored, because anybody may define one.

use chrono::{DateTime, Utc};

use super::fields::Object;
use super::notes::Repair;
use super::{Decoded, Ignored, bluesky, rules};
use crate::domain::{Post, PostKey, PostKind, Rejection, RejectionReason, Removal, Removed};

const SOURCE: &str = "bluesky";
const POST: &str = "app.bsky.feed.post";
const SECOND_VERSION: &str = "network.bsky.jetstream.subscribeEvents#";

/// States of an account whose posts are no longer to be shown. In others, such as `throttled`, a
/// server only stopped following it.
const REMOVED_STATES: [&str; 4] = ["deleted", "takendown", "suspended", "deactivated"];

pub(super) fn decode(event: &Object<'_>, received_at: DateTime<Utc>) -> Result<Decoded, Rejection> {
    if event.present("payload").is_some() && event.present("did").is_none() {
        let detail = "the record is a frame of the websocket; the event is what stands in its `payload`";
        return Err(Rejection::new(RejectionReason::Shape, detail));
    }
    if let Some(kind) = event.optional_text("$type")? {
        return match kind.strip_prefix(SECOND_VERSION).unwrap_or(kind) {
            "commit" => commit(event, event, received_at),
            "account" => {
                let nested = event.optional_object("account")?;
                account(event, nested.as_ref().unwrap_or(event), received_at)
            }
            "identity" => Ok(Decoded::Ignored(Ignored::Identity)),
            "sync" => Ok(Decoded::Ignored(Ignored::Sync)),
            "info" => Ok(Decoded::Ignored(Ignored::Info)),
            other => Err(unknown(event, "$type", other, "commit, account, identity, sync, info")),
        };
    }
    match event.text("kind")? {
        "commit" => commit(event, &event.object("commit")?, received_at),
        "account" => match event.optional_object("account")? {
            Some(state) => account(event, &state, received_at),
            None => Ok(Decoded::Ignored(Ignored::Account)),
        },
        "identity" => Ok(Decoded::Ignored(Ignored::Identity)),
        other => Err(unknown(event, "kind", other, "commit, account, identity")),
    }
}

fn unknown(object: &Object<'_>, key: &str, found: &str, known: &str) -> Rejection {
    object.wrong_value(key, format_args!("is {}; known are {known}", rules::shown(found)))
}

fn account(event: &Object<'_>, state: &Object<'_>, received_at: DateTime<Utc>) -> Result<Decoded, Rejection> {
    let is_removed = state.optional_text("status")?.is_some_and(|status| REMOVED_STATES.contains(&status));
    if state.optional_flag("active")? != Some(false) || !is_removed {
        return Ok(Decoded::Ignored(Ignored::Account));
    }
    let of = Removed::Account(did(event)?.to_owned());
    let at = event_time(event).unwrap_or(received_at).min(received_at);
    Ok(Decoded::Removal(Removal { source: SOURCE.to_owned(), of, at }))
}

fn commit(event: &Object<'_>, commit: &Object<'_>, received_at: DateTime<Utc>) -> Result<Decoded, Rejection> {
    let collection = commit.text("collection")?;
    let operation = commit.text("operation")?;
    if collection != POST {
        return match operation {
            "create" => Ok(Decoded::Ignored(created(collection))),
            "update" => Ok(Decoded::Ignored(Ignored::Update)),
            "delete" => Ok(Decoded::Ignored(Ignored::Deletion)),
            other => Err(unknown(commit, "operation", other, "create, update, delete")),
        };
    }
    let revision = commit.optional(Repair::Time, commit.optional_text("rev")).and_then(revision_time);
    let version = revision.or_else(|| event_time(event)).unwrap_or(received_at).min(received_at);
    match operation {
        "create" => Ok(Decoded::Post(Box::new(Post { version, ..post(event, commit)? }))),
        "update" => Ok(Decoded::Post(Box::new(Post { version, is_edit: true, ..post(event, commit)? }))),
        "delete" => {
            let of = Removed::Post(id(event, commit)?);
            Ok(Decoded::Removal(Removal { source: SOURCE.to_owned(), of, at: version }))
        }
        other => Err(unknown(commit, "operation", other, "create, update, delete")),
    }
}

fn created(collection: &str) -> Ignored {
    match collection {
        "app.bsky.feed.repost" => Ignored::Repost,
        "app.bsky.feed.like" => Ignored::Like,
        "app.bsky.graph.follow" => Ignored::Follow,
        _ => Ignored::Other,
    }
}

/// When Jetstream saw the event. In the second version `time` may be one that was imported.
fn event_time(event: &Object<'_>) -> Option<DateTime<Utc>> {
    let micros = event.optional(Repair::Time, event.optional_whole("time_us"));
    let micros = micros.and_then(|micros| i64::try_from(micros).ok());
    let written = |key| event.optional(Repair::Time, rules::optional_time(event, key));
    micros
        .and_then(DateTime::from_timestamp_micros)
        .or_else(|| written("witnessedAt"))
        .or_else(|| written("time"))
}

/// The time in a revision of a repository, which is a TID: 13 digits of base 32, in which 53 bits of
/// microseconds since 1970 come before 10 bits that tell clocks apart (atproto.com/specs/tid).
fn revision_time(revision: &str) -> Option<DateTime<Utc>> {
    const DIGITS: &[u8] = b"234567abcdefghijklmnopqrstuvwxyz";
    let digit = |byte: u8| DIGITS.iter().position(|digit| *digit == byte);
    if revision.len() != 13 {
        return None;
    }
    let mut number: u128 = 0;
    for byte in revision.bytes() {
        number = number << 5 | digit(byte)? as u128;
    }
    DateTime::from_timestamp_micros(i64::try_from(number >> 10).ok()?)
}

fn did<'a>(event: &Object<'a>) -> Result<&'a str, Rejection> {
    identifier(event, "did", "a DID such as \"did:plc:abc\"", |did| did.starts_with("did:"))
}

fn rkey<'a>(commit: &Object<'a>) -> Result<&'a str, Rejection> {
    identifier(commit, "rkey", "a record key", |_| true)
}

fn id(event: &Object<'_>, commit: &Object<'_>) -> Result<String, Rejection> {
    let id = format!("at://{}/{POST}/{}", did(event)?, rkey(commit)?);
    if id.len() > rules::LONGEST_ID {
        let longest = rules::LONGEST_ID;
        return Err(commit.wrong_value("rkey", format_args!("makes an id longer than {longest} bytes")));
    }
    Ok(id)
}

/// The record as a post that is not an edit, with its claimed time as its version.
fn post(event: &Object<'_>, commit: &Object<'_>) -> Result<Post, Rejection> {
    let (did, rkey, id) = (did(event)?, rkey(commit)?, id(event, commit)?);
    let record = commit.object("record")?;
    let attached = bluesky::attached(&record, did);
    let facets = bluesky::facets(&record);
    let mut links = facets.links;
    links.extend(attached.link);
    let mut hashtags = facets.hashtags;
    hashtags.extend(record.texts("tags", Repair::Hashtag).into_iter().map(rules::clean));

    let created_at = rules::time(&record, "createdAt")?;
    Ok(Post {
        key: PostKey { source: SOURCE.to_owned(), id, created_at },
        version: created_at,
        is_edit: false,
        author_key: None,
        // A reply that also quotes counts as a reply, because it is addressed to somebody. A
        // reference that can't be read still says that there is one.
        kind: if record.present("reply").is_some() {
            record.optional(Repair::Reference, record.optional_object("reply"));
            PostKind::Reply
        } else if attached.quotes {
            PostKind::Quote
        } else {
            PostKind::Original
        },
        author: Some(did.to_owned()),
        text: rules::words(&record, "text", rules::Markup::Escaped)?,
        link: Some(format!("https://bsky.app/profile/{did}/post/{rkey}")),
        languages: rules::languages(&record, "langs"),
        reach: None,
        links: rules::listed(links, rules::LINKS),
        hashtags: rules::listed(hashtags, rules::HASHTAGS),
        pictures: rules::listed(attached.pictures, rules::PICTURES),
        alt_texts: rules::alt_texts(attached.alt_texts, rules::Markup::Escaped),
    })
}

/// An identifier that addresses are built from. Characters that could change the path are refused.
fn identifier<'a>(
    object: &Object<'a>,
    key: &str,
    expected: &str,
    valid: impl Fn(&str) -> bool,
) -> Result<&'a str, Rejection> {
    let text = object.text(key)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-_:~%".contains(&b);
    if !text.is_empty() && text.bytes().all(allowed) && text != "." && text != ".." && valid(text) {
        Ok(text)
    } else {
        Err(object.wrong_value(key, format_args!("is {}, not {expected}", rules::shown(text))))
    }
}
