//! The published schemas hold what the program writes, and refuse what it never would.

use jsonschema::Validator;
use overheard::alerting::{alert_id, message_id};
use overheard::domain::{Alert, AlertExample, AlertKind, AlertState, Counts};
use serde_json::{Value, json};

/// The validator of alert messages.
pub fn alert() -> Validator {
    let schema: Value = serde_json::from_str(include_str!("../../docs/schemas/alert.schema.json")).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn some_alert(state: AlertState) -> Alert {
    let at = |text: &str| text.parse().unwrap();
    let brand = "red-bull".parse().unwrap();
    let started_at = at("2026-03-01T12:00:01Z");
    let id = alert_id("negative-share", &brand, started_at);
    let resolved = state == AlertState::Resolved;
    let example = AlertExample {
        source: "bluesky".to_owned(),
        post_id: "at://did:plc:x/app.bsky.feed.post/3k".to_owned(),
        created_at: at("2026-03-01T12:00:00.123456Z"),
        link: None,
        text: Some("no".to_owned()),
        label: Some("negative".to_owned()),
        polarity: Some(-0.7),
    };
    Alert {
        message_id: message_id(&id, state),
        id,
        state,
        rule: "negative-share".to_owned(),
        kind: AlertKind::NegativeShare,
        brand,
        started_at,
        fired_at: at("2026-03-01T12:01:01Z"),
        resolved_at: resolved.then(|| at("2026-03-01T12:31:01Z")),
        window_seconds: 300,
        value: 0.75,
        threshold: 0.5,
        counts: if resolved {
            Counts::default()
        } else {
            Counts { negative: 15, neutral: 5, positive: 0, unscored: 0, polarity_sum: -10.0, sightings: 3 }
        },
        late: resolved,
        examples: if resolved { Vec::new() } else { vec![example] },
    }
}

#[test]
fn alerts_fit_their_schema() {
    for state in [AlertState::Firing, AlertState::Resolved] {
        let message = serde_json::to_value(some_alert(state)).unwrap();
        let errors: Vec<String> = alert().iter_errors(&message).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {message:#}");
    }
}

#[test]
fn what_is_no_alert_does_not() {
    let validator = alert();
    let right = serde_json::to_value(some_alert(AlertState::Firing)).unwrap();
    for (pointer, wrong) in [
        ("/state", json!("open")),
        ("/message_id", json!("1")),
        ("/brand", json!("Red Bull")),
        ("/resolved_at", json!("2026-03-01T12:31:01Z")),
        ("/started_at", json!("yesterday")),
        ("/window_seconds", json!(0)),
        ("/value", json!("many")),
        ("/counts/mentions", json!(-1)),
        ("/counts/polarity", json!(2)),
        ("/examples/0/label", json!("angry")),
    ] {
        let mut message = right.clone();
        *message.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&message), "{pointer}");
    }
    for field in right.as_object().unwrap().keys() {
        let mut message = right.clone();
        message.as_object_mut().unwrap().remove(field);
        assert!(!validator.is_valid(&message), "without {field}");
    }
}

#[test]
fn the_post_of_the_examples_fits_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/schemas/post.schema.json")).unwrap();
    let post: Value = serde_json::from_str(include_str!("../../examples/post.json")).unwrap();
    assert!(jsonschema::options().should_validate_formats(true).build(&schema).unwrap().is_valid(&post));
}
