//! Alerts from counts to messages, and who may evaluate.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use overheard::alerting::{Condition, PastNeeds, Reach, Rule, Watched};
use overheard::domain::{Alert, AlertState, BrandId};
use overheard::pipeline::{AlertTiming, PastCache, evaluate_rules};
use overheard::store::{Evaluation, Judgements, LeaderLock, Pasts, Relay, Store, StoreError, StoredPost};
use serde_json::Value;
use sqlx::PgPool;

use super::{BAD, EVEN, GOOD, at, post};
use crate::support::database::TestDatabase;

/// As shipped.
pub const TIMING: AlertTiming =
    AlertTiming { behind_after: Duration::from_mins(2), lateness: Duration::from_hours(1) };

/// Evaluates where everything is read.
pub async fn evaluated(
    lock: &mut LeaderLock<Evaluation>,
    rules: &[Rule],
    brands: &[BrandId],
    now: DateTime<Utc>,
) -> Result<Vec<Alert>, StoreError> {
    let reach = Reach { now, horizon: Some(now) };
    evaluate_rules(lock, rules, brands, reach, TIMING, &mut PastCache::default()).await
}

pub fn rules() -> Vec<Rule> {
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

pub fn brands() -> Vec<BrandId> {
    ["acme", "vmware"].map(|id| id.parse().unwrap()).into()
}

pub fn minute(offset: i64) -> DateTime<Utc> {
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
pub async fn evaluation(store: &Store) -> Result<Option<LeaderLock<Evaluation>>, StoreError> {
    store.candidate().try_lock().await
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
        told.extend(evaluated(&mut lock, &rules, &brands, now).await.unwrap());
        assert_eq!(evaluated(&mut lock, &rules, &brands, now).await.unwrap(), [], "the same time again");
        lock.release().await;
        if offset == 33 {
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
    assert_eq!((fired.started_at, fired.fired_at), (minute(31), minute(32)));
    assert_eq!((fired.counts.mentions(), fired.counts.negative, fired.counts.neutral), (25, 20, 5));
    assert!(!fired.late);
    let shown: Vec<_> = fired.examples.iter().map(|example| example.post_id.as_str()).collect();
    assert_eq!(shown, ["angry19", "angry18", "angry17", "angry16", "angry15"]);
    assert_eq!(fired.examples[0].link.as_deref(), Some("https://example.org/angry19"));
    assert_eq!(
        states(&pool).await,
        [("share".into(), "resolved".into()), ("spike".into(), "resolved".into())]
    );

    // The outbox holds them in order until they are marked, and again after a relay that died.
    let pending = store.pending(10, &[]).await.unwrap();
    let ids: Vec<_> = pending.iter().map(|message| &message.message_id).collect();
    assert_eq!(ids, told.iter().map(|alert| &alert.message_id).collect::<Vec<_>>());
    assert_eq!(store.pending(10, &[]).await.unwrap(), pending);
    assert_eq!(store.pending(2, &[]).await.unwrap(), pending[..2]);
    for (message, alert) in pending.iter().zip(&told) {
        assert_eq!(message.key.as_str(), "vmware");
        let payload: Value = serde_json::from_str(&message.payload).unwrap();
        let written = serde_json::to_string(alert).unwrap();
        assert_eq!(payload, serde_json::from_str::<Value>(&written).unwrap());
        assert!(crate::schemas::alert().is_valid(&payload), "{payload}");
    }
    store.mark_sent(&[pending[0].id, pending[1].id]).await.unwrap();
    store.mark_sent(&[pending[0].id]).await.unwrap();
    assert_eq!(store.pending(10, &[]).await.unwrap(), pending[2..]);

    // Sent ones go after a day, the others stay.
    assert_eq!(store.forget_sent().await.unwrap(), 0);
    sqlx::query("UPDATE overheard.outbox SET sent_at = sent_at - interval '25 hours'")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(store.forget_sent().await.unwrap(), 2);
    assert_eq!(store.pending(10, &[]).await.unwrap(), pending[2..]);
}

#[tokio::test]
async fn saving_the_same_again_changes_nothing() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&hour()).await.unwrap();
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    evaluated(&mut lock, &rules(), &brands(), minute(31)).await.unwrap();
    let alerts = evaluated(&mut lock, &rules(), &brands(), minute(32)).await.unwrap();
    assert_eq!(alerts.len(), 2);
    // As after a commit whose answer was lost.
    lock.commit(&Judgements { alerts, ..Judgements::default() }).await.unwrap();
    assert_eq!(store.pending(10, &[]).await.unwrap().len(), 2);
    assert_eq!(states(&pool).await.len(), 2);
}

#[tokio::test]
async fn what_fires_resolves_when_its_rule_or_brand_is_gone() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&hour()).await.unwrap();
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    evaluated(&mut lock, &rules(), &brands(), minute(31)).await.unwrap();
    let fired = evaluated(&mut lock, &rules(), &brands(), minute(32)).await.unwrap();
    let gone = evaluated(&mut lock, &rules()[..1], &brands(), minute(33)).await.unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!((&gone[0].id, gone[0].state), (&fired[1].id, AlertState::Resolved));
    assert!(crate::schemas::alert().is_valid(&serde_json::to_value(&gone[0]).unwrap()));
    let gone = evaluated(&mut lock, &rules()[..1], &brands()[..1], minute(33)).await.unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!(
        states(&pool).await,
        [("share".into(), "resolved".into()), ("spike".into(), "resolved".into())]
    );
    assert!(lock.phases().await.unwrap().0.is_empty());
}

