use serde_json::json;

use super::mastodon_tests::check;
use super::tests::{project, record};
use super::*;

fn posts(payload: &[u8]) -> (Vec<Post>, Contents) {
    let received_at = "2026-06-01T00:00:00Z".parse().unwrap();
    let contents = decode(&Format::Rss.into(), &Record { received_at, ..record(payload) });
    let post = |item: &Decoded| match item {
        Decoded::Post(post) => (**post).clone(),
        other => panic!("{other:?}"),
    };
    (contents.items.iter().map(post).collect(), contents)
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(project("tests/fixtures").join(name)).unwrap()
}

#[test]
fn items_of_rss_become_posts() {
    let (posts, contents) = posts(&fixture("rss.xml"));
    let expected = [
        json!({
            "id": "news.example/n2", "created_at": "2026-05-01T08:00:00Z", "is_edit": false, "author": "Lena",
            "text": "Newer & better\nAT&T buys a maker\nof cans", "link": "https://news.example/2",
            "languages": ["en-gb"], "links": ["https://other.example/x"], "alt_texts": ["A red can"],
            "pictures": ["https://news.example/2.jpg", "https://news.example/in.png"],
        }),
        // When it arrived.
        json!({
            "id": "https://news.example/1", "created_at": "2026-06-01T00:00:00Z", "text": "No date and no guid",
        }),
    ];
    assert_eq!(posts.len(), expected.len(), "{posts:?}");
    for (post, expected) in posts.iter().zip(&expected) {
        assert_eq!(post.key.source, "rss");
        check(post, expected, expected);
    }
    let rejection = contents.rejection.unwrap();
    assert!(rejection.detail.contains("1 of 3 can't be used: `item[2].id` is empty"), "{rejection}");
    assert_eq!(contents.repairs, [Repair::Time]);
}

#[test]
fn entries_of_atom_become_posts_and_a_later_version_is_an_edit() {
    let (posts, contents) = posts(&fixture("atom.xml"));
    let expected = [
        json!({
            "id": "tag:blog.example,2026:1", "text": "Kaffee & Kuchen\nMit Sahne\nund Zucker", "author": "Käthe",
            "languages": ["de"], "is_edit": true, "version": "2026-05-01T08:30:00Z",
            "created_at": "2026-05-01T08:00:00Z", "link": "https://blog.example/1",
        }),
        json!({
            "id": "tag:blog.example,2026:2", "text": "Nur Tee\nOhne alles", "is_edit": false,
            "created_at": "2026-05-01T09:00:00Z",
        }),
    ];
    assert_eq!((posts.len(), contents.rejection), (2, None));
    for (post, expected) in posts.iter().zip(&expected) {
        check(post, expected, expected);
    }
}

#[test]
fn what_is_no_feed_is_rejected_and_an_empty_one_ignored() {
    for payload in ["", "<html><body>Hello</body></html>", "<rss version=\"2.0\"><channel><item>", "plain"] {
        assert!(decode(&Format::Rss.into(), &record(payload)).rejection.is_some(), "{payload}");
    }
    let empty = "<rss version=\"2.0\"><channel><title>x</title></channel></rss>";
    assert_eq!(decode(&Format::Rss.into(), &record(empty)).items, [Decoded::Ignored(Ignored::Empty)]);
}

#[test]
fn a_deeply_nested_document_does_not_exhaust_the_stack() {
    let entry = |inner: &str| {
        format!("<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><id>a</id>{inner}</entry></feed>")
    };
    let open = "<div>".repeat(200_000);
    let closed = format!("{open}{}", "</div>".repeat(200_000));
    for inner in [&open, &closed] {
        for inner in [
            inner.clone(),
            format!("<content type=\"xhtml\">{inner}</content>"),
            format!("<author>{inner}</author>"),
        ] {
            let contents = decode(&Format::Rss.into(), &record(entry(&inner)));
            assert!(!contents.items.is_empty() || contents.rejection.is_some());
        }
    }
}
