//! The store against a real Postgres.

mod alerts;
mod batch;
mod clocks;
mod counts;
mod horizon;
mod identity;
mod known_pictures;
mod late_counts;
mod more_rules;
mod mutes;
mod partitions;
mod picture_leases;
mod pictures;
mod plans;
mod rescoring;
mod schema;
mod views;

use chrono::{DateTime, Utc};
use overheard::domain::{
    Judgement, Language, Mention, ModelId, Post, PostKey, QueryVersion, Score, Sentiment, Span,
};
use overheard::store::StoredPost;

/// A time, written as in RFC 3339.
fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// What a model made of an English text.
fn judgement(probabilities: [f32; 3], model: &str) -> Judgement {
    let (name, version) = model.split_once('@').unwrap();
    let sentiment = Sentiment::new(probabilities).unwrap();
    Judgement {
        language: Some(Language::ENGLISH),
        score: Some(Score { sentiment, model: ModelId::new(name, version) }),
    }
}

/// A post that names each brand once, with the given probabilities.
fn post(id: &str, created_at: &str, brands: &[(&str, [f32; 3])]) -> StoredPost {
    let mention = |(brand, probabilities): &(&str, [f32; 3])| Mention {
        brand: brand.parse().unwrap(),
        query: QueryVersion::of(brand),
        spans: vec![Span { start: 0, end: brand.len() }],
        judgement: judgement(*probabilities, "m@1"),
    };
    StoredPost {
        post: Post {
            author: Some("did:plc:someone".to_owned()),
            link: Some(format!("https://example.org/{id}")),
            languages: vec!["en".to_owned()],
            reach: Some(12),
            ..Post::new(
                PostKey { source: "bluesky".to_owned(), id: id.to_owned(), created_at: at(created_at) },
                format!("what {id} says"),
            )
        },
        received_at: at("2026-03-01T12:00:30Z"),
        mentions: brands.iter().map(mention).collect(),
        kept: true,
    }
}

const BAD: [f32; 3] = [0.8, 0.1, 0.1];
const EVEN: [f32; 3] = [0.1, 0.8, 0.1];
const GOOD: [f32; 3] = [0.1, 0.1, 0.8];

/// Options for a server that is not there: the port was free a moment ago.
fn unreachable() -> overheard::store::Options {
    use std::time::Duration;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    overheard::store::Options {
        url: overheard::domain::SecretString::from(format!("postgres://nobody@127.0.0.1:{port}/none")),
        password: None,
        max_connections: std::num::NonZeroUsize::MIN,
        connect_timeout: Duration::from_millis(500),
        statement_timeout: Duration::from_millis(500),
        lock_timeout: Duration::from_secs(10),
        idle_in_transaction_timeout: Duration::from_secs(5),
        migrate: false,
        keep_text: true,
        keep_author: true,
        remember_removals: Duration::from_hours(24),
        partitions_ahead: 1,
        retention_posts: None,
        retention_counts: None,
        pictures: crate::support::database::PICTURES,
    }
}
