//! Maintenance at intervals: day partitions ahead, retention, and whether Postgres answers.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::PipelineError;
use super::leader::show_success;
use crate::clock::Clock;
use crate::health::{Health, Part};
use crate::metrics;
use crate::store::{Store, StoreError};

const EVERY: Duration = Duration::from_mins(15);
/// How often Postgres is asked: on a quiet day nothing else would notice that it is down.
const ASK_EVERY: Duration = Duration::from_secs(3);

/// Reports whether Postgres answers, until told to stop. Connections to one that went silent are
/// given up.
pub(super) async fn watch_postgres(
    store: Store,
    health: Health,
    stop: CancellationToken,
) -> Result<(), PipelineError> {
    let mut watch = store.watch();
    let mut ticks = tokio::time::interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = ticks.tick() => {}
        }
        let (ready, detail) = match watch.ask().await {
            Ok(()) => (true, "answers".to_owned()),
            Err(error) => (false, error.to_string()),
        };
        if health.report(Part::Postgres, ready, detail.as_str()) {
            if ready {
                tracing::info!("Postgres answers again");
            } else {
                tracing::warn!("Postgres is down: {detail}");
            }
        }
    }
    watch.close().await;
    Ok(())
}

/// Makes partitions, applies retention and forgets old pictures until told to stop. What fails is
/// logged and tried again at the next turn; meanwhile rows of a day without a partition go to the
/// default one.
pub(super) async fn run(
    store: Store,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<(), PipelineError> {
    every(EVERY, &stop, async || {
        let failures = maintain(&store, &*clock).await;
        if failures.is_empty() {
            show_success(metrics::MAINTENANCE_LAST_SUCCESS, &*clock);
        }
        for (error, failed) in failures {
            tracing::warn!(error = %error, "{failed}");
        }
    })
    .await;
    Ok(())
}

/// One turn of maintenance, by the database's clock. Returns what failed, each with what that means;
/// where the clocks differ too much nothing is made and nothing is removed.
pub async fn maintain(store: &Store, clock: &dyn Clock) -> Vec<(StoreError, &'static str)> {
    let now = match store.time_to_decide_by(clock).await {
        Ok(now) => now,
        Err(error) => return vec![(error, "No maintenance")],
    };
    let made = store.ensure_partitions(now).await.map(drop);
    let removed = store.apply_retention(now).await.map(drop);
    let forgotten = store.expire_known_pictures(now).await.map(drop);
    [
        (made, "Day partitions can't be made ahead"),
        (removed, "Retention can't be applied"),
        (forgotten, "Old pictures can't be forgotten"),
    ]
    .into_iter()
    .filter_map(|(result, failed)| result.err().map(|error| (error, failed)))
    .collect()
}

/// Repeats something at an interval until told to stop.
pub(super) async fn every<F: Future<Output = ()>>(
    interval: Duration,
    stop: &CancellationToken,
    mut turn: impl FnMut() -> F,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => turn().await,
        }
    }
}
