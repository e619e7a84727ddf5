//! Writes down how far the partitions of this process are read, and tells the evaluation which
//! partitions there are.

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::PipelineError;
use crate::source::Observation;
use crate::store::{Store, Watermark};

/// Until told to stop. What can't be written is written at the next observation.
pub(super) async fn run(
    store: Store,
    mut observations: mpsc::Receiver<Observation>,
    partitions: watch::Sender<Vec<(String, i32)>>,
    stop: CancellationToken,
) -> Result<(), PipelineError> {
    loop {
        let observed = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            observed = observations.recv() => observed,
        };
        let Some(observed) = observed else {
            return if stop.is_cancelled() {
                Ok(())
            } else {
                Err(PipelineError::StepEnded("watch over partitions"))
            };
        };
        let watermarks: Vec<Watermark> = observed
            .assigned
            .into_iter()
            .filter_map(|partition| {
                let read_until = partition.read_until?;
                Some(Watermark { topic: partition.topic, partition: partition.partition, read_until })
            })
            .collect();
        if let Err(error) = store.advance_watermarks(&watermarks).await {
            // The watch over Postgres says what is wrong with it.
            tracing::debug!(error = %error, "Watermarks can't be written");
        }
        partitions.send_replace(observed.partitions);
    }
}
