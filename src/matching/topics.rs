//! Topics: the links, hashtags and hosts that a post is about, as roll-ups count them.

use std::collections::BTreeSet;

use regex_syntax::is_word_character;

use super::links::{ends_a_link, host_of};
use crate::domain::{Post, Topics};

/// The longest link that is counted, in bytes; of a longer one only the host is. An index entry has
/// to hold it.
const LONGEST_LINK: usize = 1024;
/// The longest hashtag and host in bytes. DNS allows 253 for a host.
const LONGEST_NAME: usize = 256;
/// Most topics of each kind a post.
const MOST: usize = 16;

/// The topics of a post, beside its text and in it: each once, hashtags in lower case and without
/// `#`, hosts in ASCII and without `www.`.
pub fn topics(post: &Post) -> Topics {
    let links: BTreeSet<String> =
        post.links.iter().cloned().chain(links_in(&post.text).map(str::to_owned)).collect();
    let hashtags = post.hashtags.iter().map(String::as_str).chain(hashtags_in(&post.text));
    let hashtags: BTreeSet<String> = hashtags.map(str::to_lowercase).collect();
    let hosts: BTreeSet<String> = links
        .iter()
        .filter_map(|link| host_of(link))
        .map(|host| host.strip_prefix("www.").unwrap_or(&host).to_owned())
        .collect();
    let up_to = |names: BTreeSet<String>, longest: usize| {
        names.into_iter().filter(|name| !name.is_empty() && name.len() <= longest).take(MOST).collect()
    };
    Topics {
        links: up_to(links, LONGEST_LINK),
        hashtags: up_to(hashtags, LONGEST_NAME),
        hosts: up_to(hosts, LONGEST_NAME),
    }
}

/// Addresses with a scheme, without the punctuation of the sentence around them.
fn links_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(ends_a_link).map(|word| word.trim_end_matches(['.', ',', ';', ':', '!', '?', '…'])).filter(
        |word| {
            let address = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
            address.is_some_and(|address| !address.is_empty())
        },
    )
}

/// What follows a `#` that begins a word, in any script. Numbers alone are no tags: `#1`.
fn hashtags_in(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('#').filter_map(|(at, _)| {
        let begins =
            text[..at].chars().next_back().is_none_or(|c| !is_word_character(c) && !"&/#".contains(c));
        let tag = &text[at + 1..];
        let tag = &tag[..tag.find(|c| !is_word_character(c)).unwrap_or(tag.len())];
        (begins && tag.chars().any(|c| !c.is_numeric() && c != '_')).then_some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::post;
    use super::*;

    #[test]
    fn topics_stand_in_the_text_and_beside_it_and_count_once() {
        let post = Post {
            links: vec!["https://www.Example.com/a".to_owned()],
            hashtags: vec!["Cloud".to_owned()],
            ..post("See (https://example.com/b), #cloud #日本 #1 a#b &#38; https://x.example/#part. http://")
        };
        let topics = topics(&post);
        assert_eq!(
            topics.links,
            ["https://example.com/b", "https://www.Example.com/a", "https://x.example/#part"]
        );
        assert_eq!(topics.hashtags, ["cloud", "日本"]);
        assert_eq!(topics.hosts, ["example.com", "x.example"]);
    }

    #[test]
    fn what_no_index_could_hold_is_not_counted() {
        let long = format!("https://example.com/{}", "a".repeat(2000));
        let post = Post { hashtags: vec!["h".repeat(300)], ..post(&long) };
        let topics = topics(&post);
        assert_eq!((topics.links.len(), topics.hashtags.len()), (0, 0));
        assert_eq!(topics.hosts, ["example.com"]);
    }
}
