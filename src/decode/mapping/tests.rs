use serde_json::json;

use super::*;
use crate::decode::mastodon_tests::check;
use crate::decode::tests::record;
use crate::decode::{Contents, Format, Wire, decode};

fn wire(keys: &MappingKeys) -> Wire {
    Wire { mapping: Some(Mapping::new(keys).unwrap().into()), ..Format::Mapping.into() }
}

#[expect(clippy::unnecessary_wraps, reason = "the keys are optional")]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// As a vendor of reviews exports them.
fn reviews() -> MappingKeys {
    MappingKeys {
        items: text("result.reviews"),
        source: text("reviews"),
        id: text("id"),
        time: text("published.epoch_ms"),
        time_format: text("milliseconds"),
        text: texts(&["title", "body"]),
        author: text("consumer.name"),
        link: text("links[0].href"),
        reach: text("helpful"),
        language: texts(&["lang"]),
        hashtags: texts(&["topics[*].label"]),
        pictures: texts(&["media[*].url"]),
        alt_texts: texts(&["media[*].caption"]),
        edited: text("updated.epoch_ms"),
        ..MappingKeys::default()
    }
}

/// As a vendor of social media data exports it to a spreadsheet.
fn spreadsheet() -> MappingKeys {
    MappingKeys {
        encoding: text("csv"),
        delimiter: text(";"),
        source_path: text("Page Type"),
        id: text("Resource Id"),
        time: text("Date"),
        time_format: text("%d.%m.%Y %H:%M"),
        text: texts(&["Title", "Full Text"]),
        author: text("Author"),
        link: text("Url"),
        reach: text("Reach (new)"),
        kind: text("Thread Entry Type"),
        separator: text(","),
        hashtags: texts(&["Hashtags"]),
        html: true,
        ..MappingKeys::default()
    }
}

const REVIEWS: &str = r#"{"result": {"page": 1, "reviews": [
    {"id": 81120, "published": {"epoch_ms": 1777622400000}, "updated": {"epoch_ms": "1777622460000"},
     "title": "Great", "body": "AT&amp;T was down", "consumer": {"name": "Kim"}, "helpful": 3, "lang": "en",
     "links": [{"href": "https://reviews.example/81120"}], "topics": [{"label": "outage"}, {"label": "phone"}],
     "media": [{"url": "https://reviews.example/1.jpg", "caption": "A dead phone"}]},
    {"id": "81121", "published": {"epoch_ms": "soon"}, "title": "Lost", "body": "x"},
    {"id": "81122", "published": {"epoch_ms": 1777622400000}, "title": null, "body": "Only a body", "helpful": "many", "lang": "en_US"},
    {"published": {"epoch_ms": 1777622400000}, "body": "x"},
    {"id": "81124", "published": {"epoch_ms": 1777622400000}}
]}}"#;

const SPREADSHEET: &str = "\u{FEFF}Resource Id;Date;Page Type;Title;Full Text;Author;Url;Reach (new);Thread Entry Type;Hashtags\r\n\
    r1;01.05.2026 08:00;forum;;\"<p>Two lines;<br>with a \"\"quote\"\" &amp; more</p>\";lena;https://forum.example/1;12;reply;a, #b\r\n\
    r2;01.05.2026 08:00;forum;short\r\n\
    r3;May 1;forum;t;x;;;;;\r\n";

pub(in crate::decode) fn samples() -> Vec<(Wire, Vec<u8>)> {
    vec![(wire(&reviews()), REVIEWS.into()), (wire(&spreadsheet()), SPREADSHEET.into())]
}

fn decoded(keys: &MappingKeys, payload: &str) -> Contents {
    let received_at = "2026-06-01T00:00:00Z".parse().unwrap();
    decode(&wire(keys), &crate::domain::Record { received_at, ..record(payload) })
}

fn checked(contents: &Contents, expected: &[Value]) {
    assert_eq!(contents.items.len(), expected.len(), "{contents:?}");
    for (item, expected) in contents.items.iter().zip(expected) {
        let Decoded::Post(post) = item else { panic!("{item:?}") };
        check(post, expected, expected);
    }
}

