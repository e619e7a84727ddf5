//! Links and hashtags in the text of a Bluesky post (facets), and its attachments (embeds).
//!
//! A facet or embed of an unknown type is ignored, because it may be newer than this program; what
//! can't be read of a known one is left out. The title and description of a link card are ignored,
//! because they are not the author's words; the descriptions of pictures and videos are.

use super::fields::Object;
use super::notes::Repair;
use super::rules;
use crate::domain::Rejection;

/// The links and hashtags in the facets of a post.
#[derive(Debug, Default)]
pub(super) struct Facets {
    /// Full addresses; the text may show them shortened.
    pub(super) links: Vec<String>,
    /// Hashtags without `#`.
    pub(super) hashtags: Vec<String>,
}

/// The attachments of a post.
#[derive(Debug, Default)]
pub(super) struct Attached<'a> {
    /// Whether another post is quoted. An embedded feed, list or starter pack is not a quote.
    pub(super) quotes: bool,
    /// The address of a link card.
    pub(super) link: Option<String>,
    /// The addresses of the pictures on Bluesky's content delivery network.
    pub(super) pictures: Vec<String>,
    /// What the author says that pictures and videos show.
    pub(super) alt_texts: Vec<&'a str>,
}

/// Reads `record.facets`.
pub(super) fn facets(record: &Object<'_>) -> Facets {
    let mut found = Facets::default();
    let features = record.objects("facets", Repair::Link).into_iter();
    for feature in features.flat_map(|facet| facet.objects("features", Repair::Link)) {
        match feature.optional(Repair::Link, feature.optional_text("$type")).unwrap_or_default() {
            "app.bsky.richtext.facet#link" => {
                found
                    .links
                    .extend(feature.optional(Repair::Link, feature.text("uri").map(Some)).map(rules::clean));
            }
            "app.bsky.richtext.facet#tag" => {
                let tag = feature.optional(Repair::Hashtag, feature.text("tag").map(Some));
                found.hashtags.extend(tag.map(|tag| rules::clean(tag.trim_start_matches('#'))));
            }
            _ => {}
        }
    }
    found
}

/// Reads `record.embed` of a post by the account `did`.
pub(super) fn attached<'a>(record: &Object<'a>, did: &str) -> Attached<'a> {
    let mut found = Attached::default();
    if let Some(embed) = record.optional(Repair::Attachment, record.optional_object("embed")) {
        let read = attach(&embed, did, &mut found);
        embed.optional(Repair::Attachment, read);
    }
    found
}

fn attach<'a>(embed: &Object<'a>, did: &str, found: &mut Attached<'a>) -> Result<(), Rejection> {
    match embed.text("$type")? {
        "app.bsky.embed.record" => found.quotes = is_post(&embed.object("record")?)?,
        "app.bsky.embed.recordWithMedia" => {
            let quoted = embed.object("record").and_then(|record| is_post(&record.object("record")?));
            found.quotes = embed.optional(Repair::Reference, quoted);
            let media = embed.object("media")?;
            attach_media(&media, media.text("$type")?, did, found)?;
        }
        other => attach_media(embed, other, did, found)?,
    }
    Ok(())
}

fn attach_media<'a>(
    embed: &Object<'a>,
    kind: &str,
    did: &str,
    found: &mut Attached<'a>,
) -> Result<(), Rejection> {
    match kind {
        "app.bsky.embed.images" => attach_images(&embed.objects("images", Repair::Picture), did, found),
        "app.bsky.embed.gallery" => attach_images(&embed.objects("items", Repair::Picture), did, found),
        "app.bsky.embed.external" => {
            let card = embed.object("external")?;
            let thumb = card.optional_object("thumb").and_then(|thumb| thumb.as_ref().map(blob).transpose());
            let thumb = card.optional(Repair::Picture, thumb);
            found.pictures.extend(thumb.map(|cid| picture("feed_thumbnail", did, cid)));
            found.link = Some(rules::clean(card.text("uri")?));
        }
        "app.bsky.embed.video" => {
            found.alt_texts.extend(embed.optional(Repair::AltText, embed.optional_text("alt")));
            // The record has only the video; its thumbnail has a separate address.
            let cid = blob(&embed.object("video")?)?;
            let account = did.replace(':', "%3A");
            found.pictures.push(format!("https://video.bsky.app/watch/{account}/{cid}/thumbnail.jpg"));
        }
        _ => {}
    }
    Ok(())
}

fn attach_images<'a>(images: &[Object<'a>], did: &str, found: &mut Attached<'a>) {
    for image in images {
        let cid = image.object("image").and_then(|image| blob(&image).map(Some));
        let cid = image.optional(Repair::Picture, cid);
        found.pictures.extend(cid.map(|cid| picture("feed_fullsize", did, cid)));
        found.alt_texts.extend(image.optional(Repair::AltText, image.optional_text("alt")));
    }
}

fn is_post(reference: &Object<'_>) -> Result<bool, Rejection> {
    Ok(reference.text("uri")?.contains("/app.bsky.feed.post/"))
}

/// The content identifier of a blob, in the current format or the one used before 2023.
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
