//! Alerts from counts to messages, and who may evaluate.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use overheard::alerting::{Condition, Counts, Needs, Rule, Series, Watched};
use overheard::domain::{AlertState, BrandId};
use overheard::store::{EvaluationLock, Store, StoreError, StoredPost};
use serde_json::Value;
use sqlx::PgPool;

use super::{BAD, EVEN, GOOD, at, post};
use crate::postgres::TestDatabase;

const TOPIC: &str = "alerts";

fn rules() -> Vec<Rule> {
    let rule = |id: &str, condition| Rule {
        id: id.to_owned(),
        condition,
        brands: Watched::All,
        window: Duration::from_mins(5),
        hold_for: Duration::from_mins(1),
        keep_firing_for: Duration::from_mins(2),
        cooldown: Duration::from_mins(10),
    };
    vec![
        rule("share", Condition::NegativeShare { share: 0.5, min_mentions: 10 }),
        rule(
            "spike",
            Condition::Volume {
                baseline: Duration::from_hours(1),
                min_history: 3,
                deviations: 3.0,
                min_ratio: 2.0,
                min_mentions: 10,
            },
        ),
    ]
}

fn brands() -> Vec<BrandId> {
    ["acme", "vmware"].map(|id| id.parse().unwrap()).into()
}

fn minute(offset: i64) -> DateTime<Utc> {
    at("2026-03-01T12:00:00Z") + TimeDelta::minutes(offset)
}

/// An even mention a minute, and at minute 30 twenty that are angry.
fn hour() -> Vec<StoredPost> {
    let one = |id: String, offset, scores| post(&id, &minute(offset).to_rfc3339(), &[("vmware", scores)]);
    let calm = (0..60).map(|offset| one(format!("calm{offset}"), offset, EVEN));
    calm.chain((0..20).map(|n| {
        let mut angry = one(format!("angry{n:02}"), 30, BAD);
        angry.post.reach = Some(n);
        angry
    }))
    .collect()
}

/// Tries once for the right to evaluate.
async fn evaluation(store: &Store) -> Result<Option<EvaluationLock>, StoreError> {
    store.evaluation_candidate().try_lock().await
}

async fn states(pool: &PgPool) -> Vec<(String, String)> {
    sqlx::query_as("SELECT rule, state FROM overheard.alert_history ORDER BY rule")
        .fetch_all(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_incident_fires_once_and_resolves_and_its_messages_wait_in_order() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&hour()).await.unwrap();
    let (rules, brands) = (rules(), brands());

    let mut told = Vec::new();
    for offset in 25..50 {
        // Another process each time: nothing is kept in memory.
        let mut lock = evaluation(&store).await.unwrap().expect("the lock is free");
        let now = minute(offset) + TimeDelta::milliseconds(1234);
        told.extend(lock.evaluate(&rules, &brands, now, TOPIC).await.unwrap());
        assert_eq!(lock.evaluate(&rules, &brands, now, TOPIC).await.unwrap(), [], "the same time again");
        lock.release().await;
        if offset == 32 {
            let open: i64 = sqlx::query_scalar("SELECT count(*) FROM overheard.open_alerts")
                .fetch_one(&pool)
                .await
                .unwrap();
            assert_eq!(open, 2);
        }
    }
    let messages: Vec<_> = told.iter().map(|alert| (alert.rule.as_str(), alert.state)).collect();
    assert_eq!(
        messages,
        [
            ("share", AlertState::Firing),
            ("spike", AlertState::Firing),
            ("share", AlertState::Resolved),
            ("spike", AlertState::Resolved)
        ]
    );
    let fired = &told[0];
    assert_eq!(
        (fired.started_at, fired.fired_at),
        (minute(30) + TimeDelta::seconds(1), minute(31) + TimeDelta::seconds(1))
    );
    assert_eq!((fired.counts.mentions, fired.counts.negative, fired.counts.neutral), (25, 20, 5));
    let shown: Vec<_> = fired.examples.iter().map(|example| example.post_id.as_str()).collect();
    assert_eq!(shown, ["angry19", "angry18", "angry17", "angry16", "angry15"]);
    assert_eq!(fired.examples[0].link.as_deref(), Some("https://example.org/angry19"));
    assert_eq!(
        states(&pool).await,
        [("share".into(), "resolved".into()), ("spike".into(), "resolved".into())]
    );

    // The outbox holds them in order until they are marked, and again after a relay that died.
    let pending = store.pending(10).await.unwrap();
    let ids: Vec<_> = pending.iter().map(|message| &message.message_id).collect();
    assert_eq!(ids, told.iter().map(|alert| &alert.message_id).collect::<Vec<_>>());
    assert_eq!(store.pending(10).await.unwrap(), pending);
    assert_eq!(store.pending(2).await.unwrap(), pending[..2]);
    for (message, alert) in pending.iter().zip(&told) {
        assert_eq!((message.topic.as_str(), message.key.as_str()), (TOPIC, "vmware"));
        let payload: Value = serde_json::from_str(&message.payload).unwrap();
        let written = serde_json::to_string(alert).unwrap();
        assert_eq!(payload, serde_json::from_str::<Value>(&written).unwrap());
        assert!(crate::schemas::alert().is_valid(&payload), "{payload}");
    }
    store.mark_sent(&[pending[0].id, pending[1].id]).await.unwrap();
    store.mark_sent(&[pending[0].id]).await.unwrap();
    assert_eq!(store.pending(10).await.unwrap(), pending[2..]);

    // Sent ones go after a day, the others stay.
    assert_eq!(store.forget_sent().await.unwrap(), 0);
    sqlx::query("UPDATE overheard.outbox SET sent_at = sent_at - interval '25 hours'")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(store.forget_sent().await.unwrap(), 2);
    assert_eq!(store.pending(10).await.unwrap(), pending[2..]);
}

