//! Measures one rule's condition on one brand's counts.

use super::{Condition, Rule, Series};
use crate::domain::AlertCounts;

/// Makes the median absolute deviation of normally distributed numbers their standard deviation
/// (P. J. Rousseeuw and C. Croux, "Alternatives to the Median Absolute Deviation", 1993).
const MAD_TO_DEVIATION: f64 = 1.4826;

/// What a rule saw of a brand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// Mentions in the window, or the share of negative ones among those scored (0..=1).
    pub value: f64,
    /// What it was held against, in the same unit.
    pub threshold: f64,
    /// Whether the condition holds. Never without enough to judge by: earlier windows, or mentions.
    pub breached: bool,
    /// The window's counts.
    pub counts: AlertCounts,
}

/// Measures the rule's window that ends with the current minute of the series.
pub fn measure(rule: &Rule, series: &Series) -> Measurement {
    let counts = AlertCounts::from(series.window(rule.window, 0));
    let (value, threshold, enough_data) = match rule.condition {
        Condition::Volume { baseline, min_history, deviations, min_ratio, min_mentions } => {
            let windows = series.earlier_windows(rule.window, baseline);
            let earlier = (1..=windows).map(|index| as_float(series.window(rule.window, index).mentions()));
            let normal = normal(earlier.collect());
            let threshold = (normal.median + deviations * normal.deviation)
                .max(normal.median * min_ratio)
                .max(f64::from(min_mentions));
            (as_float(counts.mentions), threshold, windows >= min_history)
        }
        Condition::NegativeShare { share, min_mentions } => {
            // What no model scored says nothing about feelings.
            let scored = counts.mentions - counts.unscored;
            let value = if scored == 0 { 0.0 } else { as_float(counts.negative) / as_float(scored) };
            (value, share, scored >= u64::from(min_mentions))
        }
    };
    Measurement { value, threshold, breached: enough_data && value >= threshold, counts }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn as_float(count: u64) -> f64 {
    count as f64
}

struct Normal {
    median: f64,
    deviation: f64,
}

/// What is normal, by median and median absolute deviation: earlier bursts hardly move them. Counts
/// vary by the square root of their mean even where nothing happens (Poisson), so less than that,
/// or less than one, is no deviation.
fn normal(mut windows: Vec<f64>) -> Normal {
    let median = median(&mut windows);
    let mut distances: Vec<f64> = windows.iter().map(|count| (count - median).abs()).collect();
    let spread = MAD_TO_DEVIATION * self::median(&mut distances);
    Normal { median, deviation: spread.max(median.sqrt()).max(1.0) }
}

/// The middle value, or the mean of the two in the middle; 0 of nothing.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        even if even % 2 == 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::super::{Counts, Watched};
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
    fn windows(counts: &[u64]) -> Series {
        let mut series = Series::new(now(), 5);
        for (age, &neutral) in (0..).zip(counts) {
            series.add(age, Counts { neutral, ..Counts::default() });
            series.begin(now() - TimeDelta::minutes(i64::from(age) * 5 + 4));
        }
        series
    }

    #[test]
    fn a_burst_stands_out_of_the_normal_though_an_earlier_one_is_part_of_it() {
        let measured = measure(&volume(), &windows(&[60, 20, 18, 300, 22, 20, 19]));
        // Median 20, median distance 1.5, so the floor counts: 20 + 3 * sqrt(20) < 2 * 20.
        assert!((measured.threshold - 40.0).abs() < 1e-9, "{measured:?}");
        assert!(measured.breached);
        assert!(!measure(&volume(), &windows(&[39, 20, 18, 300, 22, 20, 19])).breached);
    }

    #[test]
    fn a_restless_brand_has_a_higher_threshold() {
        let measured = measure(&volume(), &windows(&[100, 10, 90, 20, 80, 50]));
        assert!((measured.threshold - (50.0 + 3.0 * MAD_TO_DEVIATION * 30.0)).abs() < 1e-9, "{measured:?}");
    }

    #[test]
    fn a_short_history_is_not_enough_whatever_comes() {
        assert!(!measure(&volume(), &windows(&[5000, 20, 20, 20])).breached);
        assert!(measure(&volume(), &windows(&[5000, 20, 20, 20, 20])).breached);
        assert!(!measure(&volume(), &Series::new(now(), 5)).breached);
    }

    #[test]
    fn a_quiet_brand_needs_the_minimum() {
        assert!(!measure(&volume(), &windows(&[19, 0, 0, 0, 0, 1])).breached);
        assert!(measure(&volume(), &windows(&[20, 0, 0, 0, 0, 1])).breached);
    }

    #[test]
    fn a_share_needs_enough_mentions() {
        let rule = rule(Condition::NegativeShare { share: 0.5, min_mentions: 20 });
        let measured = |negative, neutral| {
            let mut series = Series::new(now(), 5);
            series.add(0, Counts { negative, neutral, ..Counts::default() });
            measure(&rule, &series)
        };
        assert!(measured(10, 10).breached);
        assert!(!measured(9, 11).breached);
        assert!(!measured(19, 0).breached);
        assert!(!measured(0, 0).breached);
    }

    #[test]
    fn mentions_without_a_score_count_for_volume_and_not_for_shares() {
        let mut series = Series::new(now(), 5);
        series.add(0, Counts { negative: 10, neutral: 10, unscored: 80, ..Counts::default() });
        let share = rule(Condition::NegativeShare { share: 0.5, min_mentions: 20 });
        let measured = measure(&share, &series);
        assert!(measured.breached && (measured.value - 0.5).abs() < 1e-9, "{measured:?}");
        assert_eq!((measured.counts.mentions, measured.counts.unscored), (100, 80));
        assert!((measure(&volume(), &series).value - 100.0).abs() < 1e-9);
        let more = rule(Condition::NegativeShare { share: 0.5, min_mentions: 21 });
        assert!(!measure(&more, &series).breached, "what has no score does not make up the minimum");
    }

    proptest! {
        #[test]
        fn measurements_are_finite_and_breach_only_with_enough_data(
            counts in prop::collection::vec(0_u64..100_000, 0..40),
        ) {
            let measured = measure(&volume(), &windows(&counts));
            prop_assert!(measured.value.is_finite() && measured.threshold.is_finite());
            prop_assert_eq!(measured.breached, counts.len() > 4 && measured.value >= measured.threshold);
        }
    }
}
