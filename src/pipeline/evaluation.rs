//! One evaluation of all rules: what is read, judged and committed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::alerting::{
    Change, ChangedMinutes, LateRange, Needs, PastNeeds, Phase, Phases, Reach, Rule, Series, Transition,
    alert_id, delta, evaluate, judge_late, message_id, minute_of, minutes_to_judge, needs, unwatched,
};
use crate::domain::{Alert, AlertExample, AlertState, BrandId};
use crate::store::{Evaluation, Judgements, LeaderLock, Pasts, PhaseChange, StoreError};

/// How long what is normal for brands is used before it is read anew.
const PAST_KEPT: TimeDelta = TimeDelta::minutes(5);

/// What is too late for alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertTiming {
    /// After this long without everything read the daemon says that it is behind, and an alert that
    /// is told this long after it fired is late.
    pub behind_after: Duration,
    /// Older minutes raise nothing any more.
    pub lateness: Duration,
}

/// What is normal for brands, read a short while ago.
#[derive(Debug, Default)]
pub struct PastCache(BTreeMap<Option<String>, Cached>);

#[derive(Debug)]
struct Cached {
    brands: Vec<BrandId>,
    needs: PastNeeds,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    pasts: Pasts,
}

impl PastCache {
    async fn get(
        &mut self,
        lock: &mut LeaderLock<Evaluation>,
        brands: &[BrandId],
        source: Option<&str>,
        needs: PastNeeds,
        (first, last): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Pasts, StoreError> {
        let fits = |cached: &&Cached| {
            let age = last - cached.last;
            cached.brands == brands
                && cached.needs == needs
                && cached.first <= first
                && (TimeDelta::zero()..PAST_KEPT).contains(&age)
        };
        let key = source.map(str::to_owned);
        if let Some(cached) = self.0.get(&key).filter(fits) {
            return Ok(cached.pasts.clone());
        }
        let pasts = lock.pasts(brands, source, &needs, first, last).await?;
        let cached = Cached { brands: brands.to_vec(), needs, first, last, pasts: pasts.clone() };
        self.0.insert(key, cached);
        Ok(pasts)
    }
}

/// Evaluates all rules on all brands, up to the horizon: first the minutes that were not judged yet,
/// in order, then past windows whose counts have changed. Commits what that came to: phases, alerts,
/// and their messages in the outbox. Returns the alerts. One whose rule or brand has gone from the
/// configuration is resolved.
///
/// # Errors
/// Nothing was stored, or, where the connection broke during the commit, all of it may have been.
/// Evaluating again is right in both cases.
pub async fn evaluate_rules(
    lock: &mut LeaderLock<Evaluation>,
    rules: &[Rule],
    brands: &[BrandId],
    reach: Reach,
    timing: AlertTiming,
    past: &mut PastCache,
) -> Result<Vec<Alert>, StoreError> {
    let progress = lock.progress().await?;
    let ends = minutes_to_judge(reach, progress.judged_until, timing.lateness);
    let oldest = minute_of(reach.now - delta(timing.lateness));
    let judged_until = ends.last().copied();
    if let Some(until) = judged_until {
        lock.announce(until, oldest).await?;
    }
    let (mut changed, taken_up) = lock.changed_minutes().await?;
    changed.retain(|brand, _| brands.contains(brand));
    let (mut phases, unknown) = lock.phases().await?;
    let mut judgements = Judgements { judged_until, taken_up, ..Judgements::default() };
    let mut found = Vec::new();
    if let (Some(until), Some(needs)) = (judged_until.or(progress.judged_until), needs(rules)) {
        let range = LateRange { from: oldest + TimeDelta::minutes(1), until };
        let from = read_from(rules, &needs, brands, ends.first().copied(), &changed, range);
        let series = if from.is_empty() {
            BTreeMap::new()
        } else {
            read(lock, brands, &needs, &from, range, past).await?
        };
        let lags = reach.horizon().is_none_or(|horizon| reach.now - horizon > delta(timing.behind_after));
        let may_resolve = progress.behind_since.is_none() && !lags;
        for end in ends {
            let of_minute = evaluate(rules, brands, &series, &phases, &unknown, end, may_resolve);
            apply(&mut phases, &of_minute);
            found.extend(of_minute);
        }
        if !changed.is_empty() {
            let longest = rules.iter().map(|rule| delta(rule.cooldown)).max().unwrap_or_default();
            let mut incidents = lock.incidents(oldest - longest).await?;
            incidents.extend(found.iter().filter_map(Change::fired));
            let late = judge_late(rules, &changed, &series, &phases, &unknown, &incidents, range);
            apply(&mut phases, &late);
            found.extend(late);
        }
    }
    let touched: BTreeSet<_> =
        found.iter().map(|change| (change.rule.id.clone(), change.brand.clone())).collect();
    for change in &found {
        let examples = match change.transition {
            Some(Transition::Fired { .. }) => examples(lock, change).await,
            _ => Vec::new(),
        };
        let is_late = change.told_of().is_some_and(|at| reach.now - at > delta(timing.behind_after));
        judgements.alerts.extend(change.alert(examples, is_late));
    }
    for (rule, brand) in touched {
        let phase = phases.get(&(rule.clone(), brand.clone())).copied().unwrap_or_default();
        judgements.phases.push(PhaseChange { rule, brand, phase });
    }
    for (rule, brand, phase) in unwatched(rules, brands, &phases) {
        if let Phase::Firing { started_at, .. } = phase {
            match lock.open_alert(&alert_id(&rule, &brand, started_at)).await {
                Ok(open) => judgements.alerts.extend(open.map(|open| resolved(open, reach.now))),
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    tracing::error!(alert.rule = rule, alert.brand = %brand, error = %error, "An alert can't be read and stays open");
                    continue;
                }
            }
        }
        judgements.phases.push(PhaseChange { rule, brand, phase: Phase::Inactive });
    }
    lock.commit(&judgements).await?;
    Ok(judgements.alerts)
}

