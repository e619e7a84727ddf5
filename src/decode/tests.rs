use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::*;
use crate::domain::{Position, PostKind, Removed};

pub(super) fn record(payload: impl Into<Vec<u8>>) -> Record {
    Record {
        position: Position { topic: Arc::from("posts"), partition: 0, offset: 0 },
        key: None,
        payload: Some(payload.into()),
        appended_at: None,
        received_at: DateTime::UNIX_EPOCH,
    }
}

/// The only thing that a record holds.
pub(super) fn only(format: Format, record: &Record) -> Result<Decoded, Rejection> {
    let Contents { items, rejection, .. } = decode(&format.into(), record);
    assert_eq!(items.len() + usize::from(rejection.is_some()), 1, "{items:?} {rejection:?}");
    rejection.map_or_else(|| Ok(items.into_iter().next().unwrap()), Err)
}

fn decoded(format: Format, value: &Value) -> Result<Decoded, Rejection> {
    only(format, &record(value.to_string()))
}

/// What was left out or mended, each kind once.
pub(super) fn repairs(format: Format, record: &Record) -> BTreeSet<&'static str> {
    decode(&format.into(), record).repairs.into_iter().map(Repair::as_str).collect()
}

pub(super) fn post(format: Format, value: &Value) -> Post {
    match decoded(format, value) {
        Ok(Decoded::Post(post)) => *post,
        other => panic!("{value} became {other:?}"),
    }
}

pub(super) fn native(changes: &Value) -> Value {
    let mut value = json!({"id": "1", "source": "forum", "created_at": "2026-05-01T08:00:00Z", "text": "x"});
    for (key, change) in changes.as_object().unwrap() {
        value[key] = change.clone();
    }
    value
}

pub(super) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(super) fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(super) fn schema() -> (Value, jsonschema::Validator) {
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(project("docs/schemas/post.schema.json")).unwrap())
            .unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    (schema, validator)
}

/// A JSON schema can only limit characters; the decoder limits bytes, as the descriptions say.
pub(super) fn is_over_a_limit_in_bytes(rejection: &Rejection) -> bool {
    rejection.to_string().contains(" bytes long; at most ")
}

#[test]
fn limits_are_counted_in_bytes_where_the_schema_counts_characters() {
    let (_, validator) = schema();
    for (source, accepted) in [("é".repeat(32), true), ("é".repeat(33), false)] {
        let example = native(&json!({ "source": source }));
        assert!(validator.is_valid(&example));
        match decoded(Format::Post, &example) {
            Ok(_) => assert!(accepted, "{example}"),
            Err(rejection) => assert!(!accepted && is_over_a_limit_in_bytes(&rejection), "{rejection}"),
        }
    }
}

#[test]
fn formats_are_known_by_their_names() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
    }
    let message = "avro".parse::<Format>().unwrap_err().to_string();
    assert_eq!(message, "`avro` is not a format; the formats are post, jetstream, mastodon, x, rss, mapping");
}

#[test]
fn what_the_schema_accepts_is_decoded() {
    let (schema, validator) = schema();
    let mut examples = schema["examples"].as_array().unwrap().clone();
    assert_eq!(examples.len(), 5);
    examples.extend(lines(&project("tests/fixtures/post_accepted.jsonl")));
    for example in examples {
        if let Err(error) = validator.validate(&example) {
            panic!("the schema refuses {example}: {error}");
        }
        match decoded(Format::Post, &example).unwrap() {
            Decoded::Post(post) => {
                assert_eq!(post.key.id, example["id"].as_str().unwrap());
                assert_eq!(post.is_edit, example.get("edited_at").is_some());
                assert!(!post.text.contains('\0'));
            }
            Decoded::Removal(Removal { of: Removed::Post(id), .. }) => assert_eq!(example["id"], id),
            Decoded::Removal(Removal { of: Removed::Account(author), .. }) => {
                assert_eq!(example["author"], author);
            }
            Decoded::Ignored(kind) => panic!("{example} is ignored as {kind}"),
        }
    }
}

