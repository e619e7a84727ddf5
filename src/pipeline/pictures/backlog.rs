//! How long the list of pictures is and how old, for the metrics.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::metrics;
use crate::pipeline::PipelineError;
use crate::pipeline::upkeep::every;
use crate::store::Store;

const EVERY: Duration = Duration::from_secs(15);

/// Measures until told to stop. Every process does that lists pictures or looks at them: a list
/// that nobody works on must show.
#[expect(clippy::cast_precision_loss, reason = "lists are far shorter than 2^52")]
pub(in crate::pipeline) async fn watch(store: Store, stop: CancellationToken) -> Result<(), PipelineError> {
    every(EVERY, &stop, async || match store.backlog().await {
        Ok(backlog) => {
            ::metrics::gauge!(metrics::PICTURE_LIST_ROWS).set(backlog.pictures as f64);
            ::metrics::gauge!(metrics::PICTURE_LIST_WAITING).set(backlog.waiting as f64);
            ::metrics::gauge!(metrics::PICTURE_LIST_AGE).set(backlog.oldest.as_secs_f64());
            ::metrics::gauge!(metrics::PICTURE_LIST_DEAD_ROWS).set(backlog.dead_rows as f64);
        }
        // The watch over Postgres says what is wrong with it.
        Err(error) => tracing::debug!(error = %error, "The list of pictures can't be measured"),
    })
    .await;
    Ok(())
}