/// Reads what the rules need of these brands.
async fn read(
    lock: &mut LeaderLock<Evaluation>,
    brands: &[BrandId],
    needs: &Needs,
    from: &BTreeMap<BrandId, DateTime<Utc>>,
    range: LateRange,
    past: &mut PastCache,
) -> Result<BTreeMap<BrandId, Series>, StoreError> {
    let mut series = BTreeMap::new();
    let one_by_one = needs.sources.iter().map(|source| Some(source.as_str()));
    for source in [None].into_iter().chain(one_by_one) {
        let pasts = match needs.past {
            Some(needs) => past.get(lock, brands, source, needs, (range.from, range.until)).await?,
            None => Pasts::new(),
        };
        let found = lock.series(from, range.until, source, &pasts).await?;
        match source {
            None => series = found,
            Some(source) => {
                for (brand, of_source) in found {
                    series.entry(brand).or_default().set_source(source, of_source);
                }
            }
        }
    }
    if let Some(reach) = needs.sightings {
        let shown: Vec<_> = from
            .iter()
            .filter(|(brand, _)| series.get(brand).is_some_and(Series::has_sightings))
            .map(|(brand, since)| (brand, *since))
            .collect();
        for (brand, minute) in lock.last_sightings(&shown, delta(reach)).await? {
            series.entry(brand).or_default().saw(minute);
        }
    }
    Ok(series)
}

/// From when each brand's counts are read: all brands where minutes are judged for the first time,
/// else those whose counts have changed.
fn read_from(
    rules: &[Rule],
    needs: &Needs,
    brands: &[BrandId],
    first_end: Option<DateTime<Utc>>,
    changed: &ChangedMinutes,
    range: LateRange,
) -> BTreeMap<BrandId, DateTime<Utc>> {
    let window = TimeDelta::minutes(i64::from(needs.window_minutes));
    let mut from = BTreeMap::new();
    if let Some(first_end) = first_end {
        from.extend(brands.iter().map(|brand| (brand.clone(), first_end - window)));
    }
    // A run of windows may have begun before the first one that has changed.
    let hold = rules.iter().map(|rule| delta(rule.hold_for)).max().unwrap_or_default();
    let before = window * 2 + hold + TimeDelta::minutes(2);
    for (brand, minutes) in changed {
        let Some(first) = minutes.first() else { continue };
        let since = minute_of((*first).max(range.from) - before);
        let known = from.entry(brand.clone()).or_insert(since);
        *known = since.min(*known);
    }
    from
}

fn apply(phases: &mut Phases, changes: &[Change<'_>]) {
    for change in changes {
        phases.insert((change.rule.id.clone(), change.brand.clone()), change.phase);
    }
}

/// Examples are welcome, but no alert waits for them.
async fn examples(lock: &mut LeaderLock<Evaluation>, change: &Change<'_>) -> Vec<AlertExample> {
    let kind = change.rule.condition.kind();
    lock.examples(&change.brand, kind, change.rule.window, change.end).await.unwrap_or_else(|error| {
        tracing::warn!(alert.rule = change.rule.id, alert.brand = %change.brand, error = %error, "An alert goes without examples");
        Vec::new()
    })
}

fn resolved(open: Alert, now: DateTime<Utc>) -> Alert {
    let message_id = message_id(&open.id, AlertState::Resolved);
    Alert { message_id, state: AlertState::Resolved, resolved_at: Some(now), late: false, ..open }
}
