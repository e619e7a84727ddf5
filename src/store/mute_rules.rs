//! Which mute hides a mention.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};

use crate::domain::{Brand, BrandId, Mute, MuteOf, Post};
use crate::matching::Matcher;

/// The mutes of some generation, to be read anew when there is another one.
pub(super) type KnownMutes = Mutex<Option<(i64, Arc<Mutes>)>>;

/// The mutes in force. Phrases and hosts are found as the words and hosts of brands are, in every
/// spelling.
pub(super) struct Mutes {
    mutes: BTreeMap<i64, Mute>,
    matcher: Matcher,
}

impl Mutes {
    pub(super) fn new(mutes: impl IntoIterator<Item = Mute>) -> Self {
        let mutes: BTreeMap<i64, Mute> = mutes.into_iter().map(|mute| (mute.id, mute)).collect();
        let terms: Vec<Brand> = mutes.values().filter_map(terms).collect();
        Self { matcher: Matcher::new(&terms), mutes }
    }

    /// The mutes that a post falls under, the earliest first.
    pub(super) fn of_post(&self, post: &Post) -> Vec<&Mute> {
        if self.mutes.is_empty() {
            return Vec::new();
        }
        let found = self.matcher.find(post, &|_| None);
        let named: BTreeSet<i64> =
            found.iter().filter_map(|found| found.brand.as_str().parse().ok()).collect();
        let source = &post.key.source;
        let is_under = |mute: &&Mute| match &mute.of {
            MuteOf::Author { source: network, keys } => {
                network == source && post.author_key.is_some_and(|key| keys.contains(&key))
            }
            MuteOf::Source(network) => network == source,
            MuteOf::Host(_) | MuteOf::Phrase(_) => named.contains(&mute.id),
        };
        self.mutes.values().filter(is_under).collect()
    }
}

/// Of the mutes that a post falls under the one that hides its mention of a brand.
pub(super) fn hiding(of_post: &[&Mute], brand: &str, created_at: DateTime<Utc>) -> Option<i64> {
    let hides = |mute: &&&Mute| {
        mute.brand.as_ref().is_none_or(|only| only.as_str() == brand)
            && mute.since.is_none_or(|since| since <= created_at)
    };
    of_post.iter().find(hides).map(|mute| mute.id)
}

/// A mute's phrase or host, under its number, as something that the matcher finds.
fn terms(mute: &Mute) -> Option<Brand> {
    let id: BrandId = mute.id.to_string().parse().ok()?;
    let mut brand = Brand::new(id);
    match &mute.of {
        MuteOf::Host(host) => brand.hosts.push(host.clone()),
        MuteOf::Phrase(phrase) => match phrase.chars().next() {
            Some('#') => brand.hashtags.push(phrase[1..].to_owned()),
            Some('@') => brand.handles.push(phrase[1..].to_owned()),
            _ => brand.words.push(phrase.clone()),
        },
        MuteOf::Author { .. } | MuteOf::Source(_) => return None,
    }
    Some(brand)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AuthorKey, PostKey};

    fn mute(id: i64, of: MuteOf) -> Mute {
        Mute { id, of, brand: None, since: None }
    }

    fn post(text: &str) -> Post {
        let key =
            PostKey { source: "forum".to_owned(), id: "1".to_owned(), created_at: DateTime::UNIX_EPOCH };
        Post { author_key: Some(AuthorKey([7; 16])), ..Post::new(key, text) }
    }

    #[test]
    fn authors_hosts_phrases_and_sources_hide_what_they_are_about() {
        let author = |key, source: &str| MuteOf::Author {
            source: source.to_owned(),
            keys: vec![AuthorKey([1; 16]), AuthorKey([key; 16])],
        };
        let owned = str::to_owned;
        let mutes = Mutes::new([
            mute(1, author(7, "forum")),
            mute(2, author(8, "forum")),
            mute(3, author(7, "other")),
            mute(4, MuteOf::Source(owned("forum"))),
            mute(5, MuteOf::Source(owned("news"))),
            mute(6, MuteOf::Host(owned("shop.example"))),
            mute(7, MuteOf::Phrase(owned("Promo Code"))),
            mute(8, MuteOf::Phrase(owned("#ad"))),
        ]);
        let of = |post: &Post| mutes.of_post(post).iter().map(|mute| mute.id).collect::<Vec<_>>();
        assert_eq!(of(&post("Hello")), [1, 4]);
        assert_eq!(of(&post("A PROMO  code, and no promotion codes")), [1, 4, 7]);
        assert_eq!(of(&post("An ad")), [1, 4]);
        assert_eq!(of(&post("This is an #Ad")), [1, 4, 8]);
        let mut linked = post("See here");
        linked.links = vec!["https://www.shop.example/1".to_owned()];
        assert_eq!(of(&linked), [1, 4, 6]);
        assert!(Mutes::new([]).of_post(&linked).is_empty());
    }

    #[test]
    fn a_mute_may_be_about_one_brand_and_begin_at_a_time() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let source = || MuteOf::Source("forum".to_owned());
        let later = Mute { since: Some(at(10)), ..mute(1, source()) };
        let acme = Mute { brand: Some("acme".parse().unwrap()), ..mute(2, source()) };
        let both = [&later, &acme];
        for (brand, second, expected) in
            [("acme", 9, Some(2)), ("acme", 10, Some(1)), ("vmware", 9, None), ("vmware", 11, Some(1))]
        {
            assert_eq!(hiding(&both, brand, at(second)), expected, "{brand} {second}");
        }
    }
}
