//! Rules for the fields of a post, enforced by the decoders of all formats.
//!
//! - Times are in the years 1 to 9999 UTC and are truncated to microseconds, the resolution of
//!   Postgres. Finer times would change when stored, and with them the identity of the post.
//! - NUL characters, which Postgres refuses, are replaced by U+FFFD.
//! - Identifiers and texts have a limit, because they must fit an index entry or a message.
//! - Links, hashtags and pictures beyond a limit are dropped and the post is kept. One record with
//!   100,000 hashtags must not delay the records behind it.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::entities::unescape_html;
use super::fields::Object;
use super::notes::Repair;
use super::times;
use crate::domain::Rejection;

/// The longest post identifier or account name in bytes of UTF-8.
pub(super) const LONGEST_ID: usize = 512;
/// The longest source name in bytes of UTF-8. Every roll-up row stores it.
pub(super) const LONGEST_SOURCE: usize = 64;
/// The longest text in bytes of UTF-8, 64 KiB.
pub(super) const LONGEST_TEXT: usize = 64 * 1024;
/// The longest language tag in bytes; RFC 5646 asks implementations for at least 35.
pub(super) const LONGEST_LANGUAGE: usize = 35;
/// The longest description of a picture in bytes of UTF-8; networks take 10,000 characters at most.
const LONGEST_ALT_TEXT: usize = 16 * 1024;
/// The longest address in bytes of UTF-8.
pub(super) const LONGEST_LINK: usize = 2048;
/// How many characters of an input value a rejection quotes.
const SHOWN: usize = 64;

/// Limits of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListLimit {
    /// How many entries are kept, from the first on.
    pub(super) entries: usize,
    /// The longest entry in bytes of UTF-8; longer ones are dropped.
    pub(super) bytes: usize,
}

/// Addresses that a post links to.
pub(super) const LINKS: ListLimit = ListLimit { entries: 64, bytes: LONGEST_LINK };
/// Hashtags that a post lists.
pub(super) const HASHTAGS: ListLimit = ListLimit { entries: 64, bytes: 256 };
/// Languages that a post claims.
const LANGUAGES: ListLimit = ListLimit { entries: 8, bytes: LONGEST_LANGUAGE };
/// Addresses of a post's pictures.
pub(super) const PICTURES: ListLimit = ListLimit { entries: 16, bytes: LONGEST_LINK };

/// The distinct entries of a list that are neither empty nor too long, up to the limit.
pub(super) fn listed(texts: impl IntoIterator<Item = String>, limit: ListLimit) -> Vec<String> {
    let mut seen = HashSet::new();
    texts
        .into_iter()
        .filter(|text| !text.is_empty() && text.len() <= limit.bytes && seen.insert(text.clone()))
        .take(limit.entries)
        .collect()
}

/// A text with NUL characters replaced by U+FFFD.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// The time in a required field, as RFC 3339 writes it and a little beyond (`times`).
pub(super) fn time(object: &Object<'_>, key: &str) -> Result<DateTime<Utc>, Rejection> {
    parsed_time(object, key, object.text(key)?)
}

/// The time in an optional field.
pub(super) fn optional_time(object: &Object<'_>, key: &str) -> Result<Option<DateTime<Utc>>, Rejection> {
    object
        .optional_text(key)?
        .filter(|text| !text.is_empty())
        .map(|text| parsed_time(object, key, text))
        .transpose()
}

fn parsed_time(object: &Object<'_>, key: &str, text: &str) -> Result<DateTime<Utc>, Rejection> {
    let time = times::read(text)
        .map_err(|problem| object.wrong_value(key, format_args!("is {}, {problem}", shown(text))))?;
    if !time.has_zone {
        object.note(Repair::Zone);
    }
    Ok(time.at)
}

/// A required string that is not blank and has at most `longest` bytes.
pub(super) fn name(object: &Object<'_>, key: &str, longest: usize) -> Result<String, Rejection> {
    let text = object.text(key)?;
    if text.trim().is_empty() {
        return Err(object.wrong_value(key, "is empty"));
    }
    within(object, key, text, longest)
}

/// An optional string of at most `longest` bytes. An empty one counts as absent.
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

/// How words are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    /// With references such as `&amp;`, which are decoded.
    Escaped,
    /// As they are read.
    Plain,
}

impl Markup {
    fn read(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Escaped => unescape_html(text),
            Self::Plain => Cow::Borrowed(text),
        }
    }
}

/// The text of a post. It may be empty, as in a post that is only a picture.
pub(super) fn words(object: &Object<'_>, key: &str, markup: Markup) -> Result<String, Rejection> {
    words_of(object, key, &markup.read(object.text(key)?))
}

/// A post's text that was made from a field.
pub(super) fn words_of(object: &Object<'_>, key: &str, text: &str) -> Result<String, Rejection> {
    within(object, key, text, LONGEST_TEXT)
}

/// An identifier that was made from a field.
pub(super) fn id_of(object: &Object<'_>, key: &str, id: &str) -> Result<String, Rejection> {
    if id.trim().is_empty() {
        return Err(object.wrong_value(key, "is empty"));
    }
    within(object, key, id, LONGEST_ID)
}

/// What the author says that pictures show.
pub(super) fn alt_texts<'a>(texts: impl IntoIterator<Item = &'a str>, markup: Markup) -> Vec<String> {
    let clean = |text: &str| clean(markup.read(text).trim());
    let fits = |text: &String| !text.is_empty() && text.len() <= LONGEST_ALT_TEXT;
    texts.into_iter().map(clean).filter(fits).take(PICTURES.entries).collect()
}

/// A language tag in lower case, or `None` if the text does not have the shape of a BCP 47 tag.
pub(super) fn language(text: &str) -> Option<String> {
    let subtag = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    (text.len() <= LONGEST_LANGUAGE && text.split('-').all(subtag)).then(|| text.to_ascii_lowercase())
}

/// The valid tags among those in a field, in lower case, each once. Clients may write anything there.
pub(super) fn languages(object: &Object<'_>, key: &str) -> Vec<String> {
    let valid = |tag: &str| {
        let language = language(tag);
        if language.is_none() && !tag.is_empty() {
            object.note(Repair::Language);
        }
        language
    };
    listed(object.texts(key, Repair::Language).into_iter().filter_map(valid), LANGUAGES)
}

/// The host of an address.
pub(super) fn host(address: &str) -> Option<&str> {
    let (_, behind) = address.split_once("://")?;
    behind.split(['/', '?', '#']).next().filter(|host| !host.is_empty())
}

/// An input value, quoted and truncated, for the detail of a rejection.
pub(super) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN).collect();
    if cut.len() < text.len() { format!("{cut:?}…") } else { format!("{cut:?}") }
}

fn within(object: &Object<'_>, key: &str, text: &str, longest: usize) -> Result<String, Rejection> {
    // U+FFFD is longer than NUL, so the limit applies after the replacement.
    let text = clean(text);
    if text.len() > longest {
        return Err(object
            .wrong_value(key, format_args!("is {} bytes long; at most {longest} are taken", text.len())));
    }
    Ok(text)
}
