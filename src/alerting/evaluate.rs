//! Evaluates all rules on all brands at one time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Measurement, Phase, Rule, Series, Transition, measure, step};
use crate::domain::BrandId;

/// Where each rule (by id) stands with each brand; inactive where there is nothing.
pub type Phases = BTreeMap<(String, BrandId), Phase>;

/// A phase that is another one now.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The brand.
    pub brand: BrandId,
    /// The phase from now on.
    pub phase: Phase,
    /// What people are told, if anything.
    pub transition: Option<Transition>,
    /// What was measured.
    pub measurement: Measurement,
}

/// What changes at `now`. A brand without a series has no counts. Evaluating again at the same
/// time, with the changes applied, changes nothing.
pub fn evaluate<'a>(
    rules: &'a [Rule],
    brands: &[BrandId],
    series: &BTreeMap<BrandId, Series>,
    phases: &Phases,
    now: DateTime<Utc>,
) -> Vec<Change<'a>> {
    let silence = Series::new(now, 1);
    let mut changes = Vec::new();
    for rule in rules {
        for brand in brands.iter().filter(|brand| rule.brands.contains(brand)) {
            let before = phases.get(&(rule.id.clone(), brand.clone())).copied().unwrap_or_default();
            let measurement = measure(rule, series.get(brand).unwrap_or(&silence));
            let (phase, transition) = step(before, rule, measurement.breached, now);
            if phase != before {
                changes.push(Change { rule, brand: brand.clone(), phase, transition, measurement });
            }
        }
    }
    changes
}

/// Phases that no rule watches any more, since the rule or the brand has gone from the
/// configuration. An alert that fires there would never resolve by itself.
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

    use super::super::{Condition, Counts, MINUTE, Watched};
    use super::*;

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
        let mut loud = Series::new(now, 1);
        loud.add(0, Counts { negative: 5, ..Counts::default() });
        let series = BTreeMap::from([(brands[0].clone(), loud.clone()), (brands[2].clone(), loud)]);
        let rules = [rule];

        let mut phases = Phases::new();
        let changes = evaluate(&rules, &brands, &series, &phases, now);
        assert_eq!(changes.iter().map(|change| change.brand.as_str()).collect::<Vec<_>>(), ["acme"]);
        for change in changes {
            phases.insert((change.rule.id.clone(), change.brand), change.phase);
        }
        assert_eq!(evaluate(&rules, &brands, &series, &phases, now), []);
        assert_eq!(unwatched(&rules, &brands, &phases), []);
        assert_eq!(unwatched(&[], &brands, &phases).len(), 1);
        assert_eq!(unwatched(&rules, &brands[1..], &phases).len(), 1);
    }
}
