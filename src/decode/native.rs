//! The native format: one JSON object a post, described by `docs/schemas/post.schema.json`.
//!
//! Fields that it does not name are passed over, so that a producer may add its own. An optional
//! field that is `null` or an empty text counts as absent.

use super::fields::Object;
use super::rules::{self, HASHTAGS, LINKS, LONGEST_ID, LONGEST_LINK, LONGEST_SOURCE, ListLimit, PICTURES};
use crate::domain::{Post, PostKey, PostKind, Rejection};

pub(super) fn decode(root: &Object<'_>) -> Result<Post, Rejection> {
    let listed = |key, limit: ListLimit| -> Result<Vec<String>, Rejection> {
        Ok(rules::listed(root.texts(key)?.into_iter().map(rules::clean), limit))
    };
    let hashtags = root.texts("hashtags")?.into_iter().map(|tag| rules::clean(tag.trim_start_matches('#')));
    Ok(Post {
        key: PostKey {
            source: rules::name(root, "source", LONGEST_SOURCE)?,
            id: rules::name(root, "id", LONGEST_ID)?,
            created_at: rules::time(root, "created_at")?,
        },
        kind: kind(root)?,
        author: rules::optional_name(root, "author", LONGEST_ID)?,
        text: rules::words(root, "text")?,
        link: rules::optional_name(root, "link", LONGEST_LINK)?,
        language: language(root)?,
        reach: root.optional_whole("reach")?,
        links: listed("links", LINKS)?,
        hashtags: rules::listed(hashtags, HASHTAGS),
        pictures: listed("pictures", PICTURES)?,
    })
}

fn kind(root: &Object<'_>) -> Result<PostKind, Rejection> {
    let Some(text) = root.optional_text("kind")? else { return Ok(PostKind::Original) };
    PostKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
        let known = PostKind::ALL.map(PostKind::as_str).join(", ");
        root.wrong_value("kind", format_args!("is {}; the kinds are {known}", rules::shown(text)))
    })
}

fn language(root: &Object<'_>) -> Result<Option<String>, Rejection> {
    let Some(text) = root.optional_text("language")?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let tag = rules::language(text).ok_or_else(|| {
        root.wrong_value(
            "language",
            format_args!("is {}, not a language tag such as \"en\"", rules::shown(text)),
        )
    })?;
    Ok(Some(tag))
}
