//! Pseudonyms of accounts, and posts without their authors' names.
//!
//! A pseudonym is the first half of an HMAC-SHA256 (RFC 2104) of network and account name under a
//! secret key. Without the key it can't be turned back by trying names. Keys can be rotated: the
//! first one makes pseudonyms, the others still find what earlier ones made.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::{AuthorKey, ExposeSecret, Post, SecretString};

/// Makes pseudonyms, and takes names out of posts where settings ask for that.
#[derive(Clone, Debug)]
pub struct Pseudonyms {
    keys: Vec<SecretString>,
    keep_author: bool,
}

impl Pseudonyms {
    /// With the current key first. Without a key everybody can compute the pseudonyms, which is right
    /// only where the names are stored beside them.
    pub fn new(keys: Vec<SecretString>, keep_author: bool) -> Self {
        let keys = if keys.is_empty() { vec![SecretString::from("")] } else { keys };
        Self { keys, keep_author }
    }

    /// Sets a post's pseudonym. Where authors are not kept, takes the account out of everything that is
    /// stored of the post: its name, its link, addresses that hold it, and the identifier, in which
    /// the pseudonym replaces it.
    pub fn apply(&self, post: &mut Post) {
        let Some(author) = post.author.clone() else {
            if !self.keep_author {
                post.link = None;
                self.rename(post);
            }
            return;
        };
        post.author_key = self.of(&post.key.source, &author).next();
        if !self.keep_author {
            post.author = None;
            post.link = None;
            post.links.retain(|link| !link.contains(&author));
            self.rename(post);
        }
    }

    fn rename(&self, post: &mut Post) {
        let renamed = self.renamed(&post.key.source, &post.key.id).next();
        if let Some(id) = renamed {
            post.key.id = id;
        }
    }

    /// An account's pseudonyms, by the current key and by the earlier ones.
    pub fn of(&self, source: &str, author: &str) -> impl Iterator<Item = AuthorKey> {
        self.keys.iter().map(move |key| pseudonym(key, source, author))
    }

    /// The identifiers that a post may be stored under, the present one first: its own, and those in
    /// which a pseudonym has replaced the account.
    pub fn ids(&self, source: &str, id: &str) -> Vec<String> {
        let mut ids: Vec<String> = self.renamed(source, id).collect();
        let own = if self.keep_author { 0 } else { ids.len().min(1) };
        ids.insert(own, id.to_owned());
        ids
    }

    fn renamed(&self, source: &str, id: &str) -> impl Iterator<Item = String> {
        let parts = id.strip_prefix(AT_URI).and_then(|rest| rest.split_once('/'));
        parts.into_iter().flat_map(move |(account, path)| {
            self.of(source, account).map(move |key| format!("{AT_URI}{key}/{path}"))
        })
    }
}

/// Identifiers of this form begin with the account (atproto.com/specs/at-uri-scheme).
const AT_URI: &str = "at://";

fn pseudonym(key: &SecretString, source: &str, author: &str) -> AuthorKey {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes())
        .expect("HMAC takes keys of any length");
    // No source holds a NUL, so two different pairs give two different texts.
    mac.update(source.as_bytes());
    mac.update(b"\0");
    mac.update(author.as_bytes());
    let mut first = [0; 16];
    first.copy_from_slice(&mac.finalize().into_bytes()[..16]);
    AuthorKey(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PostKey;

    const DID: &str = "did:plc:abc";

    fn post() -> Post {
        let id = format!("at://{DID}/app.bsky.feed.post/1");
        let key = PostKey { source: "bluesky".to_owned(), id, created_at: chrono::DateTime::UNIX_EPOCH };
        Post {
            author: Some(DID.to_owned()),
            link: Some(format!("https://bsky.app/profile/{DID}/post/1")),
            links: vec![format!("https://pds.example/{DID}"), "https://a.example".to_owned()],
            ..Post::new(key, "text")
        }
    }

    fn keys(keys: &[&str]) -> Vec<SecretString> {
        keys.iter().map(|key| SecretString::from(*key)).collect()
    }

    #[test]
    fn a_pseudonym_depends_on_key_network_and_account() {
        let one = Pseudonyms::new(keys(&["one"]), true);
        let of = |pseudonyms: &Pseudonyms, source, author| pseudonyms.of(source, author).next().unwrap();
        let key = of(&one, "bluesky", DID);
        assert_eq!(key, of(&one.clone(), "bluesky", DID));
        // By `printf 'bluesky\0did:plc:abc' | openssl dgst -sha256 -hmac one`.
        assert_eq!(key.to_string(), "9aa943eecd739d5c6b4828b0944cf379");
        assert_ne!(key, of(&one, "forum", DID));
        assert_ne!(key, of(&one, "bluesky", "did:plc:abd"));
        assert_ne!(key, of(&Pseudonyms::new(keys(&["two"]), true), "bluesky", DID));
    }

    #[test]
    fn without_authors_nothing_of_a_post_names_its_account() {
        let (mut kept, mut hidden) = (post(), post());
        Pseudonyms::new(keys(&["one"]), true).apply(&mut kept);
        assert_eq!(Post { author_key: None, ..kept.clone() }, post());
        Pseudonyms::new(keys(&["one"]), false).apply(&mut hidden);
        assert!(!format!("{hidden:?}").contains(DID), "{hidden:?}");
        assert_eq!(hidden.author_key, kept.author_key);
        assert_eq!(hidden.links, ["https://a.example"]);
        assert!(hidden.key.id.ends_with("/app.bsky.feed.post/1"), "{}", hidden.key.id);
    }

    #[test]
    fn what_an_earlier_key_or_setting_made_is_still_found() {
        let id = post().key.id;
        let mut before = post();
        Pseudonyms::new(keys(&["one"]), false).apply(&mut before);
        let now = Pseudonyms::new(keys(&["two", "one"]), false);
        let ids = now.ids("bluesky", &id);
        assert_eq!(ids.len(), 3);
        assert_eq!((&ids[1], &ids[2]), (&id, &before.key.id), "the present one comes first");
        assert!(now.of("bluesky", DID).any(|key| Some(key) == before.author_key));
        assert_eq!(now.ids("forum", "42"), ["42"]);
    }
}
