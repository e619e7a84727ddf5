//! Rules: what to watch, and how patiently.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::{AlertKind, BrandId};

/// The unit of counts, and so of windows.
pub const MINUTE: Duration = Duration::from_mins(1);

/// The longest baseline: every evaluation reads the counts of all of it.
pub const HISTORY_REACH: Duration = Duration::from_hours(24 * 56);

/// A rule. Its durations are chosen by the configuration, which checks them.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name in rows and messages.
    pub id: String,
    /// When the condition holds.
    pub condition: Condition,
    /// Which brands it watches.
    pub brands: Watched,
    /// Length of the window that is measured: whole minutes, the current one included.
    pub window: Duration,
    /// How long the condition must hold before the alert fires (`for`).
    pub hold_for: Duration,
    /// How long the condition must be over before the alert resolves.
    pub keep_firing_for: Duration,
    /// How long the rule then leaves the brand alone; a minute at least.
    pub cooldown: Duration,
}

/// When a rule's condition holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Far more mentions than the brand's own recent normal.
    Volume {
        /// How far back the normal is taken from: earlier windows of the same length.
        baseline: Duration,
        /// Fewer earlier windows than this, since the brand's first mention came in, are no
        /// normal, and the rule does not fire.
        min_history: u32,
        /// How many robust standard deviations above the median.
        deviations: f64,
        /// How many times the median at least.
        min_ratio: f64,
        /// How many mentions at least.
        min_mentions: u32,
    },
    /// A large share of negative mentions.
    NegativeShare {
        /// The share of negative mentions from which it holds, 0..=1.
        share: f64,
        /// Fewer mentions than this say nothing about shares.
        min_mentions: u32,
    },
}

impl Condition {
    /// What the rule's alerts are about.
    pub fn kind(&self) -> AlertKind {
        match self {
            Self::Volume { .. } => AlertKind::Volume,
            Self::NegativeShare { .. } => AlertKind::NegativeShare,
        }
    }
}

/// Which brands a rule watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// All that are listened for.
    All,
    /// These.
    Only(BTreeSet<BrandId>),
}

impl Watched {
    /// Whether a brand is among them.
    pub fn contains(&self, brand: &BrandId) -> bool {
        match self {
            Self::All => true,
            Self::Only(brands) => brands.contains(brand),
        }
    }
}

/// Which counts the rules need, for each brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Minutes that may be added up before the rules see them: all windows are multiples of it.
    pub grain_minutes: u32,
    /// How many such sums, back from now.
    pub buckets: u32,
}

/// What a set of rules needs; none without rules.
pub fn needs(rules: &[Rule]) -> Option<Needs> {
    let grain_minutes = rules.iter().map(|rule| minutes(rule.window)).reduce(greatest_common_divisor)?;
    let reach = rules.iter().map(|rule| match rule.condition {
        Condition::Volume { baseline, .. } => minutes(baseline) + minutes(rule.window),
        Condition::NegativeShare { .. } => minutes(rule.window),
    });
    Some(Needs { grain_minutes, buckets: reach.max()?.div_ceil(grain_minutes) })
}

/// Whole minutes of a duration, at least one.
pub(super) fn minutes(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs() / MINUTE.as_secs()).unwrap_or(u32::MAX / 4).max(1)
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needs_of_rules_are_their_common_grain_and_the_longest_reach() {
        let rule = |window, condition| Rule {
            id: "r".to_owned(),
            condition,
            brands: Watched::All,
            window: Duration::from_mins(window),
            hold_for: Duration::ZERO,
            keep_firing_for: Duration::ZERO,
            cooldown: MINUTE,
        };
        let share = Condition::NegativeShare { share: 0.5, min_mentions: 1 };
        let volume = Condition::Volume {
            baseline: Duration::from_hours(1),
            min_history: 4,
            deviations: 3.0,
            min_ratio: 1.0,
            min_mentions: 1,
        };
        assert_eq!(needs(&[]), None);
        assert_eq!(needs(&[rule(15, share.clone())]), Some(Needs { grain_minutes: 15, buckets: 1 }));
        let both = [rule(15, share), rule(10, volume)];
        assert_eq!(needs(&both), Some(Needs { grain_minutes: 5, buckets: 14 }));
    }
}
