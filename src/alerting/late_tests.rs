//! Tests of what late counts lead to.

use std::time::Duration;

use super::super::{Condition, Watched};
use super::*;
use crate::domain::Counts;

fn minute(number: i64) -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(number)
}

fn rule() -> Rule {
    Rule {
        id: "share".to_owned(),
        condition: Condition::NegativeShare { share: 0.5, min_mentions: 5 },
        brands: Watched::All,
        window: Duration::from_mins(5),
        hold_for: Duration::from_mins(1),
        keep_firing_for: Duration::from_mins(3),
        cooldown: Duration::from_mins(10),
    }
}

fn acme() -> BrandId {
    "acme".parse().unwrap()
}

/// What is found when the hour was judged up to `until` and these minutes, with ten angry mentions
/// each, have changed.
fn found(
    angry: &[i64],
    phase: Phase,
    incidents: &[Incident],
    until: i64,
) -> Vec<(Phase, Option<Transition>)> {
    let rules = [rule()];
    let mut series = Series::default();
    for number in angry {
        series.add(minute(*number), Counts { negative: 10, ..Counts::default() });
    }
    let changed = ChangedMinutes::from([(acme(), angry.iter().copied().map(minute).collect())]);
    let phases = Phases::from([(("share".to_owned(), acme()), phase)]);
    let range = LateRange { from: minute(0), until: minute(until) };
    let series = BTreeMap::from([(acme(), series)]);
    let found = judge_late(&rules, &changed, &series, &phases, &Unknown::new(), incidents, range);
    found.into_iter().map(|change| (change.phase, change.transition)).collect()
}

fn incident(started: i64, resolved: Option<i64>) -> Incident {
    Incident {
        rule: "share".to_owned(),
        brand: acme(),
        started_at: minute(started),
        resolved_at: resolved.map(minute),
    }
}

#[test]
fn a_burst_that_came_late_opens_an_alert_with_its_own_start() {
    let fired = Transition::Fired { started_at: minute(11), fired_at: minute(12) };
    let below_since = Some(minute(30));
    let phase = Phase::Firing { started_at: minute(11), fired_at: minute(12), below_since };
    assert_eq!(found(&[10], Phase::Inactive, &[], 30), [(phase, Some(fired))]);
    // It reaches into the present, so it is not over.
    let phase = Phase::Firing { started_at: minute(11), fired_at: minute(12), below_since: None };
    assert_eq!(found(&[10], Phase::Inactive, &[], 14), [(phase, Some(fired))]);
    let pending = Phase::Pending { started_at: minute(11) };
    assert_eq!(found(&[10], Phase::Inactive, &[], 11), [(pending, None)]);
}

#[test]
fn it_is_not_told_twice_and_keeps_its_alert_open() {
    let known = [incident(11, None)];
    let open = |below| Phase::Firing {
        started_at: minute(11),
        fired_at: minute(12),
        below_since: Some(minute(below)),
    };
    assert_eq!(found(&[10, 16], open(30), &known, 32), [(open(32), None)]);
    assert_eq!(found(&[10], open(30), &known, 30), []);
    // Resolved, and within the time in which the rule ignores the brand.
    let over = [incident(11, Some(20))];
    assert_eq!(found(&[10, 24], Phase::Cooling { until: minute(30) }, &over, 35), []);
    // What the rule no longer ignores is an incident of its own.
    assert_eq!(found(&[32], Phase::Inactive, &over, 45).len(), 1);
}

#[test]
fn an_alert_that_is_open_is_not_disturbed_by_an_earlier_incident() {
    let open = Phase::Firing { started_at: minute(40), fired_at: minute(41), below_since: None };
    let fired = Transition::Fired { started_at: minute(11), fired_at: minute(12) };
    let resolved =
        Transition::Resolved { started_at: minute(11), fired_at: minute(12), resolved_at: minute(18) };
    assert_eq!(found(&[10], open, &[incident(40, None)], 45), [(open, Some(fired)), (open, Some(resolved))]);
}

#[test]
fn what_is_older_than_the_lateness_raises_nothing() {
    assert_eq!(found(&[-10, -9], Phase::Inactive, &[], 30), []);
}