#[test]
fn a_part_that_the_schema_refuses_is_left_out_and_the_post_kept() {
    let (_, validator) = schema();
    for line in lines(&project("tests/fixtures/post_repaired.jsonl")) {
        assert!(!validator.is_valid(&line["record"]), "the schema accepts {line}");
        let kept = record(line["record"].to_string());
        let Ok(Decoded::Post(post)) = only(Format::Post, &kept) else { panic!("{line}") };
        assert_eq!(json!(repairs(Format::Post, &kept)), json!([line["part"]]), "{line}");
        for (field, expected) in line["left"].as_object().unwrap() {
            let found = match field.as_str() {
                "links" => json!(post.links),
                "pictures" => json!(post.pictures),
                "alt_texts" => json!(post.alt_texts),
                "languages" => json!(post.languages),
                "reach" => json!(post.reach),
                "kind" => json!(post.kind.as_str()),
                "is_edit" => json!(post.is_edit),
                "created_at" => json!(post.key.created_at),
                other => panic!("{other} is not looked at"),
            };
            assert_eq!(&found, expected, "{line}");
        }
    }
}

#[test]
fn what_the_schema_refuses_of_what_is_needed_is_rejected() {
    let (_, validator) = schema();
    for line in lines(&project("tests/fixtures/post_rejected.jsonl")) {
        assert!(!validator.is_valid(&line["record"]), "the schema accepts {line}");
        let rejection = decoded(Format::Post, &line["record"]).unwrap_err();
        assert_eq!(rejection.reason.as_str(), line["reason"].as_str().unwrap(), "{line}");
        assert!(rejection.detail.contains(line["names"].as_str().unwrap()), "{rejection}");
    }
}

#[test]
fn every_field_of_the_native_format_arrives() {
    let (schema, _) = schema();
    let post = post(Format::Post, &schema["examples"][1]);
    assert_eq!(post.key.source, "mastodon");
    assert_eq!(post.key.created_at, "2026-03-14T09:26:53.589793Z".parse::<DateTime<Utc>>().unwrap());
    assert_eq!(post.kind, PostKind::Reply);
    assert_eq!(post.author.as_deref(), Some("@lena@social.example"));
    assert_eq!(post.link.as_deref(), Some("https://social.example/@lena/113900284411"));
    assert_eq!(post.languages, ["de"]);
    assert_eq!(post.reach, Some(412));
    assert_eq!(post.links, ["https://blog.example/pausenraum"]);
    assert_eq!(post.hashtags, ["buero", "pause"]);
    assert_eq!(post.pictures, ["https://files.social.example/113900284411/original.jpg"]);
}

/// In the order in which things happened, whatever the clocks of clients and servers say.
#[test]
fn a_version_is_the_networks_time_and_never_later_than_its_arrival() {
    let arrived: DateTime<Utc> = "2026-05-01T09:00:00Z".parse().unwrap();
    let at = |value: &Value, format| match only(
        format,
        &Record { received_at: arrived, ..record(value.to_string()) },
    ) {
        Ok(Decoded::Post(post)) => post.version.to_rfc3339(),
        Ok(Decoded::Removal(removal)) => removal.at.to_rfc3339(),
        other => panic!("{value} became {other:?}"),
    };
    let native_at = |changes| at(&native(&changes), Format::Post);
    assert_eq!(native_at(json!({})), "2026-05-01T08:00:00+00:00");
    assert_eq!(native_at(json!({ "created_at": "2027-01-01T00:00:00Z" })), "2026-05-01T09:00:00+00:00");
    assert_eq!(native_at(json!({ "edited_at": "2026-05-01T08:30:00Z" })), "2026-05-01T08:30:00+00:00");
    assert_eq!(native_at(json!({ "event": "delete" })), "2026-05-01T09:00:00+00:00");
    let jetstream = |revision: &str| {
        json!({"did": "did:plc:abc", "kind": "commit", "time_us": 1_777_622_400_123_456_u64,
               "commit": {"rev": revision, "operation": "delete", "collection": "app.bsky.feed.post", "rkey": "1"}})
    };
    // The TID of 2024-01-01T00:00:00Z.
    assert_eq!(at(&jetstream("3khuwc44c222b"), Format::Jetstream), "2024-01-01T00:00:00+00:00");
    assert_eq!(at(&jetstream("no revision"), Format::Jetstream), "2026-05-01T08:00:00.123456+00:00");
}

