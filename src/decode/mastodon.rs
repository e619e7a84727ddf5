//! Mastodon: statuses as its API returns them, and the messages of its streams.
//!
//! A message of a stream is an object with `event` and `payload`, which is a value or JSON in a text,
//! as on the websocket. Servers number posts each for themselves, and a deletion has nothing but such a
//! number. So an id is `SERVER/NUMBER`, and a message needs `server`, the host whose stream it is. A
//! status without it is known by its author's own server: an author without a domain is there, and of
//! anybody else the `uri` says it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::fields::Object;
use super::html::read_html;
use super::notes::{Notes, Repair};
use super::{Decoded, Ignored, json, rules};
use crate::domain::{Post, PostKey, PostKind, Rejection, RejectionReason, Removal, Removed};

const SOURCE: &str = "mastodon";

pub(super) fn decode(
    root: &Object<'_>,
    received_at: DateTime<Utc>,
    notes: &Notes,
) -> Result<Decoded, Rejection> {
    let Some(event) = root.optional_text("event")? else {
        let server = root.optional(Repair::Author, root.optional_text("server"));
        return status(root, server, false, received_at);
    };
    match event {
        "update" | "status.update" => {
            let server = server(root)?;
            let parsed;
            let payload = match root.present("payload") {
                Some(Value::String(text)) => {
                    parsed = json(text.as_bytes(), notes).map_err(|error| {
                        Rejection::new(error.reason, format!("`payload`: {}", error.detail))
                    })?;
                    Object::at("payload", &parsed, notes)?
                }
                _ => root.object("payload")?,
            };
            status(&payload, Some(server), event == "status.update", received_at)
        }
        "delete" => {
            let number = match root.present("payload") {
                Some(Value::Number(number)) => number.to_string(),
                _ => root.text("payload")?.to_owned(),
            };
            let id = rules::id_of(root, "payload", &format!("{}/{number}", server(root)?))?;
            let of = Removed::Post(id);
            Ok(Decoded::Removal(Removal { source: SOURCE.to_owned(), of, at: received_at }))
        }
        _ => Ok(Decoded::Ignored(Ignored::Other)),
    }
}

/// The host whose stream a message is from.
fn server<'a>(root: &Object<'a>) -> Result<&'a str, Rejection> {
    let server = root.optional_text("server")?.filter(|server| !server.is_empty());
    server.ok_or_else(|| {
        let detail = "`server` is missing: posts are numbered by server, so a stream's messages need the host \
            that they come from, such as \"mastodon.social\"";
        Rejection::new(RejectionReason::Shape, detail)
    })
}

fn status(
    status: &Object<'_>,
    server: Option<&str>,
    is_edit: bool,
    received_at: DateTime<Utc>,
) -> Result<Decoded, Rejection> {
    let account = status.optional(Repair::Author, status.optional_object("account"));
    let account_text = |key: &str| {
        account.as_ref().and_then(|account| account.optional(Repair::Author, account.optional_text(key)))
    };
    let id = rules::id_of(status, "id", &identity(status, server, account_text("acct"))?)?;
    let created_at = rules::time(status, "created_at")?;
    let edited_at = status.optional(Repair::Time, rules::optional_time(status, "edited_at"));
    let is_edit = is_edit || edited_at.is_some();
    let version = edited_at.unwrap_or(if is_edit { received_at } else { created_at });

    // A repost has the other post in it, and nothing of its own.
    let reblog = status.optional(Repair::Reference, status.optional_object("reblog"));
    let said = reblog.as_ref().unwrap_or(status);
    let content = read_html(said.text("content")?);
    let warning = said.optional(Repair::Attachment, said.optional_text("spoiler_text")).unwrap_or_default();
    let warning = read_html(warning).text;
    let text = if warning.is_empty() { content.text } else { format!("{warning}\n{}", content.text) };
    let attached = attached(said);
    let url = status.optional(Repair::Link, rules::optional_name(status, "url", rules::LONGEST_LINK));
    let link = url.or_else(|| {
        reblog.as_ref()?;
        status.optional(Repair::Link, rules::optional_name(status, "uri", rules::LONGEST_LINK))
    });
    let tags = said.objects("tags", Repair::Hashtag).into_iter().filter_map(|tag| {
        tag.optional(Repair::Hashtag, tag.text("name").map(|name| Some(rules::clean(name))))
    });
    let kind = if reblog.is_some() {
        PostKind::Repost
    } else if status.present("in_reply_to_id").is_some() {
        PostKind::Reply
    } else if status.present("quote").is_some() {
        PostKind::Quote
    } else {
        PostKind::Original
    };
    Ok(Decoded::Post(Box::new(Post {
        key: PostKey { source: SOURCE.to_owned(), id, created_at },
        version: version.min(received_at),
        is_edit,
        author_key: None,
        kind,
        author: account_text("acct").and_then(|acct| author(status, acct, account_text("url"))),
        text: rules::words_of(said, "content", &text)?,
        link,
        languages: rules::languages(said, "language"),
        reach: account
            .and_then(|account| account.optional(Repair::Reach, account.optional_whole("followers_count"))),
        links: rules::listed(content.links.iter().map(|link| rules::clean(link)), rules::LINKS),
        hashtags: rules::listed(tags, rules::HASHTAGS),
        pictures: rules::listed(attached.0, rules::PICTURES),
        alt_texts: rules::alt_texts(attached.1, rules::Markup::Escaped),
    })))
}

/// `SERVER/NUMBER`.
fn identity(status: &Object<'_>, server: Option<&str>, acct: Option<&str>) -> Result<String, Rejection> {
    let number = match status.present("id") {
        Some(Value::Number(number)) => number.to_string(),
        _ => status.text("id")?.to_owned(),
    };
    if let Some(server) = server.filter(|server| !server.is_empty()) {
        return Ok(format!("{server}/{number}"));
    }
    let uri = status.text("uri")?;
    let host = rules::host(uri)
        .ok_or_else(|| status.wrong_value("uri", format_args!("is {}, not an address", rules::shown(uri))))?;
    // The number is that of the server that was asked; of an author elsewhere it is not theirs.
    if acct.is_some_and(|acct| acct.contains('@')) {
        let own = uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        return Ok(format!("{host}/{own}"));
    }
    Ok(format!("{host}/{number}"))
}

/// `@name@server`, whichever server the status was read from.
fn author(status: &Object<'_>, acct: &str, url: Option<&str>) -> Option<String> {
    let name = match url.and_then(rules::host) {
        Some(host) if !acct.contains('@') => format!("@{acct}@{host}"),
        _ => format!("@{acct}"),
    };
    if acct.is_empty() || name.len() > rules::LONGEST_ID {
        status.note(Repair::Author);
        return None;
    }
    Some(rules::clean(&name))
}

/// The addresses of pictures, and what the author says that they show; of other media, their preview.
fn attached<'a>(status: &Object<'a>) -> (Vec<String>, Vec<&'a str>) {
    let (mut pictures, mut alt_texts) = (Vec::new(), Vec::new());
    for media in status.objects("media_attachments", Repair::Attachment) {
        let field =
            |key| media.optional(Repair::Picture, media.optional_text(key)).filter(|text| !text.is_empty());
        alt_texts.extend(media.optional(Repair::AltText, media.optional_text("description")));
        let address = match field("type") {
            Some("image") => field("url").or_else(|| field("remote_url")),
            Some("audio") => None,
            _ => field("preview_url"),
        };
        pictures.extend(address.map(rules::clean));
    }
    (pictures, alt_texts)
}
