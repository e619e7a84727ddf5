//! RSS, Atom and JSON Feed: a document is a record, and each of its items a post.
//!
//! An item is made into an object of the native format, so that the same rules hold. Its title and its
//! words are one text.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use feed_rs::model::{Entry, Feed, Link, Text};
use feed_rs::parser;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::fields::Object;
use super::html::{Html, read_html};
use super::notes::{Notes, Repair};
use super::{Decoded, Items, native, rules};
use crate::domain::{Rejection, RejectionReason};

const SOURCE: &str = "rss";

/// A feed's items as objects of the native format.
pub struct FeedItems {
    /// In the order of the feed.
    pub items: Vec<Value>,
    /// How long the feed asks to be left alone.
    pub ttl: Option<Duration>,
}

/// Reads a feed that was fetched from `address`, whose host goes into the ids of items that have no id
/// of their own network-wide, where the feed names no host itself. An item without a time has
/// `received_at` as its own.
///
/// # Errors
/// It is no feed.
pub fn read_feed(document: &[u8], address: &str, received_at: DateTime<Utc>) -> Result<FeedItems, Rejection> {
    let feed = parse(document)?;
    let notes = Notes::default();
    let items = feed.entries.iter().map(|entry| to_native(&feed, entry, address, received_at, &notes));
    let ttl = feed.ttl.map(|minutes| Duration::from_secs(u64::from(minutes) * 60));
    Ok(FeedItems { items: items.collect(), ttl })
}

fn parse(document: &[u8]) -> Result<Feed, Rejection> {
    let parser = parser::Builder::new().sanitize_content(false).id_generator(|links, _, _| link(links));
    parser
        .build()
        .parse(document)
        .map_err(|error| Rejection::new(RejectionReason::Syntax, format!("it is no feed: {error}")))
}

pub(super) fn decode(payload: &[u8], received_at: DateTime<Utc>, notes: &Notes) -> Items {
    let feed = parse(payload)?;
    let decode = |(index, entry): (usize, &Entry)| {
        let value = to_native(&feed, entry, "", received_at, notes);
        let object = Object::at(&format!("item[{index}]"), &value, notes)?;
        native::post(&object, received_at, rules::Markup::Plain).map(|post| Decoded::Post(Box::new(post)))
    };
    Ok(feed.entries.iter().enumerate().map(decode).collect())
}

fn to_native(feed: &Feed, entry: &Entry, address: &str, received_at: DateTime<Utc>, notes: &Notes) -> Value {
    let content = entry.content.as_ref().and_then(|content| {
        Some(words(content.body.as_deref()?, &content.content_type.essence().to_string()))
    });
    let body = content.or_else(|| entry.summary.as_ref().map(text)).unwrap_or_default();
    let title = entry.title.as_ref().map(text).unwrap_or_default().text;
    let text = match (title.is_empty(), body.text.is_empty()) {
        (false, false) if !body.text.starts_with(&title) => format!("{title}\n{}", body.text),
        (false, true) => title,
        _ => body.text,
    };
    let created_at = entry.published.or(entry.updated).unwrap_or_else(|| {
        // RSS asks for no time. A post needs one, and this item is not newer.
        notes.note(Repair::Time);
        received_at
    });
    let edited_at = entry.updated.filter(|updated| entry.published.is_some_and(|at| *updated > at));
    let written = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
    let (mut pictures, alt_texts) = pictures(entry);
    pictures.extend(body.pictures);
    let pictures = pictures.into_iter().map(|url| json!({ "url": url }));
    let alt_texts = alt_texts.into_iter().chain(body.alt_texts).map(|alt| json!({ "alt": alt }));
    let author = entry.authors.iter().chain(&feed.authors).find_map(|person| person.name.clone());
    json!({
        "source": SOURCE,
        "id": identity(feed, entry, address),
        "created_at": written(created_at),
        "edited_at": edited_at.map(written),
        "text": text,
        "author": author,
        "link": link(&entry.links),
        "language": entry.language.as_ref().or(feed.language.as_ref()),
        "links": body.links,
        "pictures": pictures.chain(alt_texts).collect::<Vec<_>>(),
    })
}

/// The item's id, with the feed's host where it may be unique in its feed alone. A long one is hashed.
fn identity(feed: &Feed, entry: &Entry, address: &str) -> String {
    let id = entry.id.trim();
    let is_global = id.is_empty() || id.contains("://") || id.starts_with("urn:") || id.starts_with("tag:");
    let home = link(&feed.links);
    let id = match rules::host(&home).or_else(|| rules::host(address)) {
        Some(host) if !is_global => format!("{host}/{id}"),
        _ => id.to_owned(),
    };
    if id.len() <= rules::LONGEST_ID { id } else { format!("sha256:{}", hex::encode(Sha256::digest(id))) }
}

/// Where an item or a feed can be read.
fn link(links: &[Link]) -> String {
    let found = links.iter().find(|link| link.rel.as_deref().is_none_or(|rel| rel == "alternate"));
    found.map(|link| link.href.clone()).unwrap_or_default()
}

/// The addresses of an item's own pictures, and what is said that they show.
fn pictures(entry: &Entry) -> (Vec<String>, Vec<String>) {
    let (mut pictures, mut alt_texts) = (Vec::new(), Vec::new());
    for media in &entry.media {
        let before = pictures.len();
        for content in &media.content {
            let is_picture = content.content_type.as_ref().is_some_and(|kind| kind.ty().as_str() == "image");
            pictures.extend(content.url.as_ref().filter(|_| is_picture).map(ToString::to_string));
        }
        pictures.extend(media.thumbnails.iter().map(|thumbnail| thumbnail.image.uri.clone()));
        if pictures.len() > before {
            alt_texts.extend(media.description.as_ref().map(|said| text(said).text));
        }
    }
    let is_picture = |link: &&Link| {
        link.rel.as_deref() == Some("enclosure")
            && link.media_type.as_deref().is_some_and(|kind| kind.starts_with("image/"))
    };
    pictures.extend(entry.links.iter().filter(is_picture).map(|link| link.href.clone()));
    (pictures, alt_texts)
}

fn text(text: &Text) -> Html {
    words(&text.content, &text.content_type.essence().to_string())
}

fn words(written: &str, kind: &str) -> Html {
    // RSS says nothing of its kinds, and writes HTML also where it is taken for plain text.
    if kind == "text/plain" && !written.contains(['<', '&']) {
        return Html { text: written.trim().to_owned(), ..Html::default() };
    }
    read_html(written)
}
