//! How long the queue of pictures is and how old, for the metrics.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::metrics;
use crate::pipeline::PipelineError;
use crate::pipeline::leader::show_success;
use crate::pipeline::maintenance::every;
use crate::store::Store;

const EVERY: Duration = Duration::from_secs(15);

/// Measures until told to stop, or shows what another process has measured. Processes that enqueue
/// pictures do so as well as those that process them: a queue that nobody drains must show.
#[expect(clippy::cast_precision_loss, reason = "lists are far shorter than 2^52")]
pub(in crate::pipeline) async fn watch(
    store: Store,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<(), PipelineError> {
    every(EVERY, &stop, async || match store.shared_backlog(EVERY / 2).await {
        Ok(backlog) => {
            ::metrics::gauge!(metrics::PICTURE_LIST_ROWS).set(backlog.pictures as f64);
            ::metrics::gauge!(metrics::PICTURE_LIST_WAITING).set(backlog.waiting as f64);
            ::metrics::gauge!(metrics::PICTURE_LIST_AGE).set(backlog.oldest.as_secs_f64());
            ::metrics::gauge!(metrics::PICTURE_LIST_DEAD_ROWS).set(backlog.dead_rows as f64);
            show_success(metrics::BACKLOG_LAST_SUCCESS, &*clock);
        }
        // The watch over Postgres says what is wrong with it.
        Err(error) => tracing::debug!(error = %error, "The queue of pictures can't be measured"),
    })
    .await;
    Ok(())
}
