//! What has to be done now and then: day partitions made ahead, and retention.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::PipelineError;
use crate::clock::Clock;
use crate::health::{Health, Part};
use crate::store::Store;

const EVERY: Duration = Duration::from_mins(15);
/// How often Postgres is asked for a sign of life: on a quiet day nobody else would notice.
const PING_EVERY: Duration = Duration::from_secs(3);
/// How long an answer may take before Postgres counts as gone.
const PING_LIMIT: Duration = Duration::from_secs(5);

/// Reports whether Postgres answers, until told to stop.
pub(super) async fn watch_postgres(
    store: Store,
    health: Health,
    stop: CancellationToken,
) -> Result<(), PipelineError> {
    every(PING_EVERY, &stop, async || {
        let (ready, detail) = match tokio::time::timeout(PING_LIMIT, store.ping()).await {
            Ok(Ok(())) => (true, "answers".to_owned()),
            Ok(Err(error)) => (false, error.to_string()),
            Err(_) => (false, format!("no answer within {PING_LIMIT:?}")),
        };
        if health.report(Part::Postgres, ready, detail.as_str()) {
            if ready {
                tracing::info!("Postgres answers again");
            } else {
                tracing::warn!("Postgres has gone: {detail}");
            }
        }
    })
    .await;
    Ok(())
}

/// Makes partitions, applies retention and forgets old pictures until told to stop. A failure is said and tried again
/// at the next turn: rows of a day without a partition go to the default one meanwhile.
pub(super) async fn run(
    store: Store,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<(), PipelineError> {
    every(EVERY, &stop, async || {
        let now = clock.now();
        if let Err(error) = store.ensure_partitions(now).await {
            tracing::warn!(error = %error, "Day partitions can't be made ahead");
        }
        if let Err(error) = store.apply_retention(now).await {
            tracing::warn!(error = %error, "Retention can't be applied");
        }
        if let Err(error) = store.forget_pictures(now).await {
            tracing::warn!(error = %error, "Old pictures can't be forgotten");
        }
    })
    .await;
    Ok(())
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