#[tokio::test]
async fn saving_the_same_again_changes_nothing() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&hour()).await.unwrap();
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    lock.evaluate(&rules(), &brands(), minute(30), TOPIC).await.unwrap();
    let alerts = lock.evaluate(&rules(), &brands(), minute(31), TOPIC).await.unwrap();
    assert_eq!(alerts.len(), 2);
    // As after a commit whose answer was lost.
    lock.save(&[], &alerts, TOPIC).await.unwrap();
    assert_eq!(store.pending(10).await.unwrap().len(), 2);
    assert_eq!(states(&pool).await.len(), 2);
}

#[tokio::test]
async fn what_fires_resolves_when_its_rule_or_brand_is_gone() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&hour()).await.unwrap();
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    lock.evaluate(&rules(), &brands(), minute(30), TOPIC).await.unwrap();
    let fired = lock.evaluate(&rules(), &brands(), minute(31), TOPIC).await.unwrap();
    let gone = lock.evaluate(&rules()[..1], &brands(), minute(32), TOPIC).await.unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!((&gone[0].id, gone[0].state), (&fired[1].id, AlertState::Resolved));
    assert!(crate::schemas::alert().is_valid(&serde_json::to_value(&gone[0]).unwrap()));
    let gone = lock.evaluate(&rules()[..1], &brands()[..1], minute(32), TOPIC).await.unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!(
        states(&pool).await,
        [("share".into(), "resolved".into()), ("spike".into(), "resolved".into())]
    );
    assert!(lock.phases().await.unwrap().is_empty());
}

/// Twenty mentions in minute 30, which came in as they were posted.
fn burst(brand: &str) -> impl Iterator<Item = StoredPost> {
    (0..20).map(move |n| {
        let mut post = post(&format!("{brand}{n}"), &minute(30).to_rfc3339(), &[(brand, EVEN)]);
        post.received_at = minute(30);
        post
    })
}

/// The brands of which the volume rule says that they are mentioned too much.
async fn spikes(lock: &mut EvaluationLock) -> Vec<String> {
    let mut told = Vec::new();
    for offset in [30, 31] {
        told.extend(lock.evaluate(&rules()[1..], &brands(), minute(offset), TOPIC).await.unwrap());
    }
    told.into_iter().map(|alert| alert.brand.to_string()).collect()
}

#[tokio::test]
async fn a_back_dated_post_makes_no_history_and_a_rare_mention_does() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    // Both claim a mention of three days ago; that of acme really came then.
    let old = (minute(0) - TimeDelta::days(3)).to_rfc3339();
    let mut posts: Vec<_> = burst("acme").chain(burst("vmware")).collect();
    for (brand, received_at) in [("acme", minute(0) - TimeDelta::days(3)), ("vmware", minute(29))] {
        let mut rare = post(&format!("old {brand}"), &old, &[(brand, EVEN)]);
        rare.received_at = received_at;
        posts.push(rare);
    }
    store.write(&posts).await.unwrap();
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    assert_eq!(spikes(&mut lock).await, ["acme"]);

    // What is known stays known when the mentions are removed.
    sqlx::query("DELETE FROM overheard.mentions").execute(&pool).await.unwrap();
    let needs = Needs { grain_minutes: 5, buckets: 1 };
    let found = lock.series(&brands(), needs, minute(31)).await.unwrap();
    let mut expected = Series::new(minute(31), 5);
    expected.begin(minute(29));
    expected.add(0, Counts { neutral: 20, ..Counts::default() });
    assert_eq!(found[&brands()[1]], expected);
}

