//! What hangs on a Bluesky post: links and tags inside its text (facets), and what is attached
//! below it (embeds).
//!
//! A facet or an embed of an unknown type is passed over, for it may be newer than this program;
//! a known one that lacks what its lexicon requires is a rejection. The title and description of
//! a link's card are not the author's words and stay out of everything.

use super::fields::Object;
use super::rules;
use crate::domain::Rejection;

/// What facets say about the text.
#[derive(Debug, Default)]
pub(super) struct Facets {
    /// Full addresses; the text may show them shortened.
    pub(super) links: Vec<String>,
    /// Tags without `#`.
    pub(super) hashtags: Vec<String>,
}

/// What is attached to a post.
#[derive(Debug, Default)]
pub(super) struct Attached {
    /// Whether another post is quoted. A feed, a list or a starter pack that is shown is no quote.
    pub(super) quotes: bool,
    /// The address that a card leads to.
    pub(super) link: Option<String>,
    /// Where Bluesky's content delivery network has the pictures.
    pub(super) pictures: Vec<String>,
}

/// Reads `record.facets`.
pub(super) fn facets(record: &Object<'_>) -> Result<Facets, Rejection> {
    let mut found = Facets::default();
    for facet in record.objects("facets")? {
        for feature in facet.objects("features")? {
            match feature.text("$type")? {
                "app.bsky.richtext.facet#link" => found.links.push(rules::clean(feature.text("uri")?)),
                "app.bsky.richtext.facet#tag" => {
                    found.hashtags.push(rules::clean(feature.text("tag")?.trim_start_matches('#')));
                }
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Reads `record.embed` of a post by the account `did`.
pub(super) fn attached(record: &Object<'_>, did: &str) -> Result<Attached, Rejection> {
    let mut found = Attached::default();
    let Some(embed) = record.optional_object("embed")? else { return Ok(found) };
    match embed.text("$type")? {
        "app.bsky.embed.record" => found.quotes = is_post(&embed.object("record")?)?,
        "app.bsky.embed.recordWithMedia" => {
            found.quotes = is_post(&embed.object("record")?.object("record")?)?;
            media(&embed.object("media")?, did, &mut found)?;
        }
        _ => media(&embed, did, &mut found)?,
    }
    Ok(found)
}

fn media(embed: &Object<'_>, did: &str, found: &mut Attached) -> Result<(), Rejection> {
    match embed.text("$type")? {
        "app.bsky.embed.images" => {
            for image in embed.objects("images")? {
                let cid = blob(&image.object("image")?)?;
                found.pictures.push(picture("feed_fullsize", did, cid));
            }
        }
        "app.bsky.embed.external" => {
            let card = embed.object("external")?;
            found.link = Some(rules::clean(card.text("uri")?));
            if let Some(thumb) = card.optional_object("thumb")? {
                found.pictures.push(picture("feed_thumbnail", did, blob(&thumb)?));
            }
        }
        "app.bsky.embed.video" => {
            // The record holds the video alone; its still picture has an address of its own.
            let cid = blob(&embed.object("video")?)?;
            let account = did.replace(':', "%3A");
            found.pictures.push(format!("https://video.bsky.app/watch/{account}/{cid}/thumbnail.jpg"));
        }
        _ => {}
    }
    Ok(())
}

fn is_post(reference: &Object<'_>) -> Result<bool, Rejection> {
    Ok(reference.text("uri")?.contains("/app.bsky.feed.post/"))
}

/// The content identifier of a blob, today's shape or the one of before 2023.
fn blob<'a>(blob: &Object<'a>) -> Result<&'a str, Rejection> {
    if let Some(old) = blob.optional_text("cid")? {
        return content_id(blob, "cid", old);
    }
    let reference = blob.object("ref")?;
    content_id(&reference, "$link", reference.text("$link")?)
}

fn content_id<'a>(object: &Object<'_>, key: &str, cid: &'a str) -> Result<&'a str, Rejection> {
    if !cid.is_empty() && cid.len() <= 128 && cid.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Ok(cid)
    } else {
        Err(object.wrong_value(key, format_args!("is {}, not a content identifier", rules::shown(cid))))
    }
}

fn picture(size: &str, did: &str, cid: &str) -> String {
    format!("https://cdn.bsky.app/img/{size}/plain/{did}/{cid}@jpeg")
}
