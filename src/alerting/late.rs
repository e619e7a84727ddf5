//! Judges past windows again whose counts have changed: posts that came late.
//!
//! A window that is found to hold a burst now belongs to a run of such windows, one a minute. A run
//! that is long enough and not known yet is an incident. Where nothing else is open it opens an
//! alert, which resolves like any other: later than `keep_firing_for` after the last late post that
//! speaks for it. So a feed that is always late has alerts of the usual kind. Where an alert is open
//! or cools down, that one stays as it is, and the earlier incident is told as one that is over.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::minute::{minute_number, time_of};
use super::phase::delta;
use super::rule::minutes;
use super::{Change, Incident, MINUTE, Phase, Phases, Rule, Series, Transition, Unknown, measure};
use crate::domain::BrandId;

/// Minutes whose counts have changed after they were judged.
pub type ChangedMinutes = BTreeMap<BrandId, BTreeSet<DateTime<Utc>>>;

/// From when to when windows are judged again, by their ends.
#[derive(Clone, Copy, Debug)]
pub struct LateRange {
    /// Windows that end before this are too old.
    pub from: DateTime<Utc>,
    /// The end of the last window that was judged.
    pub until: DateTime<Utc>,
}

/// What changes through late counts. `phases` are those after the last minute was judged.
pub fn judge_late<'a>(
    rules: &'a [Rule],
    changed: &ChangedMinutes,
    series: &BTreeMap<BrandId, Series>,
    phases: &Phases,
    unknown: &Unknown,
    incidents: &[Incident],
    range: LateRange,
) -> Vec<Change<'a>> {
    let mut found = Vec::new();
    for rule in rules {
        for (brand, minutes) in changed.iter().filter(|(brand, _)| rule.brands.contains(brand)) {
            let key = (rule.id.clone(), brand.clone());
            let Some(series) = series.get(brand) else { continue };
            if unknown.contains(&key) {
                continue;
            }
            let known =
                incidents.iter().filter(|incident| incident.rule == rule.id && incident.brand == *brand);
            let mut judged = Judged {
                rule,
                brand,
                series,
                phase: phases.get(&key).copied().unwrap_or_default(),
                incidents: known.cloned().collect(),
                until: range.until,
                changes: Vec::new(),
            };
            for run in judged.runs(minutes, range) {
                judged.take(run);
            }
            found.append(&mut judged.changes);
        }
    }
    found
}

/// One rule and brand.
struct Judged<'a, 'b> {
    rule: &'a Rule,
    brand: &'b BrandId,
    series: &'b Series,
    phase: Phase,
    incidents: Vec<Incident>,
    until: DateTime<Utc>,
    changes: Vec<Change<'a>>,
}

/// Windows in a row for which the condition holds, by their ends.
#[derive(Clone, Copy)]
struct Run {
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

impl Judged<'_, '_> {
    /// The runs with a window that holds a changed minute.
    fn runs(&self, changed: &BTreeSet<DateTime<Utc>>, range: LateRange) -> Vec<Run> {
        let length = i64::from(minutes(self.rule.window));
        let (from, until) = (minute_number(range.from), minute_number(range.until));
        let ends = changed.iter().flat_map(|minute| {
            let minute = minute_number(*minute);
            minute + 1..=minute + length
        });
        let affected: BTreeSet<i64> = ends.filter(|end| (from..=until).contains(end)).collect();
        let Some(first) = affected.first() else { return Vec::new() };
        // What began before is looked for as far as it can make up for what is missing.
        let hold = i64::from(minutes(self.rule.hold_for.max(MINUTE))) + 1;
        let start = (first - length.max(hold)).max(from);
        let mut runs = Vec::new();
        let mut run: Option<(i64, i64)> = None;
        for end in start..=until + 1 {
            if end <= until && measure(self.rule, self.series, time_of(end)).breached {
                run = Some((run.map_or(end, |(first, _)| first), end));
            } else if let Some((first, last)) = run.take()
                && affected.range(first..=last).next().is_some()
            {
                runs.push(Run { first: time_of(first), last: time_of(last) });
            }
        }
        runs
    }

    fn take(&mut self, run: Run) {
        if self.is_known(run) {
            self.keep_open(run);
            return;
        }
        if run.last - run.first < delta(self.rule.hold_for) {
            // If it goes on, it began here.
            if run.last == self.until && matches!(self.phase, Phase::Inactive | Phase::Pending { .. }) {
                self.change(Phase::Pending { started_at: run.first }, None, run.last);
            }
            return;
        }
        let started_at = run.first;
        let mut fired_at = run.first;
        while fired_at - started_at < delta(self.rule.hold_for) {
            fired_at += TimeDelta::minutes(1);
        }
        let fired = Transition::Fired { started_at, fired_at };
        let mut incident =
            Incident { rule: self.rule.id.clone(), brand: self.brand.clone(), started_at, resolved_at: None };
        match self.phase {
            Phase::Inactive | Phase::Pending { .. } => {
                let below_since = (run.last < self.until).then_some(self.until);
                self.change(Phase::Firing { started_at, fired_at, below_since }, Some(fired), fired_at);
            }
            Phase::Firing { .. } | Phase::Cooling { .. } => {
                let over = delta(self.rule.keep_firing_for.max(MINUTE));
                let resolved_at = (run.last + over).min(self.until);
                incident.resolved_at = Some(resolved_at);
                self.change(self.phase, Some(fired), fired_at);
                let resolved = Transition::Resolved { started_at, fired_at, resolved_at };
                self.change(self.phase, Some(resolved), resolved_at);
            }
        }
        self.incidents.push(incident);
    }

    /// Whether a run belongs to an incident that was told of, or to the time in which the rule
    /// ignores the brand after it.
    fn is_known(&self, run: Run) -> bool {
        self.incidents.iter().any(|incident| {
            let ignored_until = incident.resolved_at.map(|at| at + delta(self.rule.cooldown.max(MINUTE)));
            run.last >= incident.started_at - delta(self.rule.window)
                && ignored_until.is_none_or(|until| run.first <= until)
        })
    }

    /// An alert that is open goes on while late posts speak for it.
    fn keep_open(&mut self, run: Run) {
        let Phase::Firing { started_at, fired_at, below_since: Some(since) } = self.phase else { return };
        let is_its_own = run.last >= started_at - delta(self.rule.window);
        if is_its_own && since < self.until {
            let below_since = (run.last < self.until).then_some(self.until);
            self.change(Phase::Firing { started_at, fired_at, below_since }, None, run.last);
        }
    }

    fn change(&mut self, phase: Phase, transition: Option<Transition>, end: DateTime<Utc>) {
        self.phase = phase;
        let measurement = measure(self.rule, self.series, end);
        let brand = self.brand.clone();
        self.changes.push(Change { rule: self.rule, brand, phase, transition, measurement, end });
    }
}

#[cfg(test)]
#[path = "late_tests.rs"]
mod tests;
