//! Keys of records: source and id of the post, so that its edits and its deletion follow it onto the
//! same partition.

use std::borrow::Cow;

use serde::Deserialize;

/// Source of posts on Bluesky.
const BLUESKY: &str = "bluesky";
/// Source of posts on Mastodon's network.
const MASTODON: &str = "mastodon";

/// The key of a post.
pub(super) fn of_post(source: &str, id: &str) -> String {
    format!("{source}:{id}")
}

/// The key of a record of a repository on Bluesky; of the account, where it is about no record.
pub(super) fn of_bluesky(did: &str, record: Option<(&str, &str)>) -> String {
    match record {
        Some((collection, rkey)) => format!("{BLUESKY}:at://{did}/{collection}/{rkey}"),
        None => format!("{BLUESKY}:{did}"),
    }
}

/// The key of a status as one server knows it.
pub(super) fn of_mastodon(server: &str, id: &str) -> String {
    format!("{MASTODON}:{server}/{id}")
}

/// The key of a record in any format that is written here, by its shape. Nothing for others: records
/// without a key are spread over the partitions.
pub(super) fn of_record(bytes: &[u8]) -> Option<String> {
    let shape: Shape<'_> = serde_json::from_slice(bytes).ok()?;
    if let Some(payload) = shape.payload {
        return match (shape.kind, shape.server, shape.event) {
            // A frame of Jetstream v2.
            (Some(kind), ..) if kind == "message" => of_record(payload.get().as_bytes()),
            (_, Some(server), Some(_)) => {
                let payload = payload.get();
                let id = match serde_json::from_str(payload).ok()? {
                    Payload::Status { id } => id,
                    Payload::Text(text) => match serde_json::from_str(&text) {
                        Ok(Payload::Status { id }) => id,
                        _ => text,
                    },
                };
                Some(of_mastodon(&server, &id))
            }
            _ => None,
        };
    }
    if let Some(did) = shape.did {
        let Commit { collection, rkey } =
            shape.commit.unwrap_or(Commit { collection: shape.collection, rkey: shape.rkey });
        return Some(of_bluesky(&did, collection.as_deref().zip(rkey.as_deref())));
    }
    Some(of_post(&shape.source?, &shape.id?))
}

#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    server: Option<Cow<'a, str>>,
    #[serde(borrow)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payload: Option<&'a serde_json::value::RawValue>,
    #[serde(borrow)]
    did: Option<Cow<'a, str>>,
    #[serde(borrow)]
    commit: Option<Commit<'a>>,
    #[serde(rename = "$type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    collection: Option<Cow<'a, str>>,
    #[serde(borrow)]
    rkey: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Commit<'a> {
    #[serde(borrow)]
    collection: Option<Cow<'a, str>>,
    #[serde(borrow)]
    rkey: Option<Cow<'a, str>>,
}

/// What a stream of Mastodon says of a status: the status itself or, of a deletion, its id; either as
/// JSON or as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Payload {
    Status { id: String },
    Text(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_its_edits_and_its_deletion_share_a_key() {
        let bluesky = "bluesky:at://did:plc:a/app.bsky.feed.post/3k";
        let mastodon = "mastodon:m.example/7";
        for (record, key) in [
            (r#"{"source":"forum","id":"81","text":"x"}"#, "forum:81"),
            (r#"{"event":"delete","source":"forum","id":"81"}"#, "forum:81"),
            (
                r#"{"did":"did:plc:a","time_us":1,"kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.post","rkey":"3k","record":{"id":1}}}"#,
                bluesky,
            ),
            (
                r#"{"did":"did:plc:a","time_us":2,"kind":"commit","commit":{"operation":"delete","collection":"app.bsky.feed.post","rkey":"3k"}}"#,
                bluesky,
            ),
            (
                r#"{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":1,"did":"did:plc:a","collection":"app.bsky.feed.post","rkey":"3k"}}"#,
                bluesky,
            ),
            (
                r#"{"$type":"network.bsky.jetstream.subscribeEvents#commit","did":"did:plc:a","collection":"app.bsky.feed.post","rkey":"3k"}"#,
                bluesky,
            ),
            (r#"{"did":"did:plc:a","kind":"account","account":{"active":false}}"#, "bluesky:did:plc:a"),
            (r#"{"event":"update","payload":{"id":"7","content":""},"server":"m.example"}"#, mastodon),
            (r#"{"event":"status.update","payload":"{\"id\":\"7\"}","server":"m.example"}"#, mastodon),
            (r#"{"event":"delete","payload":"7","server":"m.example"}"#, mastodon),
        ] {
            assert_eq!(of_record(record.as_bytes()).as_deref(), Some(key), "{record}");
        }
        for record in ["", "text,in,columns", "{}", "[1]", r#"{"id":"7"}"#, r#"{"payload":3}"#] {
            assert_eq!(of_record(record.as_bytes()), None, "{record}");
        }
    }
}
