//! What has to be done now and then: day partitions made ahead, and retention.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Parts;
use super::run::{PipelineError, every};
use crate::health::Part;

const EVERY: Duration = Duration::from_mins(15);
/// How often Postgres is asked for a sign of life: on a quiet day nobody else would notice.
const PING_EVERY: Duration = Duration::from_secs(3);
/// How long an answer may take before Postgres counts as gone.
const PING_LIMIT: Duration = Duration::from_secs(5);

/// Reports whether Postgres answers, until told to stop.
pub(super) async fn watch_postgres(parts: Parts, stop: CancellationToken) -> Result<(), PipelineError> {
    every(PING_EVERY, &stop, async || {
        let (ready, detail) = match tokio::time::timeout(PING_LIMIT, parts.store.ping()).await {
            Ok(Ok(())) => (true, "answers".to_owned()),
            Ok(Err(error)) => (false, error.to_string()),
            Err(_) => (false, format!("no answer within {PING_LIMIT:?}")),
        };
        if parts.health.report(Part::Postgres, ready, detail.as_str()) {
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

/// Makes partitions and applies retention until told to stop. A failure is said and tried again
/// at the next turn: rows of a day without a partition go to the default one meanwhile.
pub(super) async fn run(parts: Parts, stop: CancellationToken) -> Result<(), PipelineError> {
    every(EVERY, &stop, async || {
        let now = parts.clock.now();
        if let Err(error) = parts.store.ensure_partitions(now).await {
            tracing::warn!(error = %error, "Day partitions can't be made ahead");
        }
        if let Err(error) = parts.store.apply_retention(now).await {
            tracing::warn!(error = %error, "Retention can't be applied");
        }
    })
    .await;
    Ok(())
}
