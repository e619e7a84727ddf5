//! Feeds into a topic, by the real program from servers that misbehave.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::time::Duration;

use chrono::Utc;
use nix::sys::signal::Signal;
use overheard::decode::{Decoded, Format, decode};
use overheard::domain::{Position, Record};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use zstd::bulk::Compressor;

use crate::support::daemon::Daemon;
use crate::support::feeds::{Asked, FeedServer, Reply, Then};
use crate::support::settings::Setup;
use crate::support::topics::{Seen, TestTopics};

const V1_DICTIONARY: &[u8] = include_bytes!("../../src/ingest/jetstream/dictionary/v1.zdict");
const POST: &str = "app.bsky.feed.post";
/// The status of a process that only a person can help.
const NEEDS_A_PERSON: i32 = 3;

/// A topic of posts in three partitions, and settings that lead to it; no Postgres is needed.
async fn topic_and_setup() -> (TestTopics, Setup) {
    let topics = TestTopics::names_only(3);
    topics.make(&["posts"]).await;
    let setup = Setup::new(&topics, "postgres://nobody@127.0.0.1:1/none");
    (topics, setup)
}

fn ingest(setup: &Setup, topics: &TestTopics, name: &str, arguments: &[&str]) -> Daemon {
    let topic = topics.name("posts");
    setup.start_command(name, &[&["ingest"], arguments, &["--topic", &topic]].concat())
}

fn posts(topics: &TestTopics, count: usize) -> Vec<Seen> {
    topics.read("posts", count, Duration::from_secs(30))
}

/// Waits until that many records are in the topic.
fn until_posts(topics: &TestTopics, count: usize) -> Vec<Seen> {
    let seen = tokio::task::block_in_place(|| posts(topics, count));
    assert!(seen.len() >= count, "{} of {count} records: {seen:?}", seen.len());
    seen
}

async fn refused(mut process: Daemon, words: &[&str]) {
    let status = process.until_ended().await;
    for word in words {
        assert!(process.log().contains(word), "no {word:?} in\n{}", process.log());
    }
    assert_eq!(status.code(), Some(NEEDS_A_PERSON), "{}", process.log());
}

/// Event `number` of version 1, a second after the one before: a post in three versions, then others.
fn v1_event(number: i64, began_us: i64) -> String {
    let (rkey, operation) = match number {
        1 => ("first".to_owned(), "create"),
        2 => ("first".to_owned(), "update"),
        3 => ("first".to_owned(), "delete"),
        _ => (format!("p{number}"), "create"),
    };
    let time_us = began_us + number * 1_000_000;
    json!({
        "did": "did:plc:a", "time_us": time_us, "kind": "commit",
        "commit": {"rev": "r", "operation": operation, "collection": POST, "rkey": rkey,
                   "record": {"text": format!("event {number}"), "createdAt": "2026-03-01T12:00:00Z"}},
    })
    .to_string()
}