#[test]
fn json_of_a_vendor_is_decoded_and_bad_items_are_named() {
    let contents = decoded(&reviews(), REVIEWS);
    checked(
        &contents,
        &[
            json!({
                "id": "81120", "created_at": "2026-05-01T08:00:00Z", "version": "2026-05-01T08:01:00Z",
                "is_edit": true, "text": "Great\nAT&T was down", "author": "Kim", "reach": 3, "languages": ["en"],
                "link": "https://reviews.example/81120", "hashtags": ["outage", "phone"],
                "pictures": ["https://reviews.example/1.jpg"], "alt_texts": ["A dead phone"],
            }),
            json!({"id": "81122", "is_edit": false, "text": "Only a body", "reach": null, "languages": []}),
        ],
    );
    let detail = contents.rejection.unwrap().detail;
    for part in [
        "3 of 5 can't be used",
        "`result.reviews[1].published.epoch_ms` is \"soon\", not a number of milliseconds",
        "there is nothing at `result.reviews[3].id`, where the mapping has the id",
        "there is nothing at `result.reviews[4].title`, `body`, where the mapping has the text",
    ] {
        assert!(detail.contains(part), "{detail}");
    }
    assert_eq!(
        contents.repairs.iter().map(|repair| repair.as_str()).collect::<Vec<_>>(),
        ["language", "reach"]
    );
}

#[test]
fn csv_of_a_vendor_is_decoded_and_bad_lines_are_named() {
    let contents = decoded(&spreadsheet(), SPREADSHEET);
    checked(
        &contents,
        &[json!({
            "id": "r1", "created_at": "2026-05-01T08:00:00Z", "text": "Two lines;\nwith a \"quote\" & more",
            "author": "lena", "link": "https://forum.example/1", "reach": 12, "kind": "reply", "hashtags": ["a", "b"],
        })],
    );
    let detail = contents.rejection.unwrap().detail;
    assert!(detail.contains("row 3 has 4 fields, and there are 10 columns"), "{detail}");
    assert!(detail.contains("`Date` in `row 4` is \"May 1\""), "{detail}");
    assert_eq!(contents.repairs, [Repair::Zone]);
}

#[test]
fn columns_may_stand_in_the_configuration_and_a_record_may_be_one_post() {
    let columns = texts(&["id", "at", "text"]);
    let keys = MappingKeys {
        encoding: text("csv"),
        columns,
        source: text("crm"),
        id: text("id"),
        time: text("at"),
        text: texts(&["text"]),
        ..MappingKeys::default()
    };
    for payload in ["1,2026-05-01T08:00:00Z,Hello", "id,at,text\n1,2026-05-01T08:00:00Z,Hello\n"] {
        checked(&decoded(&keys, payload), &[json!({"id": "1", "text": "Hello"})]);
    }
    let keys = MappingKeys { encoding: None, columns: Vec::new(), ..keys };
    let one = r#"{"id": "1", "at": "2026-05-01T08:00:00Z", "text": "Hello"}"#;
    checked(&decoded(&keys, one), &[json!({"id": "1"})]);
    checked(&decoded(&keys, &format!("[{one}, {one}]")), &[json!({"id": "1"}), json!({"id": "1"})]);
    for (payload, reason) in [("[]", None), ("7", Some("shape")), ("{", Some("syntax"))] {
        let reason_found = decoded(&keys, payload).rejection.map(|rejection| rejection.reason.as_str());
        assert_eq!(reason_found, reason, "{payload}");
    }
    let keys = MappingKeys { items: text("items"), ..keys };
    assert!(decoded(&keys, one).rejection.unwrap().detail.contains("nothing at `items`"));
}

#[test]
fn every_mistake_of_a_mapping_is_named_by_its_key() {
    let keys = MappingKeys {
        encoding: text("csv"),
        items: text("a"),
        delimiter: text("tab"),
        columns: texts(&["id"]),
        source: text("x"),
        source_path: text("y"),
        id: text("no"),
        time_format: text("iso"),
        ..MappingKeys::default()
    };
    let named: Vec<&str> = Mapping::new(&keys).unwrap_err().into_iter().map(|(key, _)| key).collect();
    assert_eq!(named, ["items", "delimiter", "source", "id", "time", "text", "time_format"]);
    let keys = MappingKeys {
        encoding: text("xml"),
        delimiter: text(";"),
        items: text("a..b"),
        source: text(" "),
        id: text("a["),
        time: text("t"),
        text: texts(&["/a~"]),
        ..MappingKeys::default()
    };
    let named: Vec<&str> = Mapping::new(&keys).unwrap_err().into_iter().map(|(key, _)| key).collect();
    assert_eq!(named, ["encoding", "delimiter", "items", "source", "id", "text"]);
}
