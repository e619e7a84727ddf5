//! Rules on silence and on first sightings, from rows to messages.

use std::time::Duration;

use chrono::TimeDelta;
use overheard::alerting::{Condition, Rule, Watched};
use overheard::domain::{AlertKind, AlertState};

use super::alerts::{brands, evaluated, evaluation, minute};
use super::pictures::{finished, lease, pictured};
use super::{BAD, EVEN, at, post};
use crate::support::database::TestDatabase;

fn rule(condition: Condition) -> Rule {
    Rule {
        id: "r".to_owned(),
        condition,
        brands: Watched::All,
        window: Duration::from_mins(5),
        hold_for: Duration::ZERO,
        keep_firing_for: Duration::ZERO,
        cooldown: Duration::from_mins(10),
    }
}

#[tokio::test]
async fn a_network_that_normally_speaks_and_is_silent_alerts_and_resolves_when_it_speaks_again() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let mut posts = Vec::new();
    for offset in (0..60).filter(|offset| !(40..50).contains(offset)) {
        for number in 0..2 {
            let mut heard =
                post(&format!("{offset}-{number}"), &minute(offset).to_rfc3339(), &[("vmware", EVEN)]);
            heard.received_at = minute(offset);
            posts.push(heard);
        }
    }
    // Another network goes on all the time.
    for offset in 0..60 {
        let mut other = post(&format!("other-{offset}"), &minute(offset).to_rfc3339(), &[("vmware", EVEN)]);
        other.post.key.source = "mastodon".to_owned();
        posts.push(other);
    }
    store.write(&posts).await.unwrap();
    let silence = |source: Option<&str>| {
        rule(Condition::Silence {
            source: source.map(str::to_owned),
            baseline: Duration::from_hours(1),
            min_history: 4,
            min_mentions: 5,
        })
    };
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    let mut told = Vec::new();
    for offset in 35..60 {
        told.extend(
            evaluated(&mut lock, &[silence(Some("bluesky"))], &brands(), minute(offset)).await.unwrap(),
        );
    }
    let changes: Vec<_> = told.iter().map(|alert| (alert.state, alert.started_at)).collect();
    assert_eq!(changes, [(AlertState::Firing, minute(45)), (AlertState::Resolved, minute(45))]);
    assert_eq!((told[0].kind, told[0].counts.mentions(), told[0].examples.len()), (AlertKind::Silence, 0, 0));
    assert!((told[0].threshold - 10.0).abs() < 1e-9, "{told:?}");
    for alert in &told {
        assert!(crate::schemas::alert().is_valid(&serde_json::to_value(alert).unwrap()));
    }
}

#[tokio::test]
async fn a_logo_after_a_long_time_without_one_alerts_once_with_the_post_that_shows_it() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    // The brand is known for two days, by text.
    let mut old = post("old", "2026-02-27T12:00:00Z", &[("acme", EVEN)]);
    old.received_at = at("2026-02-27T12:00:00Z");
    store.write(&[old, post("text", "2026-03-01T12:00:20Z", &[("acme", BAD)])]).await.unwrap();
    store.write(&[pictured("shows", 0, &[], &["https://a.example/1"])]).await.unwrap();
    let leased = lease(&store, 1).await;
    store.finish_pictures(&[finished(&leased[0], &["acme"], BAD)]).await.unwrap();
    let first = |days: u64| rule(Condition::FirstSighting { absent_for: Duration::from_hours(24 * days) });
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    let told = evaluated(&mut lock, &[first(3)], &brands(), minute(1)).await.unwrap();
    assert_eq!(told, [], "it is not known for so long");
    let told = evaluated(&mut lock, &[first(1)], &brands(), minute(2)).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].kind, told[0].counts.sightings), (AlertKind::FirstSighting, 1));
    let shown: Vec<_> = told[0].examples.iter().map(|example| example.post_id.as_str()).collect();
    assert_eq!(shown, ["shows"]);
    assert!(crate::schemas::alert().is_valid(&serde_json::to_value(&told[0]).unwrap()));
    let mut rest = Vec::new();
    for offset in 3..10 {
        rest.extend(evaluated(&mut lock, &[first(1)], &brands(), minute(offset)).await.unwrap());
    }
    assert_eq!(rest.iter().map(|alert| alert.state).collect::<Vec<_>>(), [AlertState::Resolved]);

    // Where one was seen a while before, it is no first one.
    sqlx::query(
        "INSERT INTO overheard.mention_counts
         SELECT (jsonb_populate_record(c, jsonb_build_object('minute', c.minute - $1::interval))).*
         FROM overheard.mention_counts c WHERE sightings > 0",
    )
    .bind(TimeDelta::hours(20))
    .execute(&pool)
    .await
    .unwrap();
    lock.release().await;
    sqlx::raw_sql("TRUNCATE overheard.alert_progress, overheard.alert_states").execute(&pool).await.unwrap();
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    let told = evaluated(&mut lock, &[first(1)], &brands(), minute(2)).await.unwrap();
    assert_eq!(told, []);
}
