//! Evaluates alert rules over the roll-ups, one process at a time.
//!
//! Every process tries for the lock; the one that has it evaluates, and any other takes over when
//! it goes. Phases and alerts live in Postgres, so nothing is lost on the way.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::pace::{Pace, Turn};
use super::retry::while_waiting;
use super::{Parts, PipelineError};
use crate::domain::Alert;
use crate::health::Stage;
use crate::metrics;
use crate::store::{EvaluationCandidate, EvaluationLock, StoreError};

/// Evaluates at an interval until told to stop.
pub(super) async fn run(
    parts: Parts,
    interval: Duration,
    stop: CancellationToken,
) -> Result<(), PipelineError> {
    let mut candidate = parts.store.evaluation_candidate();
    let mut lock: Option<EvaluationLock> = None;
    let mut pace = Pace::new(interval, "evaluate alert rules");
    while !stop.is_cancelled() {
        let turn = turn(&parts, &mut candidate, &mut lock);
        // Every call in it has a limit of its own, so waiting for Postgres counts as progress.
        let ended = while_waiting(&parts.health, Stage::Evaluator, turn).await;
        if ended.is_err() {
            // The lock may be gone with its connection: it is taken anew.
            lock = None;
        }
        let pause = tokio::time::sleep(pace.after(&ended));
        tokio::select! {
            () = stop.cancelled() => {}
            () = while_waiting(&parts.health, Stage::Evaluator, pause) => {}
        }
    }
    if let Some(lock) = lock {
        lock.release().await;
    }
    parts.health.rest(Stage::Evaluator);
    Ok(())
}

async fn turn(
    parts: &Parts,
    candidate: &mut EvaluationCandidate,
    lock: &mut Option<EvaluationLock>,
) -> Result<Turn, StoreError> {
    if lock.is_none() {
        *lock = candidate.try_lock().await?;
    }
    let Some(held) = lock else { return Ok(Turn::NotOurs) };
    let topic = parts.publisher.alert_topic();
    let alerts = held.evaluate(&parts.rules, &parts.brands, parts.clock.now(), topic).await?;
    ::metrics::counter!(metrics::ALERTS_EVALUATED).increment(1);
    for alert in &alerts {
        tell(alert);
    }
    Ok(Turn::Done)
}

fn tell(alert: &Alert) {
    let (rule, state) = (alert.rule.clone(), alert.state.as_str());
    ::metrics::counter!(metrics::ALERTS_CHANGED, "rule" => rule, "state" => state).increment(1);
    tracing::info!(
        alert.id = alert.id,
        alert.rule = alert.rule,
        alert.brand = %alert.brand,
        alert.value = alert.value,
        alert.threshold = alert.threshold,
        "Alert {state}"
    );
}