#[tokio::test]
async fn a_phase_or_kind_that_the_program_does_not_know_stays_as_it_is_and_stops_nobody_else() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    store.write(&hour()).await.unwrap();
    let mut lock = evaluation(&store).await.unwrap().unwrap();
    evaluated(&mut lock, &rules(), &brands(), minute(31)).await.unwrap();
    let fired = evaluated(&mut lock, &rules(), &brands(), minute(32)).await.unwrap();
    // As a later program might write them.
    sqlx::raw_sql(
        "ALTER TABLE overheard.alert_states
             DROP CONSTRAINT alert_states_phase_check, DROP CONSTRAINT alert_states_check;
         UPDATE overheard.alert_states SET phase = 'snoozed' WHERE rule = 'share'",
    )
    .execute(&pool)
    .await
    .unwrap();
    let mut told = Vec::new();
    for offset in 33..50 {
        told.extend(evaluated(&mut lock, &rules(), &brands(), minute(offset)).await.unwrap());
    }
    let messages: Vec<_> = told.iter().map(|alert| (alert.rule.as_str(), alert.state)).collect();
    assert_eq!(messages, [("spike", AlertState::Resolved)], "nothing is said of what can't be told");
    assert_eq!(states(&pool).await, [("share".into(), "firing".into()), ("spike".into(), "resolved".into())]);

    // An open alert that can't be read stays open when its rule goes.
    sqlx::raw_sql(
        "UPDATE overheard.alert_states SET phase = 'firing';
         ALTER TABLE overheard.alerts DROP CONSTRAINT alerts_kind_check;
         UPDATE overheard.alerts SET kind = 'trend' WHERE state = 'firing'",
    )
    .execute(&pool)
    .await
    .unwrap();
    assert_eq!(evaluated(&mut lock, &[], &brands(), minute(50)).await.unwrap(), []);
    let open: String =
        sqlx::query_scalar("SELECT id FROM overheard.open_alerts").fetch_one(&pool).await.unwrap();
    assert_eq!(open, fired[0].id);
    assert!(!lock.phases().await.unwrap().0.is_empty());
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
async fn spikes(lock: &mut LeaderLock<Evaluation>) -> Vec<String> {
    let mut told = Vec::new();
    for offset in [31, 32] {
        told.extend(evaluated(lock, &rules()[1..], &brands(), minute(offset)).await.unwrap());
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
    let from = brands().into_iter().map(|brand| (brand, minute(27))).collect();
    let found = lock.series(&from, minute(32), None, &Pasts::new()).await.unwrap();
    let shown = format!("{:?}", found[&brands()[1]]);
    let since = minute(29).timestamp() / 60;
    assert!(shown.contains(&format!("since: Some({since})")) && shown.contains("neutral: 20"), "{shown}");
}

#[tokio::test]
async fn counts_come_as_the_rules_look_at_them() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let mut posts = hour();
    posts.push(post("1970", "1970-01-01T00:00:00Z", &[("vmware", GOOD)]));
    posts.push(post("next year", "2027-01-01T00:00:00Z", &[("vmware", GOOD)]));
    posts.push(post("german", &minute(30).to_rfc3339(), &[("vmware", GOOD)]));
    posts.last_mut().unwrap().post.languages = vec!["de".to_owned()];
    store.write(&posts).await.unwrap();

    let mut lock = evaluation(&store).await.unwrap().unwrap();
    let needs = PastNeeds { grain_minutes: 5, reach_minutes: 20, longest_minutes: 5 };
    let normal = lock.pasts(&brands(), None, &needs, minute(33), minute(34)).await.unwrap();
    let shown = format!("{:?}", normal[&brands()[1]]);
    let grain = |offset: i64| minute(offset).timestamp() / 300;
    for (offset, mentions) in [(5, 5), (10, 5), (25, 5)] {
        assert!(shown.contains(&format!("{}: {mentions}", grain(offset))), "{shown}");
    }
    assert!(!shown.contains(&format!("{}: ", grain(30))), "a grain that is not complete yet: {shown}");

    let from = brands().into_iter().map(|brand| (brand, minute(29))).collect();
    let found = lock.series(&from, minute(34), None, &normal).await.unwrap();
    assert_eq!(found.keys().map(BrandId::as_str).collect::<Vec<_>>(), ["vmware"]);
    let shown = format!("{:?}", found[&brands()[1]]);
    let minutes: Vec<_> = (27..36)
        .filter(|offset| shown.contains(&format!("{}: Counts", minute(*offset).timestamp() / 60)))
        .collect();
    assert_eq!(minutes, [29, 30, 31, 32, 33], "{shown}");
    assert!(shown.contains("negative: 20, neutral: 1, positive: 1"), "{shown}");
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
    let mut relay = other.candidate::<Relay>().try_lock().await.unwrap().expect("the relay's lock is free");
    assert!(store.candidate::<Relay>().try_lock().await.unwrap().is_none());
    assert!(relay.is_held().await);

    sqlx::query(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND database =
             (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .execute(&pool)
    .await
    .unwrap();
    let error = evaluated(&mut held, &rules(), &brands(), minute(0)).await.unwrap_err();
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
    let mut waiting = [(); 3].map(|()| store.candidate::<Evaluation>());
    let mut relays = [(); 2].map(|()| store.candidate::<Relay>());
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
    evaluated(&mut next, &rules(), &brands(), minute(0)).await.unwrap();
    assert!(sessions(&pool).await.iter().all(|pid| before.contains(pid)), "nobody connected anew");

    // A waiting session that ends is an error once, and then replaced.
    let end_all = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'overheard'";
    sqlx::query(end_all).execute(&pool).await.unwrap();
    assert!(waiting[1].try_lock().await.unwrap_err().is_transient());
    assert!(waiting[1].try_lock().await.unwrap().is_some());
}