#[tokio::test]
async fn counts_come_as_the_rules_look_at_them() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let mut posts = hour();
    posts.push(post("1970", "1970-01-01T00:00:00Z", &[("vmware", GOOD)]));
    posts.push(post("next year", "2027-01-01T00:00:00Z", &[("vmware", GOOD)]));
    posts.push(post("german", &minute(30).to_rfc3339(), &[("vmware", GOOD)]));
    posts.last_mut().unwrap().post.language = Some("de".to_owned());
    store.write(&posts).await.unwrap();

    let mut lock = evaluation(&store).await.unwrap().unwrap();
    let needs = Needs { grain_minutes: 5, buckets: 4 };
    let now = minute(33) + TimeDelta::seconds(59);
    let found = lock.series(&brands(), needs, now).await.unwrap();
    assert_eq!(found.keys().map(BrandId::as_str).collect::<Vec<_>>(), ["vmware"]);

    let vmware = &found[&brands()[1]];
    let shown = format!("{vmware:?}");
    let mut expected = Series::new(now, 5);
    expected.begin(minute(0));
    let even = |neutral| Counts { neutral, ..Counts::default() };
    for age in 0..4 {
        expected.add(age, even(5));
    }
    expected.add(0, Counts { negative: 20, positive: 1, ..Counts::default() });
    // All but the sums of polarity, which are floating-point numbers.
    let without_polarity = |text: &str| -> Vec<String> {
        text.split(", ").filter(|part| !part.starts_with("polarity_sum")).map(str::to_owned).collect()
    };
    assert_eq!(without_polarity(&shown), without_polarity(&format!("{expected:?}")));
}

#[tokio::test]
async fn one_process_at_a_time_evaluates_and_its_death_frees_the_lock() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let other = Store::connect_lazy(database.options()).unwrap();

    let mut held = evaluation(&store).await.unwrap().expect("the lock is free");
    assert!(evaluation(&other).await.unwrap().is_none());
    assert!(evaluation(&store).await.unwrap().is_none(), "not even for the same process");
    // Other work goes on, and another lock is another lock.
    let mut relay = other.relay_candidate().try_lock().await.unwrap().expect("the relay's lock is free");
    assert!(store.relay_candidate().try_lock().await.unwrap().is_none());
    assert!(relay.is_held().await);

    sqlx::query(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND database =
             (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .execute(&pool)
    .await
    .unwrap();
    let error = held.evaluate(&rules(), &brands(), minute(0), TOPIC).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(!relay.is_held().await);
    let next = evaluation(&other).await.unwrap().expect("the lock went with its connection");
    next.release().await;
    let dropped = evaluation(&store).await.unwrap().expect("released");
    drop(dropped);
    // The server notices the closed socket in its own time.
    while evaluation(&store).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
}

/// The server's processes for the program's sessions in this database.
async fn sessions(pool: &PgPool) -> Vec<i32> {
    sqlx::query_scalar(
        "SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'overheard' ORDER BY pid",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn who_waits_for_a_lock_keeps_one_session_and_then_holds_the_lock_with_it() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let held = evaluation(&store).await.unwrap().expect("the lock is free");
    let mut waiting = [(); 3].map(|()| store.evaluation_candidate());
    let mut relays = [(); 2].map(|()| store.relay_candidate());
    let relay = relays[0].try_lock().await.unwrap().expect("the relay's lock is free");
    for candidate in &mut waiting {
        assert!(candidate.try_lock().await.unwrap().is_none());
    }
    assert!(relays[1].try_lock().await.unwrap().is_none());
    let before = sessions(&pool).await;
    for _ in 0..10 {
        for candidate in &mut waiting {
            assert!(candidate.try_lock().await.unwrap().is_none());
        }
        assert!(relays[1].try_lock().await.unwrap().is_none());
        assert!(sessions(&pool).await.iter().all(|pid| before.contains(pid)), "a try makes no session");
    }

    held.release().await;
    relay.release().await;
    let mut next = waiting[0].try_lock().await.unwrap().expect("released");
    assert!(waiting[1].try_lock().await.unwrap().is_none());
    next.evaluate(&rules(), &brands(), minute(0), TOPIC).await.unwrap();
    assert!(sessions(&pool).await.iter().all(|pid| before.contains(pid)), "nobody connected anew");

    // A waiting session that ends is an error once, and then replaced.
    let end_all = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'overheard'";
    sqlx::query(end_all).execute(&pool).await.unwrap();
    assert!(waiting[1].try_lock().await.unwrap_err().is_transient());
    assert!(waiting[1].try_lock().await.unwrap().is_some());
}