#[test]
fn limits_hold_to_the_byte() {
    for (field, longest) in
        [("id", rules::LONGEST_ID), ("source", rules::LONGEST_SOURCE), ("text", rules::LONGEST_TEXT)]
    {
        post(Format::Post, &native(&json!({ field: "x".repeat(longest) })));
        let rejection =
            decoded(Format::Post, &native(&json!({ field: "x".repeat(longest + 1) }))).unwrap_err();
        assert_eq!(rejection.reason, RejectionReason::Value);
        assert!(
            rejection.detail.starts_with(&format!("`{field}` is {} bytes long", longest + 1)),
            "{rejection}"
        );
    }
    for (field, longest) in [("author", rules::LONGEST_ID), ("link", rules::LONGEST_LINK)] {
        let kept = |bytes: usize| {
            let post = post(Format::Post, &native(&json!({ field: "x".repeat(bytes) })));
            if field == "author" { post.author } else { post.link }
        };
        assert_eq!((kept(longest).is_some(), kept(longest + 1)), (true, None), "{field}");
    }
}

#[test]
fn lists_are_cut_and_never_refused() {
    let numbered = |count: usize| (0..count).map(|n| format!("x{n}")).collect::<Vec<_>>();
    for (field, limit) in
        [("links", rules::LINKS), ("hashtags", rules::HASHTAGS), ("pictures", rules::PICTURES)]
    {
        let kept = |list: &[String]| {
            let post = post(Format::Post, &native(&json!({ field: list })));
            match field {
                "links" => post.links,
                "hashtags" => post.hashtags,
                _ => post.pictures,
            }
        };
        assert_eq!(kept(&numbered(limit.entries)), numbered(limit.entries), "{field}");
        assert_eq!(kept(&numbered(limit.entries + 1)), numbered(limit.entries), "{field}");
        let (fits, too_long) = ("é".repeat(limit.bytes / 2), "x".repeat(limit.bytes + 1));
        let list = [too_long, fits.clone(), String::new(), "a".to_owned(), fits.clone()];
        assert_eq!(kept(&list), [fits, "a".to_owned()], "{field}: what is left out takes no place");
    }
}

/// A quadratic search for duplicates took a quarter of a minute here and delayed all other records.
#[test]
fn a_record_with_very_many_tags_and_links_is_decoded_at_once() {
    let facets: Vec<Value> = (0..10_000)
        .map(|n| {
            json!({ "features": [
                { "$type": "app.bsky.richtext.facet#link", "uri": format!("https://x.example/{n}") },
                { "$type": "app.bsky.richtext.facet#tag", "tag": format!("f{n}") },
            ] })
        })
        .collect();
    let tags: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
    let event = json!({ "did": "did:plc:a", "kind": "commit", "commit": {
        "operation": "create", "collection": "app.bsky.feed.post", "rkey": "3k",
        "record": { "createdAt": "2026-05-01T08:00:00Z", "text": "x", "tags": tags, "facets": facets },
    } });
    let began = std::time::Instant::now();
    let post = post(Format::Jetstream, &event);
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!((post.links.len(), post.hashtags.len()), (rules::LINKS.entries, rules::HASHTAGS.entries));
}

#[test]
fn times_are_kept_to_the_microsecond_within_nine_thousand_years() {
    let at = |time: &str| decoded(Format::Post, &native(&json!({ "created_at": time })));
    for (written, kept) in [
        ("2026-05-01T10:00:00.123456999+02:00", "2026-05-01T08:00:00.123456Z"),
        ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.5Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z"),
    ] {
        let Ok(Decoded::Post(post)) = at(written) else { panic!("{written} is refused") };
        assert_eq!(post.key.created_at, kept.parse::<DateTime<Utc>>().unwrap(), "{written}");
    }
    for outside in ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "0000-06-01T00:00:00Z"] {
        let rejection = at(outside).unwrap_err();
        assert_eq!(rejection.reason, RejectionReason::Value);
        assert!(rejection.detail.contains("years 1 to 9999"), "{rejection}");
    }
}

