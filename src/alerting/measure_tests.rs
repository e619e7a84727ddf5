//! Tests of what rules measure.

use std::sync::Arc;

use chrono::{TimeDelta, Timelike};
use proptest::prelude::*;

use super::super::{Past, Watched};
use super::*;

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn rule(condition: Condition) -> Rule {
    Rule {
        id: "r".to_owned(),
        condition,
        brands: Watched::All,
        window: Duration::from_mins(5),
        hold_for: Duration::ZERO,
        keep_firing_for: Duration::ZERO,
        cooldown: Duration::from_mins(1),
    }
}

fn volume() -> Rule {
    rule(Condition::Volume {
        baseline: Duration::from_hours(1),
        min_history: 4,
        deviations: 3.0,
        min_ratio: 2.0,
        min_mentions: 20,
    })
}

/// A series with so many mentions in each window of five minutes, the latest first.
fn windows(counts: &[i64]) -> Series {
    let mut past = Past::new(5, now());
    for (age, &mentions) in (1_i64..).zip(counts) {
        past.add(now() - TimeDelta::minutes(age * 5), mentions);
    }
    let mut series = Series::new(Arc::new(past));
    for (age, &neutral) in (1_i64..).zip(counts) {
        series.add(now() - TimeDelta::minutes(age * 5), Counts { neutral, ..Counts::default() });
        series.begin(now() - TimeDelta::minutes(age * 5));
    }
    series
}

fn measured(rule: &Rule, series: &Series) -> Measurement {
    measure(rule, series, now())
}

#[test]
fn a_burst_stands_out_of_the_normal_though_an_earlier_one_is_part_of_it() {
    let found = measured(&volume(), &windows(&[60, 20, 18, 300, 22, 20, 19]));
    // Median 20, median distance 1.5, so the floor counts: 20 + 3 * sqrt(20) < 2 * 20.
    assert!((found.threshold - 40.0).abs() < 1e-9, "{found:?}");
    assert!(found.breached);
    assert!(!measured(&volume(), &windows(&[39, 20, 18, 300, 22, 20, 19])).breached);
}

#[test]
fn a_restless_brand_has_a_higher_threshold() {
    let found = measured(&volume(), &windows(&[100, 10, 90, 20, 80, 50]));
    assert!((found.threshold - (50.0 + 3.0 * MAD_TO_DEVIATION * 30.0)).abs() < 1e-9, "{found:?}");
}

#[test]
fn a_short_history_is_not_enough_whatever_comes() {
    assert!(!measured(&volume(), &windows(&[5000, 20, 20, 20])).breached);
    assert!(measured(&volume(), &windows(&[5000, 20, 20, 20, 20])).breached);
    assert!(!measured(&volume(), &Series::default()).breached);
}

#[test]
fn a_quiet_brand_needs_the_minimum() {
    assert!(!measured(&volume(), &windows(&[19, 0, 0, 0, 0, 1])).breached);
    assert!(measured(&volume(), &windows(&[20, 0, 0, 0, 0, 1])).breached);
}

#[test]
fn a_share_needs_enough_mentions() {
    let rule = rule(Condition::NegativeShare { share: 0.5, min_mentions: 20 });
    let share_of = |negative, neutral| {
        let mut series = Series::default();
        series.add(now() - TimeDelta::minutes(1), Counts { negative, neutral, ..Counts::default() });
        measured(&rule, &series)
    };
    assert!(share_of(10, 10).breached);
    assert!(!share_of(9, 11).breached);
    assert!(!share_of(19, 0).breached);
    assert!(!share_of(0, 0).breached);
}

#[test]
fn mentions_without_a_score_count_for_volume_and_not_for_shares() {
    let mut series = Series::default();
    let counts = Counts { negative: 10, neutral: 10, unscored: 80, ..Counts::default() };
    series.add(now() - TimeDelta::minutes(1), counts);
    let share = rule(Condition::NegativeShare { share: 0.5, min_mentions: 20 });
    let found = measured(&share, &series);
    assert!(found.breached && (found.value - 0.5).abs() < 1e-9, "{found:?}");
    assert_eq!((found.counts.mentions(), found.counts.unscored), (100, 80));
    assert!((measured(&volume(), &series).value - 100.0).abs() < 1e-9);
    let more = rule(Condition::NegativeShare { share: 0.5, min_mentions: 21 });
    assert!(!measured(&more, &series).breached, "what has no score does not make up the minimum");
}

/// Five weeks of so many mentions in each five minutes, by the hour of the day.
fn days(of_hour: impl Fn(u32) -> i64) -> Past {
    let mut past = Past::new(5, now());
    for grain in 1..=(35 * 24 * 12) {
        let time = now() - TimeDelta::minutes(grain * 5);
        past.add(time, of_hour(time.hour()));
    }
    past
}

