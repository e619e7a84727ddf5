//! Evaluates all rules on all brands at the end of one minute.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Measurement, Phase, Rule, Series, Transition, measure, step};
use crate::domain::BrandId;

/// The phase of each rule (by id) and brand; inactive where there is none.
pub type Phases = BTreeMap<(String, BrandId), Phase>;

/// An incident that was told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The rule's id.
    pub rule: String,
    /// The brand.
    pub brand: BrandId,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; none while it goes on.
    pub resolved_at: Option<DateTime<Utc>>,
}

/// Rules and brands whose phase can't be told: nothing is said of them.
pub type Unknown = BTreeSet<(String, BrandId)>;

/// A phase that has changed, or a transition of an incident that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The brand.
    pub brand: BrandId,
    /// The phase from now on.
    pub phase: Phase,
    /// What a message is sent about, if any.
    pub transition: Option<Transition>,
    /// What was measured.
    pub measurement: Measurement,
    /// The end of the window that was measured.
    pub end: DateTime<Utc>,
}

impl Change<'_> {
    /// When that happened which a message is sent about.
    pub fn told_of(&self) -> Option<DateTime<Utc>> {
        self.transition.map(|transition| match transition {
            Transition::Fired { fired_at, .. } => fired_at,
            Transition::Resolved { resolved_at, .. } => resolved_at,
        })
    }

    /// The incident, if it has begun with this change.
    pub fn fired(&self) -> Option<Incident> {
        let Some(Transition::Fired { started_at, .. }) = self.transition else { return None };
        Some(Incident {
            rule: self.rule.id.clone(),
            brand: self.brand.clone(),
            started_at,
            resolved_at: None,
        })
    }
}

/// What changes with the windows that end with `end`. A brand without a series has no counts.
/// Evaluating again at the same time, with the changes applied, changes nothing.
pub fn evaluate<'a>(
    rules: &'a [Rule],
    brands: &[BrandId],
    series: &BTreeMap<BrandId, Series>,
    phases: &Phases,
    unknown: &Unknown,
    end: DateTime<Utc>,
    may_resolve: bool,
) -> Vec<Change<'a>> {
    let silence = Series::default();
    let mut changes = Vec::new();
    for rule in rules {
        for brand in brands.iter().filter(|brand| rule.brands.contains(brand)) {
            let key = (rule.id.clone(), brand.clone());
            if unknown.contains(&key) {
                continue;
            }
            let before = phases.get(&key).copied().unwrap_or_default();
            let measurement = measure(rule, series.get(brand).unwrap_or(&silence), end);
            let (phase, transition) = step(before, rule, measurement.breached, end, may_resolve);
            if phase != before {
                let brand = brand.clone();
                changes.push(Change { rule, brand, phase, transition, measurement, end });
            }
        }
    }
    changes
}

/// Phases of rules or brands that are no longer configured. An alert that is firing there would
/// never resolve by itself.
pub fn unwatched(rules: &[Rule], brands: &[BrandId], phases: &Phases) -> Vec<(String, BrandId, Phase)> {
    let watched = |id: &str, brand: &BrandId| {
        brands.contains(brand) && rules.iter().any(|rule| rule.id == id && rule.brands.contains(brand))
    };
    let mut gone: Vec<_> = phases
        .iter()
        .filter(|((rule, brand), _)| !watched(rule, brand))
        .map(|((rule, brand), phase)| (rule.clone(), brand.clone(), *phase))
        .collect();
    gone.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    gone
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Condition, MINUTE, Watched};
    use super::*;
    use crate::domain::Counts;

    #[test]
    fn only_what_changes_is_said_and_only_once() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let brands: Vec<BrandId> = ["acme", "other", "vmware"].map(|id| id.parse().unwrap()).into();
        let rule = Rule {
            id: "share".to_owned(),
            condition: Condition::NegativeShare { share: 0.5, min_mentions: 1 },
            brands: Watched::Only(brands[..2].iter().cloned().collect()),
            window: MINUTE,
            hold_for: Duration::ZERO,
            keep_firing_for: Duration::ZERO,
            cooldown: MINUTE,
        };
        let mut loud = Series::default();
        loud.add(now - MINUTE, Counts { negative: 5, ..Counts::default() });
        let series = BTreeMap::from([(brands[0].clone(), loud.clone()), (brands[2].clone(), loud)]);
        let rules = [rule];

        let mut phases = Phases::new();
        let evaluated = |phases: &Phases, unknown: &Unknown| {
            evaluate(&rules, &brands, &series, phases, unknown, now, true)
        };
        let unknown = Unknown::from([("share".to_owned(), brands[0].clone())]);
        assert_eq!(evaluated(&phases, &unknown), [], "nothing is said of what can't be told");
        let changes = evaluated(&phases, &Unknown::new());
        assert_eq!(changes.iter().map(|change| change.brand.as_str()).collect::<Vec<_>>(), ["acme"]);
        for change in changes {
            phases.insert((change.rule.id.clone(), change.brand), change.phase);
        }
        assert_eq!(evaluated(&phases, &Unknown::new()), []);
        assert_eq!(unwatched(&rules, &brands, &phases), []);
        assert_eq!(unwatched(&[], &brands, &phases).len(), 1);
        assert_eq!(unwatched(&rules, &brands[1..], &phases).len(), 1);
    }
}
