//! What is new in a document: its items, each with a hash of what it says.

use std::borrow::Cow;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use encoding_rs::{Encoding, UTF_8};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use crate::decode::{FeedItems, read_feed};
use crate::domain::Rejection;
use crate::feeds::Document;
use crate::ingest::keys;

/// What a document says.
pub(super) struct Parsed {
    /// Its items, the oldest first.
    pub items: Vec<Item>,
    /// How long the feed asks to be left alone.
    pub ttl: Option<Duration>,
}

/// An item.
pub(super) struct Item {
    pub key: String,
    /// A hash of its id.
    pub id: String,
    /// A hash of what it says.
    pub version: String,
    pub created_at: Option<DateTime<Utc>>,
    post: Value,
}

impl Item {
    /// The post; as an edit of that time, where another version was written before. Many feeds keep the
    /// time of the first one.
    pub fn post(mut self, edited_at: Option<DateTime<Utc>>) -> Value {
        if let Some(at) = edited_at {
            self.post["edited_at"] = at.to_rfc3339_opts(SecondsFormat::Micros, true).into();
        }
        self.post
    }
}

/// Reads a document.
///
/// # Errors
/// It is no feed.
pub(super) fn read(document: &Document, url: &Url, now: DateTime<Utc>) -> Result<Parsed, Rejection> {
    let FeedItems { items, ttl } = read_feed(&in_utf8(document), url.as_str(), now)?;
    let mut items: Vec<Item> = items.into_iter().map(item).collect();
    items.sort_by_key(|item| item.created_at);
    Ok(Parsed { items, ttl })
}

fn item(post: Value) -> Item {
    let text = |field: &str| post[field].as_str().unwrap_or_default();
    Item {
        key: keys::of_post(text("source"), text("id")),
        id: short_hash(text("id")),
        version: short_hash(&format!("{}\n{}", text("text"), text("link"))),
        created_at: text("created_at").parse().ok(),
        post,
    }
}

/// The document in UTF-8, where HTTP says that it is in something else and it does not say so itself.
fn in_utf8(document: &Document) -> Cow<'_, [u8]> {
    let kind = document.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let charset = kind.split(';').find_map(|part| part.trim().strip_prefix("charset="));
    let encoding = charset.and_then(|name| Encoding::for_label(name.trim_matches('"').as_bytes()));
    let beginning = &document.bytes[..document.bytes.len().min(200)];
    let says_so = String::from_utf8_lossy(beginning).contains("encoding=");
    match encoding {
        Some(encoding) if encoding != UTF_8 && !says_so => {
            encoding.decode(&document.bytes).0.into_owned().into_bytes().into()
        }
        _ => document.bytes.as_slice().into(),
    }
}

fn short_hash(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..6])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::Validators;

    const ATOM: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title><author><name>Käthe</name></author>
<entry><id>2</id><title>Kuchen</title><published>2026-03-01T11:00:00Z</published></entry>
<entry><id>1</id><title>Kaffee</title><published>2026-03-01T10:00:00Z</published></entry></feed>"#;

    fn parsed(bytes: &[u8], content_type: &str) -> Result<Parsed, Rejection> {
        let document = Document {
            bytes: bytes.to_vec(),
            content_type: Some(content_type.to_owned()),
            newer: None,
            validators: Validators::default(),
        };
        read(&document, &Url::parse("https://news.example/feed.xml").unwrap(), Utc::now())
    }

    #[test]
    fn the_oldest_item_comes_first_and_another_text_is_another_version() {
        let first = parsed(ATOM.as_bytes(), "application/atom+xml").unwrap().items;
        let keys: Vec<&str> = first.iter().map(|item| item.key.as_str()).collect();
        assert_eq!(keys, ["rss:news.example/1", "rss:news.example/2"]);
        let edited = ATOM.replace("Kaffee", "Tee");
        let second = parsed(edited.as_bytes(), "application/atom+xml").unwrap().items;
        assert_eq!((&first[0].id, &first[1].version), (&second[0].id, &second[1].version));
        assert_ne!(first[0].version, second[0].version);
    }

    #[test]
    fn the_charset_of_http_counts_where_the_document_names_none() {
        let latin = encoding_rs::WINDOWS_1252.encode(ATOM).0.into_owned();
        let mut items = parsed(&latin, "text/xml; charset=\"ISO-8859-1\"").unwrap().items;
        assert_eq!(items.remove(0).post(None)["author"], "Käthe");
    }

    #[test]
    fn what_is_no_feed_is_said_to_be_none() {
        for bytes in ["", "<html><body>Hello</body></html>", "{}", "<rss version=\"2.0\"><channel><item>"] {
            let refused = parsed(bytes.as_bytes(), "text/html");
            assert!(refused.is_err_and(|refused| refused.detail.contains("no feed")), "{bytes}");
        }
    }
}