/// What is measured with so many mentions in the window that ends there.
fn at(past: Past, end: DateTime<Utc>, neutral: i64) -> Measurement {
    let mut series = Series::new(Arc::new(past));
    series.begin(now() - TimeDelta::days(60));
    series.add(end - TimeDelta::minutes(1), Counts { neutral, ..Counts::default() });
    measure(&volume(), &series, end)
}

#[test]
fn a_crisis_at_three_in_the_morning_does_not_hide_under_noon() {
    let rhythm = || days(|hour| if (6..22).contains(&hour) { 100 } else { 5 });
    let night = now() - TimeDelta::hours(9);
    assert!(at(rhythm(), night, 60).breached, "{:?}", at(rhythm(), night, 60));
    assert!(!at(rhythm(), night, 15).breached);
    let noon = now();
    assert!(!at(rhythm(), noon, 110).breached);
    assert!(at(rhythm(), noon, 400).breached);
}

#[test]
fn what_the_same_hour_brings_every_day_is_no_news_though_the_rest_of_the_day_is_quiet() {
    let show = || days(|hour| if hour == 8 { 300 } else { 10 });
    let eight = now() - TimeDelta::minutes(3 * 60 + 30);
    assert!(!at(show(), eight, 310).breached, "{:?}", at(show(), eight, 310));
    assert!(at(show(), eight, 700).breached);
    assert!(at(show(), eight - TimeDelta::hours(3), 310).breached);
}

#[test]
fn silence_is_none_of_what_the_brand_and_the_hour_normally_have() {
    let silence = |source: Option<&str>| {
        rule(Condition::Silence {
            source: source.map(str::to_owned),
            baseline: Duration::from_hours(24),
            min_history: 12,
            min_mentions: 5,
        })
    };
    let of = |past: Past, mentions| {
        let mut series = Series::new(Arc::new(past));
        series.begin(now() - TimeDelta::days(60));
        series.add(now() - TimeDelta::minutes(2), Counts { neutral: mentions, ..Counts::default() });
        series
    };
    let (loud, quiet) = (|| days(|_| 20), || days(|_| 4));
    let found = measured(&silence(None), &of(loud(), 0));
    assert!(found.breached && found.value.abs() < 1e-9 && (found.threshold - 20.0).abs() < 1e-9, "{found:?}");
    assert!(!measured(&silence(None), &of(loud(), 1)).breached);
    assert!(!measured(&silence(None), &of(quiet(), 0)).breached);
    let sleeps_at_noon = days(|hour| if (11..13).contains(&hour) { 0 } else { 20 });
    assert!(!measured(&silence(None), &of(sleeps_at_noon, 0)).breached);
    let mut young = of(loud(), 0);
    young.begin(now() - TimeDelta::minutes(50));
    assert!(!measured(&silence(None), &young).breached, "too short a history");
    // One network of several.
    let mut series = of(loud(), 7);
    assert!(!measured(&silence(Some("bluesky")), &series).breached, "it never spoke");
    series.set_source("bluesky", of(loud(), 0));
    assert!(measured(&silence(Some("bluesky")), &series).breached);
    series.set_source("bluesky", of(loud(), 1));
    assert!(!measured(&silence(Some("bluesky")), &series).breached);
}

#[test]
fn a_first_sighting_comes_after_a_time_without_any_in_which_the_brand_was_known() {
    let week = TimeDelta::days(7);
    let first = rule(Condition::FirstSighting { absent_for: Duration::from_hours(7 * 24) });
    let seen = |known_for: TimeDelta, before: Option<TimeDelta>, in_window| {
        let mut series = Series::default();
        series.begin(now() - known_for);
        if let Some(before) = before {
            series.saw(now() - before);
        }
        series.add(now() - TimeDelta::minutes(2), Counts::of_sightings(in_window));
        measured(&first, &series)
    };
    let long = week * 9;
    let found = seen(long, None, 2);
    assert!(found.breached && (found.value - 2.0).abs() < 1e-9, "{found:?}");
    assert!(!seen(long, None, 0).breached);
    assert!(seen(long, Some(week + TimeDelta::minutes(10)), 1).breached);
    assert!(!seen(long, Some(week), 1).breached);
    assert!(!seen(week, None, 1).breached, "it is not known for long enough");
    // One a while before, in the counts that were read.
    let mut series = Series::default();
    series.begin(now() - long);
    for minutes in [2, 30] {
        series.add(now() - TimeDelta::minutes(minutes), Counts::of_sightings(1));
    }
    assert!(!measured(&first, &series).breached);
    assert!(measure(&first, &series, now() - TimeDelta::minutes(28)).breached);
}

proptest! {
    #[test]
    fn measurements_are_finite_and_breach_only_with_enough_data(
        counts in prop::collection::vec(0_i64..100_000, 0..40),
    ) {
        let found = measured(&volume(), &windows(&counts));
        prop_assert!(found.value.is_finite() && found.threshold.is_finite());
        prop_assert_eq!(found.breached, counts.len() > 4 && found.value >= found.threshold);
    }
}
