//! What an operator with a value, such as `site:`, means to us; and the values that both tools share.

use crate::domain::{Language, Place, PostKind, Property};

/// The operators of a tool, by their names in lower case.
pub(super) type Operators = &'static [(&'static str, Meaning)];

/// What the words or values of an operator are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    /// Words, looked for there.
    In(Place),
    /// Words, looked for there, which is more than the operator looks at; and why.
    Around(Place, &'static str),
    /// Words in this case and with these signs.
    AsWritten,
    /// A value that says a property of the post.
    Property(fn(&str) -> Value),
    /// Nothing that we have; and why.
    Missing(&'static str),
}

/// What a value says.
#[derive(Debug)]
pub(super) enum Value {
    Same(Property),
    /// Less than it says there; and why.
    Wider(Property, &'static str),
    Missing(String),
}

/// Hosts that are networks, with the names under which our decoders and feeds bring them.
const NETWORKS: [(&str, &str); 12] = [
    ("twitter.com", "x"),
    ("x.com", "x"),
    ("bsky.app", "bluesky"),
    ("facebook.com", "facebook"),
    ("instagram.com", "instagram"),
    ("linkedin.com", "linkedin"),
    ("pinterest.com", "pinterest"),
    ("reddit.com", "reddit"),
    ("threads.net", "threads"),
    ("tiktok.com", "tiktok"),
    ("tumblr.com", "tumblr"),
    ("youtube.com", "youtube"),
];

/// The host and the rest of an address without scheme and `www.`.
fn address(value: &str) -> (String, String) {
    let bare = value.split_once("://").map_or(value, |(_, rest)| rest).trim().trim_end_matches(['/', '*']);
    let bare = bare.strip_prefix("www.").unwrap_or(bare);
    let (host, path) = bare.split_at(bare.find('/').unwrap_or(bare.len()));
    (host.to_lowercase(), path.to_owned())
}

/// Where the post itself stands.
pub(super) fn posted_on(value: &str) -> Value {
    let (host, path) = address(value);
    match NETWORKS.iter().find(|(name, _)| *name == host) {
        Some((_, source)) if path.is_empty() => Value::Same(Property::Source((*source).to_owned())),
        Some((_, source)) => Value::Wider(
            Property::Source((*source).to_owned()),
            "a part of a network can't be told apart, so all of it was taken",
        ),
        None => Value::Missing(
            "it is about where a post stands; write source: with the name that your feed gives to these posts \
             (site: and link: are about what a post links to)"
                .to_owned(),
        ),
    }
}

/// What the post links to.
pub(super) fn links_to(value: &str) -> Value {
    let (host, path) = address(value);
    if host.contains(['*', '?']) || path.contains(['*', '?']) {
        return Value::Missing("addresses have no wildcards; write the beginning that they share".to_owned());
    }
    Value::Same(if path.is_empty() {
        Property::Site(host)
    } else {
        Property::Link(host + &path.to_lowercase())
    })
}

pub(super) fn author(value: &str) -> Value {
    let name = value.trim().trim_start_matches('@').to_lowercase();
    if name.contains(char::is_whitespace) {
        return Value::Missing(
            "authors are known by the names of their accounts, which have no spaces".to_owned(),
        );
    }
    if name.contains(['*', '?']) {
        return Value::Missing("author: takes whole names; write each with OR".to_owned());
    }
    Value::Same(Property::Author(name))
}

pub(super) fn author_elsewhere(value: &str) -> Value {
    match author(value) {
        Value::Same(property) => Value::Wider(property, "an author of this name is found on every network"),
        other => other,
    }
}

pub(super) fn language(value: &str) -> Value {
    match value.parse::<Language>() {
        Ok(language) => Value::Same(Property::Language(language)),
        Err(error) => Value::Missing(error.to_string()),
    }
}

pub(super) fn kind(kind: PostKind) -> Value {
    Value::Same(Property::Kind(kind))
}