#[test]
fn records_without_a_payload_or_without_json_say_so() {
    for format in Format::ALL {
        let reason = |record: &Record| only(format, record).unwrap_err().reason;
        assert_eq!(reason(&Record { payload: None, ..record("") }), RejectionReason::Empty);
        assert_eq!(reason(&record("")), RejectionReason::Empty);
        if format == Format::Mapping {
            continue;
        }
        for broken in ["{", "nonsense", " ", "{\"id\": \"1\"} trailing"] {
            assert_eq!(reason(&record(broken)), RejectionReason::Syntax, "{broken}");
        }
        assert_eq!(reason(&record(b"{\"text\": \"\xFF\"}".to_vec())), RejectionReason::Syntax);
        assert_eq!(reason(&record("[".repeat(100_000))), RejectionReason::Syntax);
        let no_object = if format == Format::Rss { RejectionReason::Syntax } else { RejectionReason::Shape };
        assert_eq!(reason(&record("null")), no_object);
    }
}

#[test]
fn a_rejection_repeats_no_more_of_the_payload_than_it_needs() {
    let rejection = decoded(Format::Post, &native(&json!({ "created_at": "é".repeat(9000) }))).unwrap_err();
    assert!(rejection.detail.len() < 400, "{}", rejection.detail.len());
}

#[test]
fn json_is_read_as_sources_write_it() {
    let fields = r#""id": "1", "source": "forum", "created_at": "2026-05-01T08:00:00Z""#;
    for (written, text, repaired) in [
        (format!("\u{FEFF}{{{fields}, \"text\": \"x\"}}\r\n"), "x", false),
        (format!("{{{fields}, \"text\": \"x \\ud83d\"}}"), "x \u{FFFD}", true),
        (
            format!("{{{fields}, \"text\": \"x\", \"extra\": {}{}}}", "[".repeat(500), "]".repeat(500)),
            "x",
            true,
        ),
        (format!("{{{fields}, \"text\": \"AT&amp;T &amp;lt; I &lt;3 it\"}}"), "AT&T &lt; I <3 it", false),
    ] {
        let written = record(written);
        let Ok(Decoded::Post(post)) = only(Format::Post, &written) else { panic!("{written:?}") };
        assert_eq!(post.text, text);
        assert_eq!(repairs(Format::Post, &written).contains("json"), repaired, "{written:?}");
    }
}

#[test]
fn a_frame_of_the_schema_registry_is_passed_over_where_the_topic_says_so() {
    let mut payload = vec![0, 0, 0, 0, 7];
    payload.extend(native(&json!({})).to_string().into_bytes());
    let framed = record(payload);
    let wire = Wire { framing: "schema-registry".parse().unwrap(), ..Format::Post.into() };
    assert_eq!(decode(&wire, &framed).items.len(), 1);
    let rejection = only(Format::Post, &framed).unwrap_err();
    assert_eq!(rejection.reason, RejectionReason::Syntax);
    assert!(rejection.detail.contains("framing = \"schema-registry\""), "{rejection}");
    for plain in [native(&json!({})).to_string().into_bytes(), vec![0, 0, 0, 0]] {
        let rejection = decode(&wire, &record(plain)).rejection.unwrap();
        assert_eq!(rejection.reason, RejectionReason::Syntax);
        assert!(rejection.detail.contains("leave out `framing`"), "{rejection}");
    }
    assert!("avro".parse::<Framing>().is_err());
}

