//! As much of a message as is needed to pass it on: its key, its place in the stream.

use std::borrow::Cow;

use chrono::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Position;
use crate::ingest::keys;

/// A message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// An event.
    Event(Event),
    /// The server tells something about the stream; version 2 only.
    Info { name: String, message: String },
    /// The server ends the stream; version 2 only.
    Failure { error: String, message: String },
    /// It can't be read.
    Unreadable,
}

/// An event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub key: String,
    pub position: Position,
}

pub(super) fn read(bytes: &[u8], is_v2: bool) -> Frame {
    let frame = if is_v2 { v2(bytes) } else { v1(bytes).map(Frame::Event) };
    frame.unwrap_or(Frame::Unreadable)
}

fn v1(bytes: &[u8]) -> Option<Event> {
    let V1 { did, time_us, commit } = serde_json::from_slice(bytes).ok()?;
    let record = commit.as_ref().map(|commit| (&*commit.collection, &*commit.rkey));
    Some(Event { key: keys::of_bluesky(&did, record), position: Position { seq: None, time_us } })
}

fn v2(bytes: &[u8]) -> Option<Frame> {
    let frame: V2Frame<'_> = serde_json::from_slice(bytes).ok()?;
    if frame.kind == "error" {
        let (error, message) = (frame.error.unwrap_or_default(), frame.message.unwrap_or_default());
        return Some(Frame::Failure { error, message });
    }
    let payload = frame.payload.filter(|_| frame.kind == "message")?;
    let V2 { kind, seq, did, time, collection, rkey, name, message } =
        serde_json::from_str(payload.get()).ok()?;
    if kind.ends_with("#info") {
        return Some(Frame::Info { name: name.unwrap_or_default(), message: message.unwrap_or_default() });
    }
    let key = keys::of_bluesky(&did?, collection.as_deref().zip(rkey.as_deref()));
    let time_us = DateTime::parse_from_rfc3339(&time?).ok()?.timestamp_micros();
    Some(Frame::Event(Event { key, position: Position { seq: Some(seq?), time_us } }))
}

#[derive(Deserialize)]
struct V1<'a> {
    #[serde(borrow)]
    did: Cow<'a, str>,
    time_us: i64,
    #[serde(borrow)]
    commit: Option<V1Commit<'a>>,
}

#[derive(Deserialize)]
struct V1Commit<'a> {
    #[serde(borrow)]
    collection: Cow<'a, str>,
    #[serde(borrow)]
    rkey: Cow<'a, str>,
}

#[derive(Deserialize)]
struct V2Frame<'a> {
    #[serde(rename = "$type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    error: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct V2<'a> {
    #[serde(rename = "$type", borrow)]
    kind: Cow<'a, str>,
    seq: Option<u64>,
    #[serde(borrow)]
    did: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    collection: Option<Cow<'a, str>>,
    #[serde(borrow)]
    rkey: Option<Cow<'a, str>>,
    name: Option<String>,
    message: Option<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIME: &str = "2026-07-04T14:38:08.090631Z";
    const TIME_US: i64 = 1_783_175_888_090_631;

    fn event(key: &str, seq: Option<u64>) -> Frame {
        Frame::Event(Event { key: key.to_owned(), position: Position { seq, time_us: TIME_US } })
    }

    #[test]
    fn events_of_both_versions_have_the_same_keys() {
        let post = "bluesky:at://did:plc:a/app.bsky.feed.post/3k";
        let commit = format!(
            r#"{{"did":"did:plc:a","time_us":{TIME_US},"kind":"commit","commit":{{"operation":"delete","collection":"app.bsky.feed.post","rkey":"3k"}}}}"#
        );
        assert_eq!(read(commit.as_bytes(), false), event(post, None));
        let account = format!(
            r#"{{"did":"did:plc:a","time_us":{TIME_US},"kind":"account","account":{{"active":false}}}}"#
        );
        assert_eq!(read(account.as_bytes(), false), event("bluesky:did:plc:a", None));

        let framed = |payload: &str| {
            format!(
                r#"{{"$type":"message","payload":{{"$type":"network.bsky.jetstream.subscribeEvents#{payload}}}}}"#
            )
        };
        let commit = framed(&format!(
            r#"commit","seq":7,"did":"did:plc:a","time":"{TIME}","rev":"x","operation":"create","collection":"app.bsky.feed.post","rkey":"3k","record":{{"text":"\ud800"}}"#
        ));
        assert_eq!(read(commit.as_bytes(), true), event(post, Some(7)));
        let account =
            framed(&format!(r#"account","seq":8,"did":"did:plc:a","time":"{TIME}","account":{{}}"#));
        assert_eq!(read(account.as_bytes(), true), event("bluesky:did:plc:a", Some(8)));
        let info = framed(r#"info","name":"OutdatedCursor","message":"from 90""#);
        let (name, message) = ("OutdatedCursor".to_owned(), "from 90".to_owned());
        assert_eq!(read(info.as_bytes(), true), Frame::Info { name, message });
        let failure = br#"{"$type":"error","error":"ConsumerTooSlow"}"#;
        let (error, message) = ("ConsumerTooSlow".to_owned(), String::new());
        assert_eq!(read(failure, true), Frame::Failure { error, message });
    }

    #[test]
    fn one_version_is_not_taken_for_the_other() {
        let v1 = r#"{"did":"did:plc:a","time_us":1,"kind":"identity"}"#;
        assert_eq!(read(v1.as_bytes(), true), Frame::Unreadable);
        let v2 = r#"{"$type":"message","payload":{"$type":"x#commit","seq":7,"did":"d"}}"#;
        assert_eq!(read(v2.as_bytes(), false), Frame::Unreadable);
    }

    proptest! {
        #[test]
        fn nothing_that_a_server_sends_stops_the_reader(text in ".{0,80}", is_v2: bool) {
            let _ = read(text.as_bytes(), is_v2);
        }
    }
}
