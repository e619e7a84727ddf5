//! Evaluates alert rules over the roll-ups, one process at a time.
//!
//! Every process tries for the lock; the one that has it evaluates, and any other takes over when
//! it goes. Phases and alerts live in Postgres, so nothing is lost on the way.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Parts;
use super::run::PipelineError;
use crate::domain::Alert;
use crate::health::{Part, Stage};
use crate::metrics;
use crate::store::{EvaluationLock, StoreError};

/// Evaluates at an interval until told to stop.
pub(super) async fn run(
    parts: Parts,
    interval: Duration,
    stop: CancellationToken,
) -> Result<(), PipelineError> {
    let mut lock: Option<EvaluationLock> = None;
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = ticks.tick() => {}
        }
        parts.health.beat(Stage::Evaluator);
        // Comes by regularly, so it is also what notices on a quiet day that Postgres has gone.
        match turn(&parts, &mut lock).await {
            Ok(()) => drop(parts.health.report(Part::Postgres, true, "answers")),
            Err(error) => {
                tracing::warn!(error = %error, "Alert rules can't be evaluated now, trying again");
                parts.health.report(Part::Postgres, false, error.to_string());
                // The lock may be gone with its connection: it is taken anew.
                lock = None;
            }
        }
    }
    if let Some(lock) = lock {
        lock.release().await;
    }
    parts.health.rest(Stage::Evaluator);
    Ok(())
}

async fn turn(parts: &Parts, lock: &mut Option<EvaluationLock>) -> Result<(), StoreError> {
    if lock.is_none() {
        *lock = parts.store.try_evaluation_lock().await?;
    }
    let Some(held) = lock else { return Ok(()) };
    let topic = parts.publisher.alert_topic();
    let alerts = held.evaluate(&parts.rules, &parts.brands, parts.clock.now(), topic).await?;
    ::metrics::counter!(metrics::ALERTS_EVALUATED).increment(1);
    for alert in &alerts {
        tell(alert);
    }
    Ok(())
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
