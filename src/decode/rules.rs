//! What every decoder owes to the rest of the way, whatever its format.
//!
//! - Times lie in the years 1 to 9999 of UTC and are cut to microseconds, the resolution of
//!   Postgres: finer ones would give a post another identity each time it is read back.
//! - No text holds a NUL character, which Postgres refuses; U+FFFD stands in its place.
//! - Identifiers and texts have a limit, since one index entry or one message must hold them.
//! - What hangs on a post is kept up to a limit and cut beyond it: one record with 100,000 tags must
//!   not hold up those behind it, and is no reason to lose its words.

use std::collections::HashSet;

use chrono::{DateTime, Datelike, Utc};

use super::fields::Object;
use crate::domain::Rejection;

/// The longest post identifier or account name in bytes of UTF-8.
pub(super) const LONGEST_ID: usize = 512;
/// The longest source name in bytes of UTF-8. Every roll-up row carries it.
pub(super) const LONGEST_SOURCE: usize = 64;
/// The longest text in bytes of UTF-8, 64 KiB.
pub(super) const LONGEST_TEXT: usize = 64 * 1024;
/// The longest language tag in bytes; RFC 5646 asks implementations for at least 35.
pub(super) const LONGEST_LANGUAGE: usize = 35;
/// The longest address in bytes of UTF-8.
pub(super) const LONGEST_LINK: usize = 2048;
/// How much of a foreign value a rejection repeats, in characters.
const SHOWN: usize = 64;

/// How much of a list is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListLimit {
    /// How many entries, the first ones.
    pub(super) entries: usize,
    /// The longest entry in bytes of UTF-8; longer ones are left out.
    pub(super) bytes: usize,
}

/// Addresses that a post links to.
pub(super) const LINKS: ListLimit = ListLimit { entries: 64, bytes: LONGEST_LINK };
/// Tags that stand beside the text.
pub(super) const HASHTAGS: ListLimit = ListLimit { entries: 64, bytes: 256 };
/// Addresses of a post's pictures.
pub(super) const PICTURES: ListLimit = ListLimit { entries: 16, bytes: LONGEST_LINK };

/// What is kept of a list: no empty entry, none that is too long, each once, and only the first so
/// many.
pub(super) fn listed(texts: impl IntoIterator<Item = String>, limit: ListLimit) -> Vec<String> {
    let mut seen = HashSet::new();
    texts
        .into_iter()
        .filter(|text| !text.is_empty() && text.len() <= limit.bytes && seen.insert(text.clone()))
        .take(limit.entries)
        .collect()
}

/// A text without NUL characters.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// The time in a field, as RFC 3339 writes it.
pub(super) fn time(object: &Object<'_>, key: &str) -> Result<DateTime<Utc>, Rejection> {
    let text = object.text(key)?;
    let parsed = DateTime::parse_from_rfc3339(text).map_err(|error| {
        object.wrong_value(key, format_args!("is {}, not a time as RFC 3339 writes it: {error}", shown(text)))
    })?;
    // Through microseconds and back, a leap second too becomes a time that Postgres can give back.
    DateTime::from_timestamp_micros(parsed.timestamp_micros())
        .filter(|time| (1..=9999).contains(&time.year()))
        .ok_or_else(|| {
            object.wrong_value(key, format_args!("is {}, outside the years 1 to 9999", shown(text)))
        })
}

/// The text of a field that must say something and be no longer than `longest` bytes.
pub(super) fn name(object: &Object<'_>, key: &str, longest: usize) -> Result<String, Rejection> {
    let text = object.text(key)?;
    if text.trim().is_empty() {
        return Err(object.wrong_value(key, "is empty"));
    }
    within(object, key, text, longest)
}

/// The text of a field that may be absent and must be no longer than `longest` bytes.
pub(super) fn optional_name(
    object: &Object<'_>,
    key: &str,
    longest: usize,
) -> Result<Option<String>, Rejection> {
    object
        .optional_text(key)?
        .filter(|text| !text.is_empty())
        .map(|text| within(object, key, text, longest))
        .transpose()
}

/// The words of a post: they may be empty beside a picture.
pub(super) fn words(object: &Object<'_>, key: &str) -> Result<String, Rejection> {
    within(object, key, object.text(key)?, LONGEST_TEXT)
}

/// A language tag in lower case, or none if the text is no tag of BCP 47's shape.
pub(super) fn language(text: &str) -> Option<String> {
    let subtag = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    (text.len() <= LONGEST_LANGUAGE && text.split('-').all(subtag)).then(|| text.to_ascii_lowercase())
}

/// A foreign value, quoted and cut, for the detail of a rejection.
pub(super) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN).collect();
    if cut.len() < text.len() { format!("{cut:?}…") } else { format!("{cut:?}") }
}

fn within(object: &Object<'_>, key: &str, text: &str, longest: usize) -> Result<String, Rejection> {
    // U+FFFD is longer than NUL: what counts is what will be stored.
    let text = clean(text);
    if text.len() > longest {
        return Err(object
            .wrong_value(key, format_args!("is {} bytes long; at most {longest} are taken", text.len())));
    }
    Ok(text)
}
