//! Measures one rule's condition on one brand's counts.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::phase::delta;
use super::{Condition, Rule, Series};
use crate::domain::Counts;

/// Turns the median absolute deviation of normally distributed numbers into their standard deviation
/// (P. J. Rousseeuw and C. Croux, "Alternatives to the Median Absolute Deviation", 1993).
const MAD_TO_DEVIATION: f64 = 1.4826;

/// A rule's measurement of a brand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// Mentions in the window, the share of negative ones among those scored (0..=1), or logos seen.
    pub value: f64,
    /// What the value is compared with, in the same unit.
    pub threshold: f64,
    /// Whether the condition holds; never without enough data (earlier windows, or mentions).
    pub breached: bool,
    /// The window's counts.
    pub counts: Counts,
}

/// On so many days the same hour must be known before it counts.
const DAYS_KNOWN: usize = 3;

/// Measures the rule's window that ends with `end`, a full minute, exclusively.
pub fn measure(rule: &Rule, series: &Series, end: DateTime<Utc>) -> Measurement {
    let counts = series.window(rule.window, end);
    let (value, threshold, breached) = match rule.condition {
        Condition::Volume { baseline, min_history, deviations, min_ratio, min_mentions } => {
            let earlier = series.earlier(rule.window, end, baseline);
            let enough = earlier.len() >= usize::try_from(min_history).unwrap_or(usize::MAX);
            let unusual = |normal: &Normal| {
                (normal.median + deviations * normal.deviation)
                    .max(normal.median * min_ratio)
                    .max(f64::from(min_mentions))
            };
            let of_the_day = unusual(&normal(earlier));
            let (same_hour, days) = series.same_hour(rule.window, end);
            let threshold = if days < DAYS_KNOWN {
                of_the_day
            } else {
                // What is usual at this hour is no news, however quiet the rest of the day was.
                let hour = normal(same_hour);
                unusual(&hour).min(of_the_day.max(hour.median * min_ratio))
            };
            let value = as_float(counts.mentions());
            (value, threshold, enough && value >= threshold)
        }
        Condition::NegativeShare { share, min_mentions } => {
            // Mentions without a score are in no share.
            let scored = counts.scored();
            let value = if scored == 0 { 0.0 } else { as_float(counts.negative) / as_float(scored) };
            (value, share, scored >= i64::from(min_mentions) && value >= share)
        }
        Condition::Silence { ref source, baseline, min_history, min_mentions } => {
            return silence(
                rule,
                series.of_source(source.as_deref()),
                end,
                baseline,
                min_history,
                min_mentions,
            );
        }
        Condition::FirstSighting { absent_for } => {
            let absent_since = series.no_sighting_since(end - delta(rule.window));
            let was_absent =
                absent_since.is_some_and(|since| end - delta(rule.window) - since >= delta(absent_for));
            (as_float(counts.sightings), 1.0, was_absent && counts.sightings > 0)
        }
    };
    Measurement { value, threshold, breached, counts }
}

/// Nothing in the window, though both the windows before and those of the same hour normally have
/// something. The threshold is how much that is.
fn silence(
    rule: &Rule,
    series: Option<&Series>,
    end: DateTime<Utc>,
    baseline: Duration,
    min_history: u32,
    min_mentions: u32,
) -> Measurement {
    let Some(series) = series else {
        // It never spoke.
        let counts = Counts::default();
        return Measurement { value: 0.0, threshold: f64::from(min_mentions), breached: false, counts };
    };
    let counts = series.window(rule.window, end);
    let earlier = series.earlier(rule.window, end, baseline);
    let enough = earlier.len() >= usize::try_from(min_history).unwrap_or(usize::MAX);
    let (same_hour, days) = series.same_hour(rule.window, end);
    let mut usual = normal(earlier).median;
    if days >= DAYS_KNOWN {
        usual = usual.min(normal(same_hour).median);
    }
    let breached = enough && counts.mentions() == 0 && usual >= f64::from(min_mentions);
    Measurement { value: as_float(counts.mentions()), threshold: usual, breached, counts }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn as_float(count: i64) -> f64 {
    count as f64
}

struct Normal {
    median: f64,
    deviation: f64,
}

/// The normal, by median and median absolute deviation: earlier bursts hardly move them. Counts
/// vary by the square root of their mean even when nothing happens (Poisson), so the deviation is at
/// least that, and at least one.
fn normal(mut windows: Vec<f64>) -> Normal {
    let median = median(&mut windows);
    let mut distances: Vec<f64> = windows.iter().map(|count| (count - median).abs()).collect();
    let spread = MAD_TO_DEVIATION * self::median(&mut distances);
    Normal { median, deviation: spread.max(median.sqrt()).max(1.0) }
}

/// The middle value, or the mean of the two in the middle; 0 without values.
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
#[path = "measure_tests.rs"]
mod tests;
