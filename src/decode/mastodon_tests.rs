use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::tests::{lines, only, project, real, record, repairs};
use super::*;
use crate::domain::{PostKind, Removed};

/// The fields of a post that a fixture names.
pub(super) fn check(post: &Post, expect: &Value, context: &Value) {
    for (field, expected) in expect.as_object().unwrap() {
        let found = match field.as_str() {
            "id" => json!(post.key.id),
            "created_at" => json!(post.key.created_at),
            "version" => json!(post.version),
            "is_edit" => json!(post.is_edit),
            "kind" => json!(post.kind.as_str()),
            "text" => json!(post.text),
            "author" => json!(post.author),
            "link" => json!(post.link),
            "reach" => json!(post.reach),
            "languages" => json!(post.languages),
            "links" => json!(post.links),
            "hashtags" => json!(post.hashtags),
            "pictures" => json!(post.pictures),
            "alt_texts" => json!(post.alt_texts),
            "repairs" => continue,
            other => panic!("{other} is not looked at"),
        };
        assert_eq!(&found, expected, "{field} of {context}");
    }
}

#[test]
fn statuses_and_messages_become_what_they_should() {
    for line in lines(&project("tests/fixtures/mastodon.jsonl")) {
        let expect = &line["expect"];
        let record = Record {
            received_at: "2026-06-01T00:00:00Z".parse().unwrap(),
            ..record(line["record"].to_string())
        };
        match only(Format::Mastodon, &record) {
            Ok(Decoded::Post(post)) => {
                assert_eq!(post.key.source, "mastodon");
                check(&post, expect, &line);
                let expected = expect.get("repairs").cloned().unwrap_or(json!([]));
                assert_eq!(json!(repairs(Format::Mastodon, &record)), expected, "{line}");
            }
            Ok(Decoded::Removal(removal)) => {
                assert_eq!(
                    removal.of,
                    Removed::Post(expect["removal"].as_str().unwrap().to_owned()),
                    "{line}"
                );
            }
            Ok(Decoded::Ignored(ignored)) => assert_eq!(ignored.as_str(), expect["ignored"], "{line}"),
            Err(rejection) => {
                assert_eq!(rejection.reason.as_str(), expect["rejection"], "{rejection}: {line}");
                assert!(rejection.detail.contains(expect["names"].as_str().unwrap()), "{rejection}");
            }
        }
    }
}

/// A status, and messages of a stream that a producer has yet to name its server in.
#[test]
fn real_statuses_and_messages_are_understood() {
    let (Some(status), Some(stream)) =
        (real("posts/mastodon_status.json"), real("posts/mastodon_stream.jsonl"))
    else {
        return;
    };
    let Ok(Decoded::Post(post)) = only(Format::Mastodon, &record(std::fs::read(status).unwrap())) else {
        panic!("it is a status")
    };
    assert_eq!(post.key.id, "mastodon.social/103270115826048975");
    assert_eq!((post.author.as_deref(), post.reach), (Some("@Gargron@mastodon.social"), Some(322_930)));
    assert_eq!(post.links.len(), 1);
    assert!(post.text.ends_with(&post.links[0]) && post.text.starts_with('"'), "{}", post.text);
    let mut kinds = BTreeSet::new();
    for mut message in lines(&stream) {
        message["server"] = "mastodon.social".into();
        kinds.insert(match only(Format::Mastodon, &record(message.to_string())).unwrap() {
            Decoded::Post(post) => {
                assert_eq!(
                    (post.key.id.as_str(), post.kind),
                    ("mastodon.social/108913983692647032", PostKind::Reply)
                );
                "post"
            }
            Decoded::Removal(removal) => {
                assert_eq!(removal.of, Removed::Post("mastodon.social/106692867363994015".to_owned()));
                "removal"
            }
            Decoded::Ignored(_) => "ignored",
        });
    }
    assert_eq!(kinds, BTreeSet::from(["ignored", "post", "removal"]));
}
