//! Properties that hold for any record of any format.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{is_over_a_limit_in_bytes, lines, native, project, record, schema};
use super::*;

/// JSON of any shape, with the field names of both formats among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "id",
        "source",
        "created_at",
        "text",
        "kind",
        "reach",
        "links",
        "did",
        "commit",
        "operation",
        "collection",
        "rkey",
        "record",
        "createdAt",
        "embed",
        "$type",
        "images",
        "image",
        "facets",
        "features",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            "commit",
            "create",
            "app.bsky.feed.post",
            "2026-05-01T08:00:00Z",
            "did:plc:a"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..12)
                .prop_map(|map| Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

/// Records of every format.
fn samples() -> Vec<(Wire, Vec<u8>)> {
    let mut samples = Vec::new();
    for (format, name) in [
        (Format::Post, "post_accepted"),
        (Format::Jetstream, "jetstream_events"),
        (Format::Mastodon, "mastodon"),
        (Format::X, "x_pages"),
    ] {
        for line in lines(&project(&format!("tests/fixtures/{name}.jsonl"))) {
            let payload = line.get("event").or_else(|| line.get("record")).unwrap_or(&line);
            samples.push((format.into(), payload.to_string().into_bytes()));
        }
    }
    for name in ["rss.xml", "atom.xml"] {
        samples.push((Format::Rss.into(), std::fs::read(project("tests/fixtures").join(name)).unwrap()));
    }
    samples.extend(mapping::tests::samples());
    samples
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        for format in Format::ALL {
            let _ = decode(&format.into(), &record(bytes.clone()));
        }
    }

    #[test]
    fn arbitrary_json_never_panics(value in any_json()) {
        for format in Format::ALL {
            let _ = decode(&format.into(), &record(value.to_string()));
        }
    }

    /// Real-looking records, with a piece left out, doubled or overwritten.
    #[test]
    fn a_broken_record_never_panics(
        sample in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        length in 0usize..40,
        with: Vec<u8>,
    ) {
        let samples = samples();
        let (wire, payload) = sample.get(&samples);
        let from = from.index(payload.len());
        let to = (from + length).min(payload.len());
        let mut broken = payload.clone();
        broken.splice(from..to, with.into_iter().take(8));
        let contents = decode(wire, &record(broken));
        prop_assert!(!contents.items.is_empty() || contents.rejection.is_some());
    }

    /// Where the schema refuses a field, the record is rejected, or that field is left out.
    #[test]
    fn the_schema_and_the_decoder_agree_on_any_value_of_a_field(
        field in prop::sample::select(vec![
            "id", "source", "text", "author", "link", "language", "kind", "reach", "links", "hashtags", "pictures",
        ]),
        value in any_json(),
    ) {
        let (_, validator) = schema();
        let example = native(&json!({ field: value }));
        let Contents { rejection, repairs, .. } = decode(&Format::Post.into(), &record(example.to_string()));
        let is_needed = ["id", "source", "text"].contains(&field);
        match rejection {
            Some(rejection) => prop_assert!(
                is_needed && (!validator.is_valid(&example) || is_over_a_limit_in_bytes(&rejection)),
                "{}: {}", rejection, example,
            ),
            None if is_needed => prop_assert!(validator.is_valid(&example), "{}", example),
            None => prop_assert!(
                validator.is_valid(&example) || !repairs.is_empty() || example[field].is_string(),
                "{}", example,
            ),
        }
    }
}