#[test]
fn every_jetstream_event_becomes_what_it_should() {
    for line in lines(&project("tests/fixtures/jetstream_events.jsonl")) {
        let expected = line["expect"].as_str().unwrap();
        match decoded(Format::Jetstream, &line["event"]) {
            Ok(Decoded::Post(post)) => {
                assert_eq!(expected, "post", "{line}");
                check_jetstream_post(&post, &line);
            }
            Ok(Decoded::Removal(removal)) => {
                assert_eq!(expected, "removal", "{line}");
                let (Removed::Post(of) | Removed::Account(of)) = &removal.of;
                assert_eq!(of, line["of"].as_str().unwrap(), "{line}");
            }
            Ok(Decoded::Ignored(ignored)) => assert_eq!(ignored.as_str(), expected, "{line}"),
            Err(rejection) => {
                assert_eq!(expected, "rejection", "{rejection}: {line}");
                assert_eq!(rejection.reason.as_str(), line["reason"].as_str().unwrap(), "{line}");
                assert!(rejection.detail.contains(line["names"].as_str().unwrap()), "{rejection}");
            }
        }
    }
}

fn check_jetstream_post(post: &Post, line: &Value) {
    let did = line["event"]["did"].as_str().unwrap();
    let commit = line["event"].get("commit").unwrap_or(&line["event"]);
    let rkey = commit["rkey"].as_str().unwrap();
    assert_eq!(post.key.source, "bluesky");
    assert_eq!(post.key.id, format!("at://{did}/app.bsky.feed.post/{rkey}"));
    assert_eq!(post.link, Some(format!("https://bsky.app/profile/{did}/post/{rkey}")));
    assert_eq!(post.author.as_deref(), Some(did));
    assert_eq!(post.kind.as_str(), line["kind"].as_str().unwrap(), "{line}");
    for (field, found) in [("links", &post.links), ("hashtags", &post.hashtags), ("pictures", &post.pictures)]
    {
        if let Some(expected) = line.get(field) {
            assert_eq!(&json!(found), expected, "{line}");
        }
    }
    if let Some(expected) = line.get("alt_texts") {
        assert_eq!(&json!(post.alt_texts), expected, "{line}");
    }
    if let Some(expected) = line.get("repaired") {
        let found = repairs(Format::Jetstream, &record(line["event"].to_string()));
        assert_eq!(&json!(found), expected, "{line}");
    }
    if let Some(expected) = line.get("language") {
        assert_eq!(&json!(post.languages.first()), expected, "{line}");
    }
    let text = line.get("text").unwrap_or(&commit["record"]["text"]);
    assert_eq!(&json!(post.text), text);
}

/// A file of real data, where it is there.
pub(super) fn real(name: &str) -> Option<PathBuf> {
    let folder =
        std::env::var_os("OVERHEARD_TEST_DATA").map_or_else(|| project("../shared/data"), PathBuf::from);
    let path = folder.join(name);
    if !path.is_file() {
        eprintln!("SKIPPED: {} is not there; OVERHEARD_TEST_DATA names its folder", path.display());
        return None;
    }
    Some(path)
}

/// One second of real events. They are other people's posts, so they are not in the repository:
/// `OVERHEARD_TEST_DATA` names the folder that has `posts/jetstream.jsonl`.
#[test]
fn real_jetstream_events_are_all_understood() {
    let Some(path) = real("posts/jetstream.jsonl") else { return };
    let mut ignored = BTreeMap::new();
    let mut kinds = BTreeMap::new();
    let mut posts = Vec::new();
    for event in lines(&path) {
        match decoded(Format::Jetstream, &event).unwrap() {
            Decoded::Ignored(kind) => *ignored.entry(kind.as_str()).or_insert(0) += 1,
            Decoded::Removal(_) => *ignored.entry("removal").or_insert(0) += 1,
            Decoded::Post(post) => {
                *kinds.entry(post.kind.as_str()).or_insert(0) += 1;
                posts.push(post);
            }
        }
    }
    let expected =
        [("account", 1), ("deletion", 3), ("follow", 3), ("like", 45), ("repost", 10), ("update", 1)];
    assert_eq!(ignored, BTreeMap::from(expected));
    assert_eq!(kinds, BTreeMap::from([("original", 9), ("reply", 4)]));
    let pictures =
        |part: &str| posts.iter().filter(|post| post.pictures.iter().any(|url| url.contains(part))).count();
    assert_eq!(pictures("/feed_thumbnail/"), 2);
    assert_eq!(pictures("/feed_fullsize/"), 2);
    assert_eq!(posts.iter().filter(|post| !post.links.is_empty()).count(), 4);
}
