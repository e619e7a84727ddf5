//! Writes what became of pictures, in batches. Retries until the write commits.

use std::time::Duration;

use tokio::sync::mpsc;

use super::PictureComponents;
use super::held::Held;
use super::process::Processed;
use crate::domain::PictureOutcome;
use crate::health::Stage;
use crate::metrics;
use crate::pipeline::PipelineError;
use crate::pipeline::backoff::{retry, while_waiting};
use crate::pipeline::batching::{gather, write_or_split};
use crate::store::{FinishedCounts, FinishedPicture, HeldLease, PutOffPicture, StoreError};

/// Most pictures in one transaction, and how long the first waits for others.
const BATCH: usize = 100;
const BATCH_WAIT: Duration = Duration::from_millis(100);

/// Writes until no picture is processed any more and everything is written. Whatever waits for it
/// keeps its lease.
pub(super) async fn run(
    components: PictureComponents,
    held: Held,
    mut processed: mpsc::Receiver<Processed>,
) -> Result<(), PipelineError> {
    loop {
        let batch = gather(&mut processed, BATCH, BATCH_WAIT);
        let batch = while_waiting(&components.health, Stage::PictureWriter, batch).await;
        if batch.is_empty() {
            break;
        }
        let leases: Vec<_> = batch.iter().map(|picture| picture.queued().clone()).collect();
        let (mut finished, mut later) = (Vec::new(), Vec::new());
        for picture in batch {
            match picture {
                Processed::Finished(picture) => finished.push(*picture),
                Processed::PutOff(picture) => later.push(*picture),
            }
        }
        put_off(&components, &later).await?;
        finish(&components, finished).await?;
        for queued in &leases {
            held.release(queued);
        }
    }
    components.health.rest(Stage::PictureWriter);
    Ok(())
}

async fn put_off(components: &PictureComponents, pictures: &[PutOffPicture]) -> Result<(), PipelineError> {
    for PutOffPicture { queued, pause, reason, .. } in pictures {
        tracing::debug!(picture.url = queued.url, pause.seconds = pause.as_secs_f64(), "Put off: {reason}");
    }
    let attempt = || components.store.put_off(pictures);
    let doing = "put pictures off";
    retry(&components.health, Stage::PictureWriter, doing, StoreError::is_transient, attempt).await?;
    ::metrics::counter!(metrics::PICTURES_PUT_OFF).increment(pictures.len() as u64);
    Ok(())
}

/// Writes a batch. Where Postgres refuses a picture for its values, only that it failed is written.
async fn finish(components: &PictureComponents, pictures: Vec<FinishedPicture>) -> Result<(), PipelineError> {
    let write = async |pictures: Vec<FinishedPicture>| match write(components, &pictures).await {
        Ok(()) => Ok(()),
        Err(error) => Err((error, pictures)),
    };
    let reject = async |mut picture: FinishedPicture, error: StoreError| {
        tracing::error!(picture.url = picture.queued.url, error = %error, "What a picture shows can't be stored");
        picture.outcome = PictureOutcome::Failed(error.to_string());
        picture.sightings.clear();
        self::write(components, std::slice::from_ref(&picture)).await.map_err(PipelineError::from)
    };
    write_or_split(pictures, write, reject).await.map(drop)
}

async fn write(components: &PictureComponents, pictures: &[FinishedPicture]) -> Result<(), StoreError> {
    let _writing = components.health.writing(Stage::PictureWriter);
    let attempt = || {
        Box::pin(async {
            let written = components.store.finish_pictures(pictures).await;
            if written.is_err() {
                renew(components, pictures).await;
            }
            written
        })
    };
    let doing = "write what pictures show";
    let counts =
        retry(&components.health, Stage::PictureWriter, doing, StoreError::is_transient, attempt).await?;
    let late = (pictures.len() as u64).saturating_sub(counts.pictures);
    ::metrics::counter!(metrics::PICTURES_LATE).increment(late);
    for picture in pictures {
        ::metrics::counter!(metrics::PICTURES_FINISHED, "outcome" => picture.outcome.as_str()).increment(1);
    }
    count(counts);
    Ok(())
}

/// Renews the leases of what could not be written. The attempt held locks on their rows, so nobody else could
/// renew them meanwhile.
async fn renew(components: &PictureComponents, pictures: &[FinishedPicture]) {
    let held = |picture: &FinishedPicture| HeldLease { queued: picture.queued.clone(), has_result: true };
    let held: Vec<_> = pictures.iter().map(held).collect();
    if let Err(error) = components.store.renew_leases(&held).await {
        tracing::debug!(error = %error, "Leases of pictures can't be renewed");
    }
}

fn count(counts: FinishedCounts) {
    ::metrics::counter!(metrics::SIGHTINGS_STORED).increment(counts.sightings);
    ::metrics::counter!(metrics::POSTS_STORED).increment(counts.posts);
    ::metrics::counter!(metrics::MENTIONS_STORED).increment(counts.mentions);
    ::metrics::counter!(metrics::MENTIONS_STRENGTHENED).increment(counts.strengthened);
}
