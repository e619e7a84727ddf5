//! X: response pages of its API, version 2, and lines of its streams, which are pages of one post.
//!
//! Authors, media and quoted posts stand beside the posts, in `includes`. Each post of a page is
//! decoded by itself. An edited post has a new number; its first one is its identity.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::fields::Object;
use super::notes::Repair;
use super::{Decoded, Items, entities::unescape_html, rules};
use crate::domain::{Post, PostKey, PostKind, Rejection, RejectionReason};

const SOURCE: &str = "x";
/// What X writes where it knows no language.
const NO_LANGUAGE: [&str; 2] = ["und", "zxx"];

/// What a page tells beside its posts, by identifier.
struct Included<'a> {
    users: HashMap<&'a str, Object<'a>>,
    media: HashMap<&'a str, Object<'a>>,
    posts: HashMap<&'a str, Object<'a>>,
}

pub(super) fn decode(root: &Object<'_>, received_at: DateTime<Utc>) -> Items {
    let posts: Vec<Result<Object<'_>, Rejection>> = match root.present("data") {
        Some(Value::Array(_)) => root.each("data"),
        Some(_) => vec![root.object("data")],
        None if root.present("errors").is_some() => return Err(refused(root)),
        // A page without results.
        None if root.present("meta").is_some() => Vec::new(),
        None => return Err(root.missing("data")),
    };
    let includes = root.optional(Repair::Attachment, root.optional_object("includes"));
    let by = |list: &str, key: &str| {
        let objects = includes.iter().flat_map(|includes| includes.objects(list, Repair::Attachment));
        objects.filter_map(|object| Some((object.optional_text(key).ok()??, object))).collect()
    };
    let beside =
        Included { users: by("users", "id"), media: by("media", "media_key"), posts: by("tweets", "id") };
    Ok(posts
        .into_iter()
        .map(|post| decode_post(&post?, &beside, received_at).map(|post| Decoded::Post(Box::new(post))))
        .collect())
}

/// A page that has no posts but says why.
fn refused(root: &Object<'_>) -> Rejection {
    let errors = root.objects("errors", Repair::Attachment);
    let said = |error: &Object<'_>| {
        let field = |key| error.optional_text(key).ok().flatten();
        field("detail").or_else(|| field("message")).or_else(|| field("title")).map(rules::shown)
    };
    let said = errors.first().and_then(said).unwrap_or_else(|| "nothing more".to_owned());
    Rejection::new(RejectionReason::Shape, format!("`data` is missing, and `errors` says {said}"))
}

