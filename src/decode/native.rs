//! The native format: one JSON object per post, edit or removal, described by
//! `docs/schemas/post.schema.json`.
//!
//! `event` says which: `post` where it is absent, `delete` for a post that was deleted, or
//! `delete_account` for an account and all its posts. A post with `edited_at` replaces an earlier
//! version.
//!
//! Unknown fields are ignored, so that producers may add their own. An optional field that is
//! `null` counts as absent, and so does an empty string. One that can't be read is left out.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Decoded;
use super::fields::Object;
use super::notes::Repair;
use super::rules::{self, HASHTAGS, LINKS, LONGEST_ID, LONGEST_LINK, LONGEST_SOURCE, Markup, PICTURES};
use crate::domain::{Post, PostKey, PostKind, Rejection, Removal, Removed};

pub(super) fn decode(root: &Object<'_>, received_at: DateTime<Utc>) -> Result<Decoded, Rejection> {
    let of = match root.optional_text("event")?.unwrap_or("post") {
        "post" => return post(root, received_at, Markup::Escaped).map(|post| Decoded::Post(Box::new(post))),
        "delete" => Removed::Post(rules::name(root, "id", LONGEST_ID)?),
        "delete_account" => Removed::Account(rules::name(root, "author", LONGEST_ID)?),
        other => {
            let shown = rules::shown(other);
            return Err(
                root.wrong_value("event", format_args!("is {shown}; known are post, delete, delete_account"))
            );
        }
    };
    let source = rules::name(root, "source", LONGEST_SOURCE)?;
    let at = root.optional(Repair::Time, rules::optional_time(root, "deleted_at")).unwrap_or(received_at);
    Ok(Decoded::Removal(Removal { source, of, at }))
}

/// Reads a post or an edit.
pub(super) fn post(root: &Object<'_>, received_at: DateTime<Utc>, markup: Markup) -> Result<Post, Rejection> {
    let cleaned = |key, part| root.texts(key, part).into_iter().map(rules::clean);
    let hashtags = root.texts("hashtags", Repair::Hashtag).into_iter();
    let key = PostKey {
        source: rules::name(root, "source", LONGEST_SOURCE)?,
        id: rules::name(root, "id", LONGEST_ID)?,
        created_at: rules::time(root, "created_at")?,
    };
    let is_edit = root.present("edited_at").is_some();
    let edited_at = root.optional(Repair::Time, rules::optional_time(root, "edited_at"));
    let version = edited_at.unwrap_or(if is_edit { received_at } else { key.created_at });
    let (pictures, alt_texts) = pictures(root);
    Ok(Post {
        // A client may claim a time to come. No version is newer than its arrival.
        version: version.min(received_at),
        is_edit,
        author_key: None,
        key,
        kind: root.optional(Repair::Kind, kind(root)).unwrap_or(PostKind::Original),
        author: root.optional(Repair::Author, rules::optional_name(root, "author", LONGEST_ID)),
        text: rules::words(root, "text", markup)?,
        link: root.optional(Repair::Link, rules::optional_name(root, "link", LONGEST_LINK)),
        languages: rules::languages(root, "language"),
        reach: root.optional(Repair::Reach, root.optional_whole("reach")),
        links: rules::listed(cleaned("links", Repair::Link), LINKS),
        hashtags: rules::listed(hashtags.map(|tag| rules::clean(tag.trim_start_matches('#'))), HASHTAGS),
        pictures: rules::listed(pictures, PICTURES),
        alt_texts: rules::alt_texts(alt_texts, markup),
    })
}

/// The addresses of the pictures, and what the author says that they show. A picture is an address,
/// or an object with `url` and `alt`.
fn pictures<'a>(root: &Object<'a>) -> (Vec<String>, Vec<&'a str>) {
    let (mut urls, mut alt_texts) = (Vec::new(), Vec::new());
    if let Some(Value::String(url)) = root.present("pictures") {
        return (vec![rules::clean(url)], alt_texts);
    }
    for item in root.items("pictures", Repair::Picture) {
        let field = |key: &str, part| match item.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.as_str()),
            Some(_) => {
                root.note(part);
                None
            }
        };
        let (url, alt) =
            (item.as_str().or_else(|| field("url", Repair::Picture)), field("alt", Repair::AltText));
        if url.is_none() && alt.is_none() {
            root.note(Repair::Picture);
        }
        urls.extend(url.map(rules::clean));
        alt_texts.extend(alt);
    }
    (urls, alt_texts)
}

fn kind(root: &Object<'_>) -> Result<Option<PostKind>, Rejection> {
    let Some(text) = root.optional_text("kind")?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let known = PostKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    known.map(Some).ok_or_else(|| root.wrong_value("kind", format_args!("is {}", rules::shown(text))))
}
