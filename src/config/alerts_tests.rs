//! Tests of the rules in `config/alerts.toml`: how they are read, and how the default ones behave.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::alerting::{Past, Phases, Series, Transition, Unknown, evaluate, needs};
use crate::domain::Counts;

const DEFAULT: &str = include_str!("../../config/alerts.toml");

fn brands() -> Vec<BrandId> {
    ["acme", "vmware"].map(|id| id.parse().unwrap()).into()
}

fn problems(text: &str) -> Vec<String> {
    read_rules(text, &brands()).unwrap_err().problems().to_vec()
}

#[test]
fn the_default_file_is_valid() {
    let rules = read_rules(DEFAULT, &brands()).unwrap();
    assert_eq!(
        rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(),
        ["volume-spike", "negative-share", "silence", "first-sighting"]
    );
    assert!(rules.iter().all(|rule| rule.brands == Watched::All));
}

#[test]
fn no_rules_are_fine() {
    assert_eq!(read_rules("", &[]).unwrap(), []);
}

#[test]
fn all_problems_are_reported_at_once_with_their_paths() {
    let found = problems(
        r#"
        [[rule]]
        id = "one"
        kind = "volume"
        window = "90s"
        baseline = "5m"
        min_history = 4
        deviations = -1
        min_mentions = 0
        for = "10m"
        cooldown = "10s"
        share = 0.5

        [[rule]]
        id = "one"
        kind = "negative_share"
        brands = ["acme", "nobody"]
        window = "5m"
        share = 50
        min_mentions = 20
        cooldown = "30m"

        [[rule]]
        id = "Not An Id"
        kind = "mood"
        window = 5

        [[rule]]
        id = "quiet"
        kind = "silence"
        window = "1h"
        baseline = "3h"
        min_history = 4
        min_mentions = 1
        deviations = 3
        cooldown = "1h"

        [[rule]]
        id = "seen"
        kind = "first_sighting"
        window = "5m"
        for = "5m"
        absent_for = "400d"
        cooldown = "1h"
        "#,
    );
    for expected in [
        "rule[0].baseline: is shorter",
        "rule[0].cooldown: is shorter",
        "rule[0].deviations: ",
        "rule[0].for: is not shorter",
        "rule[0].min_mentions: ",
        "rule[0].share: unknown key",
        "rule[0].window: is not a whole number of minutes",
        "rule[1].brands: there is no brand `nobody`",
        "rule[1].id: another rule has the id `one`",
        "rule[1].share: ",
        "rule[2].cooldown: is missing",
        "rule[2].id: ",
        "rule[2].kind: `mood`",
        "rule[2].window: ",
        "rule[3].baseline: is shorter",
        "rule[3].deviations: unknown key",
        "rule[4].absent_for: is longer than 365d",
        "rule[4].for: is not shorter than `window`",
    ] {
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{expected} in {found:#?}");
    }
}

#[test]
fn one_mistake_is_one_problem() {
    let found = problems(
        r#"
        [[rule]]
        id = "one"
        kind = "volume"
        brands = "acme"
        for = "10m"
        min_mentions = 5
        "#,
    );
    let expected = ["baseline", "brands", "cooldown", "deviations", "min_history", "window"];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (problem, key) in found.iter().zip(expected) {
        assert!(problem.starts_with(&format!("rule[0].{key}: ")), "{problem}");
    }
    assert_eq!(problems("rule = 1").len(), 1);
}

#[test]
fn invalid_toml_is_one_problem() {
    assert_eq!(problems("[[rule").len(), 1);
}

/// Mentions of a simulated hour by minute: some 4 a minute for half an hour, then a burst of 90
/// mostly negative ones until minute 38, then calm again.
fn simulated_hour() -> Vec<Counts> {
    let calm = |minute: i64| Counts {
        negative: i64::from(minute % 3 == 0),
        neutral: 2 + minute % 2,
        positive: i64::from(minute % 3 != 0),
        polarity_sum: 0.3,
        ..Counts::default()
    };
    let burst = Counts { negative: 8, neutral: 2, positive: 0, polarity_sum: -5.0, ..Counts::default() };
    (0..60).map(|minute| if (30..39).contains(&minute) { burst } else { calm(minute) }).collect()
}

#[test]
fn in_an_hour_with_a_burst_both_rules_fire_in_it_and_resolve_before_its_end() {
    let rules = read_rules(DEFAULT, &brands()).unwrap();
    let start: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
    let minute = |number: i64| start + TimeDelta::minutes(number);
    let grain = needs(&rules).unwrap().past.unwrap().grain_minutes;
    let mut past = Past::new(grain, minute(60));
    for (number, counts) in (0..).zip(simulated_hour()) {
        past.add(minute(number), counts.mentions());
    }
    let mut vmware = Series::new(Arc::new(past));
    vmware.begin(start);
    for (number, counts) in (0..).zip(simulated_hour()) {
        vmware.add(minute(number), counts);
    }
    let series = BTreeMap::from([(brands()[1].clone(), vmware)]);
    let mut phases = Phases::new();
    let mut told = Vec::new();
    for end in 1..=60 {
        // A first sighting has no such hour, and silence no history in it.
        for change in evaluate(&rules, &brands(), &series, &phases, &Unknown::new(), minute(end), true) {
            assert_eq!(change.brand.as_str(), "vmware");
            if let Some(transition) = change.transition {
                let fired = matches!(transition, Transition::Fired { .. });
                told.push((change.rule.id.clone(), fired, end));
            }
            phases.insert((change.rule.id.clone(), change.brand), change.phase);
        }
    }
    for rule in ["volume-spike", "negative-share"] {
        let of_rule: Vec<_> = told.iter().filter(|(id, ..)| id == rule).collect();
        let [(_, true, fired), (_, false, resolved)] = of_rule[..] else { panic!("{rule}: {told:?}") };
        assert!((31..40).contains(fired), "{rule}: {told:?}");
        assert!((41..56).contains(resolved), "{rule}: {told:?}");
    }
}
