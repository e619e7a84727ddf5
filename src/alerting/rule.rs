//! Rules: what to watch, and for how long before an alert fires or resolves.

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
    /// Length of the window that is measured: whole minutes, all of them complete.
    pub window: Duration,
    /// How long the condition must hold before the alert fires (`for`).
    pub hold_for: Duration,
    /// How long the condition must be over before the alert resolves.
    pub keep_firing_for: Duration,
    /// How long the rule then ignores the brand; a minute at least.
    pub cooldown: Duration,
}

/// When a rule's condition holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Far more mentions than the brand's own recent normal.
    Volume {
        /// How far back the windows reach that the normal is taken from.
        baseline: Duration,
        /// The rule does not fire with fewer earlier windows than this since the brand's first
        /// mention was received.
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
        /// The rule does not fire with fewer scored mentions than this.
        min_mentions: u32,
    },
    /// No mention, where by the brand's own history there are some.
    Silence {
        /// The network that normally speaks; all of them together without.
        source: Option<String>,
        /// How far back the windows reach that the normal is taken from.
        baseline: Duration,
        /// The rule does not fire with fewer earlier windows than this since the brand's first
        /// mention was received.
        min_history: u32,
        /// How many mentions there normally are in a window at least.
        min_mentions: u32,
    },
    /// A logo of the brand in a picture, where none was seen for long.
    FirstSighting {
        /// For how long none was seen, and for how long at least the brand was heard of.
        absent_for: Duration,
    },
}

impl Condition {
    /// What the rule's alerts are about.
    pub fn kind(&self) -> AlertKind {
        match self {
            Self::Volume { .. } => AlertKind::Volume,
            Self::NegativeShare { .. } => AlertKind::NegativeShare,
            Self::Silence { .. } => AlertKind::Silence,
            Self::FirstSighting { .. } => AlertKind::FirstSighting,
        }
    }

    /// How far back the windows reach that are normal; none where it does not compare with them.
    pub fn baseline(&self) -> Option<Duration> {
        match self {
            Self::Volume { baseline, .. } | Self::Silence { baseline, .. } => Some(*baseline),
            Self::NegativeShare { .. } | Self::FirstSighting { .. } => None,
        }
    }

    /// How far back it looks at all, beyond its window; none where it does not.
    pub fn reach(&self) -> Option<Duration> {
        match self {
            Self::FirstSighting { absent_for } => Some(*absent_for),
            _ => self.baseline(),
        }
    }
}

/// Which brands a rule watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// All configured brands.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Minutes of the longest window.
    pub window_minutes: u32,
    /// Networks whose counts are needed by themselves.
    pub sources: BTreeSet<String>,
    /// How far back earlier sightings are looked for; none where no rule asks for that.
    pub sightings: Option<Duration>,
    /// What is needed to say what is normal; none where no rule asks for that.
    pub past: Option<PastNeeds>,
}

/// What rules need that compare with what is normal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastNeeds {
    /// Minutes in a grain: the windows of these rules are multiples of it.
    pub grain_minutes: u32,
    /// How far back from the end of the judged window the longest baseline reaches.
    pub reach_minutes: u32,
    /// Minutes of the longest window among these rules.
    pub longest_minutes: u32,
}

/// What a set of rules needs; none without rules.
pub fn needs(rules: &[Rule]) -> Option<Needs> {
    let window_minutes = rules.iter().map(|rule| minutes(rule.window)).max()?;
    let past = rules.iter().filter_map(|rule| {
        let (window, baseline) = (minutes(rule.window), minutes(rule.condition.baseline()?));
        Some(PastNeeds {
            grain_minutes: window,
            reach_minutes: window.saturating_mul(2).saturating_add(baseline),
            longest_minutes: window,
        })
    });
    let past = past.reduce(|one, other| PastNeeds {
        grain_minutes: greatest_common_divisor(one.grain_minutes, other.grain_minutes),
        reach_minutes: one.reach_minutes.max(other.reach_minutes),
        longest_minutes: one.longest_minutes.max(other.longest_minutes),
    });
    let sources = rules.iter().filter_map(|rule| match &rule.condition {
        Condition::Silence { source, .. } => source.clone(),
        _ => None,
    });
    let sightings = rules.iter().filter_map(|rule| match rule.condition {
        Condition::FirstSighting { absent_for } => Some(absent_for),
        _ => None,
    });
    Some(Needs { window_minutes, sources: sources.collect(), sightings: sightings.max(), past })
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
    fn the_needs_of_rules_are_the_longest_window_their_common_grain_and_the_longest_reach() {
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
        let none = Needs { window_minutes: 15, sources: BTreeSet::new(), sightings: None, past: None };
        assert_eq!(needs(&[rule(15, share.clone())]), Some(none.clone()));
        let past = PastNeeds { grain_minutes: 5, reach_minutes: 90, longest_minutes: 15 };
        let all = [rule(20, share), rule(10, volume.clone()), rule(15, volume)];
        assert_eq!(needs(&all), Some(Needs { window_minutes: 20, past: Some(past), ..none.clone() }));
        let silence = Condition::Silence {
            source: Some("bluesky".to_owned()),
            baseline: Duration::from_hours(1),
            min_history: 4,
            min_mentions: 1,
        };
        let first = Condition::FirstSighting { absent_for: MINUTE * 9 };
        let found = needs(&[rule(15, silence), rule(5, first)]).unwrap();
        assert_eq!(
            (found.sources, found.sightings),
            (BTreeSet::from(["bluesky".to_owned()]), Some(MINUTE * 9))
        );
    }
}