fn decode_post(
    post: &Object<'_>,
    included: &Included<'_>,
    received_at: DateTime<Utc>,
) -> Result<Post, Rejection> {
    let number = post.text("id")?;
    let history = post.texts("edit_history_tweet_ids", Repair::Reference);
    let first = history.first().copied().unwrap_or(number);
    let id = rules::id_of(post, "id", first)?;
    let created_at = rules::time(post, "created_at")?;

    let (kind, repeated) = relation(post, included);
    let said = repeated.unwrap_or(post);
    let long = said.optional(Repair::Attachment, said.optional_object("note_tweet"));
    let words = long
        .as_ref()
        .filter(|long| long.optional_text("text").is_ok_and(|text| text.is_some()))
        .unwrap_or(said);
    let text = rules::words_of(words, "text", &unescape_html(words.text("text")?))?;
    let entities = words.optional(Repair::Attachment, words.optional_object("entities"));
    let entities = entities.or_else(|| said.optional(Repair::Attachment, said.optional_object("entities")));
    let listed =
        |key: &'static str, part| entities.iter().flat_map(move |entities| entities.objects(key, part));
    let hashtags = listed("hashtags", Repair::Hashtag)
        .filter_map(|tag| tag.optional(Repair::Hashtag, tag.text("tag").map(|tag| Some(rules::clean(tag)))));

    let (mut pictures, mut alt_texts) = (Vec::new(), Vec::new());
    for media in attached(said, included) {
        let field = |key, part| media.optional(part, media.optional_text(key));
        let address = field("url", Repair::Picture).or_else(|| field("preview_image_url", Repair::Picture));
        pictures.extend(address.map(rules::clean));
        alt_texts.extend(field("alt_text", Repair::AltText));
    }
    let mut links = Vec::new();
    for url in listed("urls", Repair::Link) {
        let field = |key| url.optional(Repair::Link, url.optional_text(key));
        // Links to the post's own media are no links.
        if url.present("media_key").is_none()
            && let Some(link) =
                field("unwound_url").or_else(|| field("expanded_url")).or_else(|| field("url"))
        {
            links.push(rules::clean(link));
            let images = url.objects("images", Repair::Picture);
            let preview =
                images.first().and_then(|image| image.optional(Repair::Picture, image.optional_text("url")));
            pictures.extend(preview.map(rules::clean));
        }
    }

    let author_id = post.optional(Repair::Author, post.optional_text("author_id"));
    let user = author_id.and_then(|author| included.users.get(author));
    let name = user.and_then(|user| user.optional(Repair::Author, user.optional_text("username")));
    let languages = said.optional(Repair::Language, said.optional_text("lang")).filter(|tag| {
        // Codes from `qaa` to `qtz` are X's own, for posts of emoji, links or hashtags alone.
        !(NO_LANGUAGE.contains(tag) || tag.len() == 3 && tag.starts_with('q'))
    });
    Ok(Post {
        key: PostKey { source: SOURCE.to_owned(), id, created_at },
        version: created_at.min(received_at),
        is_edit: first != number,
        author_key: None,
        kind,
        author: name.or(author_id).filter(|name| name.len() <= rules::LONGEST_ID).map(rules::clean),
        text,
        link: Some(format!("https://x.com/{}/status/{number}", name.unwrap_or("i")))
            .filter(|link| link.len() <= rules::LONGEST_LINK),
        languages: if languages.is_some() { rules::languages(said, "lang") } else { Vec::new() },
        reach: reach(post, user),
        links: rules::listed(links, rules::LINKS),
        hashtags: rules::listed(hashtags, rules::HASHTAGS),
        pictures: rules::listed(pictures, rules::PICTURES),
        alt_texts: rules::alt_texts(alt_texts, rules::Markup::Escaped),
    })
}

/// How a post relates to others, and the post that it repeats, where the page has it: a repost's own
/// text is cut.
fn relation<'a, 'i>(post: &Object<'_>, included: &'i Included<'a>) -> (PostKind, Option<&'i Object<'a>>) {
    let (mut kind, mut repeated) = (PostKind::Original, None);
    for reference in post.objects("referenced_tweets", Repair::Reference) {
        let field = |key| reference.optional(Repair::Reference, reference.optional_text(key));
        match field("type") {
            Some("retweeted") => {
                kind = PostKind::Repost;
                repeated = field("id").and_then(|id| included.posts.get(id));
            }
            // A reply that also quotes counts as a reply, because it is addressed to somebody.
            Some("replied_to") => kind = PostKind::Reply,
            Some("quoted") if kind == PostKind::Original => kind = PostKind::Quote,
            _ => {}
        }
    }
    (kind, repeated)
}

fn attached<'a, 'i>(post: &Object<'a>, included: &'i Included<'a>) -> Vec<&'i Object<'a>> {
    let attachments = post.optional(Repair::Attachment, post.optional_object("attachments"));
    let keys =
        attachments.map(|attachments| attachments.texts("media_keys", Repair::Picture)).unwrap_or_default();
    keys.into_iter().filter_map(|key| included.media.get(key)).collect()
}

/// Followers of the author, else how often the post was shown.
fn reach(post: &Object<'_>, user: Option<&Object<'_>>) -> Option<u64> {
    let metric = |object: &Object<'_>, key: &str| {
        let metrics = object.optional(Repair::Reach, object.optional_object("public_metrics"))?;
        metrics.optional(Repair::Reach, metrics.optional_whole(key))
    };
    user.and_then(|user| metric(user, "followers_count")).or_else(|| metric(post, "impression_count"))
}