fn time_us(text: &str) -> i64 {
    serde_json::from_str::<Value>(text).unwrap()["time_us"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn jetstream_loses_nothing_when_connections_break_and_the_process_is_killed() {
    let (topics, setup) = topic_and_setup().await;
    let began = Utc::now().timestamp_micros() - 60_000_000;
    // The first connection breaks after 3 events, the second after 20 with the server's refusal before
    // it; the process is killed on the third.
    let server = FeedServer::start(move |asked: &Asked, before| {
        let limit = match before {
            0 => 3,
            1 => return Reply::Answer(429, vec!["Retry-After: 0".to_owned()], Vec::new()),
            2 => 20,
            3 => 30,
            _ => 40,
        };
        let cursor: i64 = asked.parameter("cursor").parse().unwrap_or(0);
        let mut packer = Compressor::with_dictionary(1, V1_DICTIONARY).unwrap();
        let events =
            (1..=limit).map(|number| v1_event(number, began)).filter(|event| time_us(event) >= cursor);
        let mut messages: Vec<Message> = events
            .map(|event| match asked.parameter("compress").as_str() {
                "true" => Message::binary(packer.compress(event.as_bytes()).unwrap()),
                _ => Message::text(event),
            })
            .collect();
        messages.insert(1, Message::Ping(Vec::new().into()));
        if before == 2 {
            messages.push(Message::text("{\"half of an ev"));
        }
        Reply::Socket(messages, if before < 3 { Then::Break } else { Then::Stay })
    })
    .await;
    let address = format!("ws://127.0.0.1:{}/subscribe", server.port);
    let feed = ["jetstream", &address];

    let first = ingest(&setup, &topics, "first", &feed);
    until_posts(&topics, 40);
    // A cursor is there by now; what follows it comes twice.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    first.kill().await;
    let second = ingest(&setup, &topics, "second", &feed);
    let asked = server.until_asked("/subscribe", 5).await;
    assert_eq!(asked[0].parameter("cursor"), "");
    assert_eq!(asked[0].parameter("wantedCollections"), POST);
    assert_eq!(asked[2].parameter("cursor"), (began + 3_000_000 - 5_000_000).to_string());
    assert_eq!(asked[4].parameter("cursor"), (began + 30_000_000 - 5_000_000).to_string());
    let mut seen = until_posts(&topics, 56);
    assert!(second.stop().await.success());

    let garbage = seen.iter().position(|seen| seen.key.is_none()).expect("it is for the daemon to refuse");
    assert_eq!(seen.remove(garbage).payload, b"{\"half of an ev");
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    let mut texts: BTreeMap<String, usize> = BTreeMap::new();
    let mut firsts = Vec::new();
    for seen in &seen {
        let event = seen.json();
        let commit = &event["commit"];
        let key = seen.key.clone().unwrap();
        assert_eq!(key, format!("bluesky:at://did:plc:a/{POST}/{}", commit["rkey"].as_str().unwrap()));
        *texts.entry(commit["record"]["text"].to_string()).or_default() += 1;
        last.insert(key.clone(), event["time_us"].as_i64().unwrap());
        if key.ends_with("/first") {
            firsts.push(commit["operation"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(texts.len(), 40, "nothing is lost");
    assert_eq!(firsts, ["create", "update", "delete", "create", "update", "delete"], "a key's order is kept");
    assert_eq!(last[&format!("bluesky:at://did:plc:a/{POST}/first")], began + 3_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_version_1_moves_in_silence_is_noticed() {
    let (topics, setup) = topic_and_setup().await;
    let now = Utc::now().timestamp_micros();
    // Whatever is asked for, the oldest event is of one hour ago.
    let server = FeedServer::start(move |_, _| {
        let oldest = now - 3_600_000_000;
        Reply::Socket(
            vec![Message::text(v1_event(9, oldest)), Message::text(v1_event(10, oldest))],
            Then::Stay,
        )
    })
    .await;
    let address = format!("ws://127.0.0.1:{}/subscribe", server.port);
    let since = (Utc::now() - chrono::TimeDelta::hours(40)).to_rfc3339();
    let feed = ["jetstream", &address, "--since", &since, "--uncompressed"];
    refused(
        ingest(&setup, &topics, "refused", &feed),
        &["goes on 39 h 0 min after the cursor", "--accept-gap", "--silence"],
    )
    .await;
    assert!(topics.read("posts", 0, Duration::from_secs(2)).is_empty());
    let mut accepted = ingest(&setup, &topics, "accepted", &[&feed[..], &["--accept-gap"]].concat());
    until_posts(&topics, 2);
    accepted.until_log("Goes on with a gap").await;
    assert!(accepted.stop().await.success());
    // The gap is behind the cursor now.
    let again = ingest(&setup, &topics, "again", &feed);
    until_posts(&topics, 4);
    assert!(again.stop().await.success());
}

/// Event `seq` of version 2 in its frame.
fn v2_event(seq: u64) -> String {
    let time = (Utc::now() - chrono::TimeDelta::minutes(2)).to_rfc3339();
    json!({"$type": "message", "payload": {
        "$type": "network.bsky.jetstream.subscribeEvents#commit", "seq": seq, "did": "did:plc:a", "time": time,
        "rev": "r", "operation": "create", "collection": POST, "rkey": format!("p{seq}"),
        "record": {"text": format!("event {seq}"), "createdAt": "2026-03-01T12:00:00Z"},
    }})
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn jetstream_2_goes_on_by_number_and_stops_where_the_server_has_no_longer_what_follows() {
    const SUBSCRIBE: &str = "/xrpc/network.bsky.jetstream.subscribeEvents";
    let (topics, setup) = topic_and_setup().await;
    let server = FeedServer::start(|asked: &Asked, before| {
        if asked.path() != SUBSCRIBE {
            return Reply::Answer(200, Vec::new(), V1_DICTIONARY.to_vec());
        }
        let cursor: u64 = asked.parameter("cursor").parse().unwrap_or(1);
        if cursor == 8 {
            // The words come after the head, and again where they are asked for over plain HTTP.
            let words = r#"{"error":"CursorTooOld","message":"cursor 8 below lookback floor 50"}"#;
            return Reply::Answer(400, vec!["Content-Type: application/json".to_owned()], words.into());
        }
        assert_eq!(asked.header("sec-websocket-protocol"), "xrpc.v1.json");
        let mut packer = Compressor::with_dictionary(1, V1_DICTIONARY).unwrap();
        let dictionary = asked.parameter("zstdDictionary");
        let frames: Vec<String> = match (before, cursor) {
            (0, _) => {
                let slow = r#"{"$type":"error","error":"ConsumerTooSlow","message":"read faster"}"#;
                (1..=4).map(v2_event).chain([slow.to_owned()]).collect()
            }
            // A time: the cursor was given up.
            (_, 1_000_000_000_000_000..) => {
                let info = json!({"$type": "message", "payload": {
                    "$type": "network.bsky.jetstream.subscribeEvents#info", "name": "OutdatedCursor",
                    "message": "resumed from 50",
                }});
                [info.to_string()].into_iter().chain((50..=52).map(v2_event)).collect()
            }
            (_, from) => (from..=8).map(v2_event).collect(),
        };
        assert_ne!(dictionary, "", "the dictionary is asked for");
        let messages = frames.iter().map(|frame| Message::binary(packer.compress(frame.as_bytes()).unwrap()));
        Reply::Socket(messages.collect(), Then::Stay)
    })
    .await;
    let address = format!("ws://127.0.0.1:{}{SUBSCRIBE}", server.port);
    let feed = ["jetstream", &address];
    let mut first = ingest(&setup, &topics, "first", &feed);
    first.until_log("ConsumerTooSlow: read faster").await;
    let seen = until_posts(&topics, 8);
    assert!(first.stop().await.success());
    assert_eq!(seen.len(), 8, "what the cursor names is not taken again");
    let asked = server.until_asked(SUBSCRIBE, 2).await;
    assert_eq!(asked[1].parameter("cursor"), "4");
    assert_eq!(asked[1].parameter("collections"), POST);

    refused(
        ingest(&setup, &topics, "refused", &feed),
        &["no longer has what follows the cursor", "below lookback floor 50", "--accept-gap"],
    )
    .await;
    let mut accepted = ingest(&setup, &topics, "accepted", &[&feed[..], &["--accept-gap"]].concat());
    let seen = until_posts(&topics, 11);
    accepted.until_log("resumed from 50").await;
    assert!(accepted.stop().await.success());
    let keys: std::collections::BTreeSet<String> = seen.into_iter().filter_map(|seen| seen.key).collect();
    assert_eq!(keys.len(), 11);
    assert!(keys.contains(&format!("bluesky:at://did:plc:a/{POST}/p52")));
}

fn status(id: u32, content: &str) -> String {
    json!({"id": id.to_string(), "created_at": "2026-03-01T12:00:00.000Z", "content": content}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn mastodon_is_read_as_a_stream_and_caught_up_with_after_a_break() {
    let (topics, setup) = topic_and_setup().await;
    let server = FeedServer::start(|asked: &Asked, before| {
        let json = || vec!["Content-Type: application/json".to_owned()];
        match asked.path() {
            "/api/v1/streaming/public" if asked.header("authorization") != "Bearer secret" => {
                Reply::Answer(401, json(), br#"{"error":"The access token is invalid"}"#.to_vec())
            }
            "/api/v1/streaming/public" if before == 1 => {
                let event = |event: &str, data: &str| format!("event: {event}\ndata: {data}\n\n");
                let update = event("update", &status(101, "ü"));
                // Between the two bytes of a letter would be no string; in the middle of a line it is.
                let (half, rest) = update.split_at(20);
                let parts = [
                    ":)\n",
                    half,
                    rest,
                    ":thump\n",
                    &event("status.update", &status(101, "edited")),
                    &event("notification", "{}"),
                    &event("delete", "101"),
                    &event("update", &status(102, "b")),
                    "event: update\ndata: {\"half",
                ];
                Reply::Stream(parts.map(str::to_owned).to_vec(), true)
            }
            "/api/v1/streaming/public" => Reply::Stream(vec![":thump\n".to_owned()], false),
            "/api/v1/timelines/public" => {
                let (statuses, more) = match asked.parameter("min_id").as_str() {
                    "102" if before == 0 => {
                        return Reply::Answer(429, vec!["Retry-After: 0".to_owned()], Vec::new());
                    }
                    "102" => (vec![status(104, "d"), status(103, "c")], true),
                    "104" => (vec![status(105, "e")], true),
                    _ => (Vec::new(), false),
                };
                let mut headers = json();
                if more {
                    headers.push("Link: <http://x/?min_id=9>; rel=\"prev\"".to_owned());
                }
                Reply::Answer(200, headers, format!("[{}]", statuses.join(",")).into_bytes())
            }
            _ => Reply::Answer(404, Vec::new(), Vec::new()),
        }
    })
    .await;
    let address = format!("http://127.0.0.1:{}", server.port);
    refused(
        ingest(&setup, &topics, "refused", &["mastodon", &address]),
        &["answers 401: The access token is invalid", "give an access token"],
    )
    .await;

    let mut token = tempfile::NamedTempFile::new().unwrap();
    writeln!(token, "secret").unwrap();
    let feed = ["mastodon", &address, "--token-file", token.path().to_str().unwrap()];
    let first = ingest(&setup, &topics, "first", &feed);
    let seen = until_posts(&topics, 7);
    assert!(first.stop().await.success());
    let host = format!("127.0.0.1:{}", server.port);
    let mut of_key: HashMap<String, Vec<Value>> = HashMap::new();
    for seen in seen {
        let envelope = seen.json();
        assert_eq!(envelope["server"], host.as_str());
        of_key.entry(seen.key.unwrap()).or_default().push(envelope);
    }
    let one = &of_key[&format!("mastodon:{host}/101")];
    let events: Vec<&Value> = one.iter().map(|envelope| &envelope["event"]).collect();
    assert_eq!(events, ["update", "status.update", "delete"]);
    assert_eq!((&one[0]["payload"]["content"], &one[2]["payload"]), (&json!("ü"), &json!("101")));
    assert_eq!(of_key.len(), 5, "101 to 105");

    // What was caught up with is not asked for again.
    let second = ingest(&setup, &topics, "second", &feed);
    let asked = server.until_asked("/api/v1/timelines/public", 5).await;
    assert_eq!(asked.last().unwrap().parameter("min_id"), "105");
    assert!(second.stop().await.success());
    assert_eq!(posts(&topics, 7).len(), 7);
}

const FEED: &str = r#"<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><link>https://news.example/</link>
<item><guid>n2</guid><title>VMware &amp; more</title><link>https://news.example/2</link>
<pubDate>Sun, 01 Mar 2026 13:00:00 GMT</pubDate><description>&lt;p&gt;A &lt;b&gt;claim&lt;/b&gt;&lt;/p&gt;</description></item>
<item><guid>n1</guid><title>First</title><pubDate>Sun, 01 Mar 2026 12:00:00 GMT</pubDate></item>
</channel></rss>"#;

#[tokio::test(flavor = "multi_thread")]
async fn feeds_are_asked_for_what_changed_and_only_that_is_written() {
    let (topics, setup) = topic_and_setup().await;
    let server = FeedServer::start(|asked: &Asked, before| {
        if asked.path() != "/feed.xml" {
            return Reply::Answer(404, Vec::new(), Vec::new());
        }
        let edited = FEED.replace("claim", "correction");
        match (before, asked.header("if-none-match")) {
            (0, _) => Reply::Answer(503, vec!["Retry-After: 0".to_owned()], Vec::new()),
            (1, "") => {
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                packed.write_all(FEED.as_bytes()).unwrap();
                let headers = vec!["ETag: \"1\"".to_owned(), "Content-Encoding: gzip".to_owned()];
                Reply::Answer(200, headers, packed.finish().unwrap())
            }
            (2, "\"1\"") => Reply::Answer(304, Vec::new(), Vec::new()),
            // At last only the tag changes, and no item.
            (3, "\"1\"") | (_, "\"2\"") => {
                Reply::Answer(200, vec!["ETag: \"2\"".to_owned()], edited.into_bytes())
            }
            (_, other) => panic!("asked for {other}"),
        }
    })
    .await;
    let address = format!("http://127.0.0.1:{}/feed.xml", server.port);
    let gone = format!("http://127.0.0.1:{}/gone.xml", server.port);
    let feed = ["rss", &address, &gone, "--every", "500ms"];
    let mut first = ingest(&setup, &topics, "first", &feed);
    first.until_log("answers 404; correct the address").await;
    let seen = until_posts(&topics, 3);
    assert!(first.stop().await.success());

    let mut posts_seen = Vec::new();
    for seen in &seen {
        let position = Position { topic: "posts".into(), partition: 0, offset: 0 };
        let record = Record {
            position,
            key: None,
            payload: Some(seen.payload.clone()),
            received_at: Utc::now(),
            appended_at: None,
        };
        let contents = decode(&Format::Post.into(), &record);
        let [Decoded::Post(post)] = &contents.items[..] else { panic!("{contents:?}") };
        assert_eq!(seen.key, Some(format!("rss:{}", post.key.id)));
        posts_seen.push(post.clone());
    }
    posts_seen.sort_by_key(|post| (post.key.id.clone(), post.version));
    let texts: Vec<&str> = posts_seen.iter().map(|post| post.text.as_str()).collect();
    assert_eq!(texts, ["First", "VMware & more\nA claim", "VMware & more\nA correction"]);
    assert!(posts_seen[2].is_edit && !posts_seen[1].is_edit);
    assert_eq!(posts_seen[2].key, posts_seen[1].key);

    // What was written is known after a start, too.
    let asked = server.until_asked("/feed.xml", 4).await.len();
    let second = ingest(&setup, &topics, "second", &feed);
    server.until_asked("/feed.xml", asked + 2).await;
    assert!(second.stop().await.success());
    assert_eq!(posts(&topics, 3).len(), 3);

    refused(ingest(&setup, &topics, "refused", &["rss", &gone]), &["None of the feeds can be read"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_on_where_a_killed_process_stopped() {
    let (topics, setup) = topic_and_setup().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posts.jsonl");
    let line = |number: usize| {
        format!("{{\"source\":\"t\",\"id\":\"{}\",\"version\":{number},\"text\":\"x\"}}\n", number % 100)
    };
    let text: String = (0..6000).map(line).collect();
    std::fs::write(&path, format!("{text}\n{{\"half")).unwrap();
    let feed = ["file", path.to_str().unwrap()];
    let first = ingest(&setup, &topics, "first", &[&feed[..], &["--rate", "1500"]].concat());
    until_posts(&topics, 2500);
    first.kill().await;
    let mut second = ingest(&setup, &topics, "second", &feed);
    assert!(second.until_ended().await.success(), "{}", second.log());
    assert!(!second.log().contains("file.offset=0"), "{}", second.log());

    let seen = posts(&topics, 6001);
    let mut last: HashMap<String, u64> = HashMap::new();
    let mut versions = std::collections::BTreeSet::new();
    let mut halves = 0;
    for seen in &seen {
        let Some(key) = seen.key.clone() else {
            halves += 1;
            continue;
        };
        let version = seen.json()["version"].as_u64().unwrap();
        versions.insert(version);
        last.insert(key, version);
    }
    assert_eq!((versions.len(), halves), (6000, 1), "nothing is lost");
    assert!(seen.len() < 6001 + 4500, "what was read before is not read again");
    assert!(last.iter().all(|(key, version)| *version >= 5900 && key.starts_with("t:")), "{last:?}");

    // What is appended is read, and the line that was half is whole now.
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    writeln!(file, " of it\"}}").unwrap();
    drop(file);
    let before = seen.len();
    let mut third = ingest(&setup, &topics, "third", &feed);
    assert!(third.until_ended().await.success(), "{}", third.log());
    let after = posts(&topics, before + 1);
    assert_eq!(after.len(), before + 1);
    assert!(after.iter().any(|seen| seen.payload == b"{\"half of it\"}"));

    std::fs::write(&path, line(1)).unwrap();
    refused(
        ingest(&setup, &topics, "replaced", &feed),
        &["begins differently or is shorter", "--from-start"],
    )
    .await;
    refused(ingest(&setup, &topics, "none", &["file", "/nowhere"]), &["/nowhere can't be read"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_is_read_and_a_signal_ends_it_in_good_order() {
    let (topics, setup) = topic_and_setup().await;
    let topic = topics.name("posts");
    let mut command = setup.command(&["ingest", "file", "-", "--topic", &topic]);
    let mut process =
        command.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    input.write_all(b"{\"source\":\"t\",\"id\":\"1\"}\nplain words\n").unwrap();
    let seen = until_posts(&topics, 2);
    assert_eq!(seen.iter().filter(|seen| seen.key.as_deref() == Some("t:1")).count(), 1);
    // The input is still open.
    let id = nix::unistd::Pid::from_raw(i32::try_from(process.id()).unwrap());
    nix::sys::signal::kill(id, Signal::SIGTERM).unwrap();
    let ended = tokio::task::spawn_blocking(move || process.wait().unwrap()).await.unwrap();
    assert!(ended.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_are_not_trusted_to_a_topic_that_forgets() {
    let (topics, setup) = topic_and_setup().await;
    topics.make(&["posts.cursors"]).await;
    refused(
        ingest(&setup, &topics, "refused", &["file", "/dev/null"]),
        &["cleanup.policy is delete", "--add-config cleanup.policy=compact"],
    )
    .await;
}
