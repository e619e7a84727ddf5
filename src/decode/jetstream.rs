//! Bluesky's Jetstream: one JSON event for each change of an account or of one of its records.
//!
//! Only a created `app.bsky.feed.post` is a post; every other event of a known kind is ignored
//! with its name. Kinds and operations that are unknown here are rejected, so that a change of
//! the protocol shows in the dead letters rather than in a silence; unknown collections are
//! ordinary, for anybody may define one.

use super::fields::Object;
use super::{Decoded, Ignored, bluesky, rules};
use crate::domain::{Post, PostKey, PostKind, Rejection};

const SOURCE: &str = "bluesky";
const POST: &str = "app.bsky.feed.post";

pub(super) fn decode(event: &Object<'_>) -> Result<Decoded, Rejection> {
    match event.text("kind")? {
        "commit" => commit(event, &event.object("commit")?),
        "account" => Ok(Decoded::Ignored(Ignored::Account)),
        "identity" => Ok(Decoded::Ignored(Ignored::Identity)),
        other => {
            let shown = rules::shown(other);
            Err(event.wrong_value("kind", format_args!("is {shown}; known are commit, account, identity")))
        }
    }
}

fn commit(event: &Object<'_>, commit: &Object<'_>) -> Result<Decoded, Rejection> {
    let collection = commit.text("collection")?;
    match commit.text("operation")? {
        "create" if collection == POST => post(event, commit).map(|post| Decoded::Post(Box::new(post))),
        "create" => Ok(Decoded::Ignored(created(collection))),
        "update" => Ok(Decoded::Ignored(Ignored::Update)),
        "delete" => Ok(Decoded::Ignored(Ignored::Deletion)),
        other => {
            let shown = rules::shown(other);
            Err(commit.wrong_value("operation", format_args!("is {shown}; known are create, update, delete")))
        }
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

fn post(event: &Object<'_>, commit: &Object<'_>) -> Result<Post, Rejection> {
    let did = identifier(event, "did", "a DID such as \"did:plc:abc\"", |did| did.starts_with("did:"))?;
    let rkey = identifier(commit, "rkey", "a record key", |_| true)?;
    let id = format!("at://{did}/{POST}/{rkey}");
    if id.len() > rules::LONGEST_ID {
        let longest = rules::LONGEST_ID;
        return Err(commit.wrong_value("rkey", format_args!("makes an id longer than {longest} bytes")));
    }

    let record = commit.object("record")?;
    let attached = bluesky::attached(&record, did)?;
    let facets = bluesky::facets(&record)?;
    let mut links = facets.links;
    links.extend(attached.link);
    let mut hashtags = facets.hashtags;
    hashtags.extend(record.texts("tags")?.into_iter().map(rules::clean));

    Ok(Post {
        key: PostKey { source: SOURCE.to_owned(), id, created_at: rules::time(&record, "createdAt")? },
        // A reply that quotes is a reply: it speaks to somebody, and the quote is its evidence.
        kind: if record.optional_object("reply")?.is_some() {
            PostKind::Reply
        } else if attached.quotes {
            PostKind::Quote
        } else {
            PostKind::Original
        },
        author: Some(did.to_owned()),
        text: rules::words(&record, "text")?,
        link: Some(format!("https://bsky.app/profile/{did}/post/{rkey}")),
        // Any client may claim anything here; what is no tag is no reason to lose the post.
        language: record.texts("langs")?.first().and_then(|tag| rules::language(tag)),
        reach: None,
        links: rules::listed(links, rules::LINKS),
        hashtags: rules::listed(hashtags, rules::HASHTAGS),
        pictures: rules::listed(attached.pictures, rules::PICTURES),
    })
}

/// An identifier that addresses are built from: it must not be able to change their path.
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
