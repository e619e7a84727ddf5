use super::mastodon_tests::check;
use super::tests::{lines, project, real, record, repairs};
use super::*;

#[test]
fn pages_become_their_posts_and_a_bad_one_costs_no_other() {
    for line in lines(&project("tests/fixtures/x_pages.jsonl")) {
        let page = Record {
            received_at: "2026-06-01T00:00:00Z".parse().unwrap(),
            ..record(line["record"].to_string())
        };
        let Contents { items, rejection, .. } = decode(&Format::X.into(), &page);
        let expected = line["expect"].as_array().unwrap();
        assert_eq!(items.len(), expected.len(), "{items:?}: {line}");
        for (item, expect) in items.iter().zip(expected) {
            match item {
                Decoded::Post(post) => {
                    assert_eq!(post.key.source, "x");
                    check(post, expect, &line);
                    if let Some(expected) = expect.get("repairs") {
                        assert_eq!(&serde_json::json!(repairs(Format::X, &page)), expected, "{line}");
                    }
                }
                Decoded::Ignored(ignored) => assert_eq!(ignored.as_str(), expect["ignored"], "{line}"),
                Decoded::Removal(removal) => panic!("{removal:?}"),
            }
        }
        assert_eq!(rejection.is_some(), line.get("rejection").is_some(), "{rejection:?}: {line}");
        if let Some(rejection) = rejection {
            assert_eq!(rejection.reason.as_str(), line["rejection"], "{rejection}");
            for name in line["names"].as_array().unwrap() {
                assert!(rejection.detail.contains(name.as_str().unwrap()), "{rejection}");
            }
        }
    }
}

#[test]
fn real_pages_are_understood() {
    let Some(path) = real("posts/x_v2.jsonl") else { return };
    let pages = lines(&path);
    assert_eq!(pages.len(), 2);
    for page in pages {
        let contents = decode(&Format::X.into(), &record(page.to_string()));
        assert_eq!((contents.rejection, contents.repairs), (None, Vec::new()));
        let [Decoded::Post(post)] = contents.items.as_slice() else { panic!("a page has one post") };
        assert_eq!((post.author.as_deref(), post.kind.as_str()), (Some("TwitterDev"), "reply"));
        assert_eq!(post.links.len(), 1);
        assert!(!post.links[0].contains("t.co/"), "{:?}", post.links);
        assert!(post.reach.is_some_and(|reach| reach > 500_000));
    }
}
