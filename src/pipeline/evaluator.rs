//! Evaluates alert rules over the counts. One process at a time does: see `leader`.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use tokio::sync::watch;

use super::evaluation::{AlertTiming, PastCache, evaluate_rules};
use super::leader::{LeaderTask, Work};
use super::{Components, PipelineError};
use crate::alerting::{Behind, Reach, behind, behind_notice};
use crate::domain::{Alert, AlertState, BehindNotice};
use crate::health::Stage;
use crate::metrics;
use crate::store::{Evaluation, LeaderLock, StoreError};

/// The leader's task.
pub(super) struct Evaluator {
    components: Components,
    timing: AlertTiming,
    /// All partitions of the consumed topics; empty until they are known.
    partitions: watch::Receiver<Vec<(String, i32)>>,
    past: PastCache,
    /// Since when the horizon is not known.
    unknown_since: Option<DateTime<Utc>>,
}

impl Evaluator {
    pub(super) fn new(
        components: Components,
        timing: AlertTiming,
        partitions: watch::Receiver<Vec<(String, i32)>>,
    ) -> Self {
        for rule in &components.listening.get().rules {
            for state in [AlertState::Firing, AlertState::Resolved] {
                changed(&rule.id, state).increment(0);
            }
        }
        Self { components, timing, partitions, past: PastCache::default(), unknown_since: None }
    }
}

impl LeaderTask for Evaluator {
    type Duty = Evaluation;
    const STAGE: Stage = Stage::Evaluator;
    const WHAT: &'static str = "evaluate alert rules";
    const LAST_SUCCESS: &'static str = metrics::EVALUATION_LAST_SUCCESS;
    const LAST_TURN: bool = false;

    fn components(&self) -> &Components {
        &self.components
    }

    fn not_leader(&self) {
        show_behind(false, 0.0);
    }

    async fn turn(&mut self, lock: &mut LeaderLock<Evaluation>) -> Result<Work, PipelineError> {
        let Components { listening, clock, store, .. } = &self.components;
        // A wrong clock would resolve every alert, or fire for the past.
        store.time_to_decide_by(&**clock).await?;
        let now = clock.now();
        // Rows keep microseconds; with whole seconds, rows and messages say the same.
        let now = now.duration_trunc(TimeDelta::seconds(1)).unwrap_or(now);
        let partitions = self.partitions.borrow().clone();
        let reach = Reach { now, horizon: lock.horizon(&partitions).await? };
        let unknown_since = *self.unknown_since.get_or_insert(now);
        if reach.horizon.is_some() {
            self.unknown_since = None;
        }
        tell_behind(lock, reach, unknown_since, self.timing).await?;
        let listening = listening.get();
        let (rules, brands) = (&listening.rules, &listening.brands);
        let alerts = evaluate_rules(lock, rules, brands, reach, self.timing, &mut self.past).await?;
        ::metrics::counter!(metrics::ALERTS_EVALUATED).increment(1);
        alerts.iter().for_each(report);
        Ok(Work::Done)
    }
}

/// Says once that the daemon has fallen behind, and once that it has caught up. `unknown_since` is
/// when the horizon was first not known.
///
/// # Errors
/// As for [`LeaderLock::commit_behind`].
pub async fn tell_behind(
    lock: &mut LeaderLock<Evaluation>,
    reach: Reach,
    unknown_since: DateTime<Utc>,
    timing: AlertTiming,
) -> Result<Option<BehindNotice>, StoreError> {
    let told_since = lock.progress().await?.behind_since;
    let change = behind(reach, unknown_since, told_since, timing.behind_after);
    let is_behind = match change {
        None => told_since.is_some(),
        Some(change) => matches!(change, Behind::Begins { .. }),
    };
    let by = reach.now - reach.horizon().unwrap_or(unknown_since);
    #[expect(clippy::cast_precision_loss, reason = "centuries are far below 2^52 seconds")]
    show_behind(is_behind, by.num_seconds().max(0) as f64);
    let Some(change) = change else { return Ok(None) };
    let notice = behind_notice(change, reach);
    lock.commit_behind(change, &notice).await?;
    match change {
        Behind::Begins { since } => tracing::warn!(
            behind.since = %since,
            behind.seconds = by.num_seconds(),
            "Behind: what was posted since is not read yet; no alert resolves until it is, and alerts come late"
        ),
        Behind::Ends { since } => tracing::info!(behind.since = %since, "Caught up"),
    }
    Ok(Some(notice))
}

fn show_behind(is_behind: bool, seconds: f64) {
    ::metrics::gauge!(metrics::ALERTS_BEHIND).set(f64::from(u8::from(is_behind)));
    ::metrics::gauge!(metrics::ALERTS_BEHIND_SECONDS).set(seconds);
}

fn changed(rule: &str, state: AlertState) -> ::metrics::Counter {
    ::metrics::counter!(metrics::ALERTS_CHANGED, "rule" => rule.to_owned(), "state" => state.as_str())
}

fn report(alert: &Alert) {
    let state = alert.state.as_str();
    changed(&alert.rule, alert.state).increment(1);
    tracing::info!(
        alert.id = alert.id,
        alert.rule = alert.rule,
        alert.brand = %alert.brand,
        alert.value = alert.value,
        alert.threshold = alert.threshold,
        alert.late = alert.late,
        "Alert {state}"
    );
}
