//! What has to be done now and then: day partitions made ahead, and retention.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Parts;
use super::run::{PipelineError, every};

const EVERY: Duration = Duration::from_mins(15);

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
