//! Writes what became of pictures, in batches, however long Postgres takes.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::PictureParts;
use super::look::{Ended, PutOffPicture};
use crate::health::Stage;
use crate::metrics;
use crate::pipeline::PipelineError;
use crate::pipeline::retry::{until_durable, while_waiting};
use crate::store::{FinishedCounts, FinishedPicture, MediaOutcome, StoreError};

/// Most pictures in one transaction, and how long the first waits for others.
const BATCH: usize = 100;
const BATCH_WAIT: Duration = Duration::from_millis(100);

/// Writes until nobody looks any more and everything is written.
pub(super) async fn run(parts: PictureParts, mut ended: mpsc::Receiver<Ended>) -> Result<(), PipelineError> {
    while let Some(first) = while_waiting(&parts.health, Stage::PictureWriter, ended.recv()).await {
        let deadline = Instant::now() + BATCH_WAIT;
        let (mut finished, mut put_off) = (Vec::new(), Vec::new());
        let mut sort = |ended| match ended {
            Ended::Finished(picture) => finished.push(*picture),
            Ended::PutOff(picture) => put_off.push(picture),
        };
        sort(first);
        for _ in 1..BATCH {
            match timeout_at(deadline, ended.recv()).await {
                Ok(Some(next)) => sort(next),
                Ok(None) | Err(_) => break,
            }
        }
        for picture in &put_off {
            put_it_off(&parts, picture).await?;
        }
        finish(&parts, finished).await?;
    }
    parts.health.rest(Stage::PictureWriter);
    Ok(())
}

async fn put_it_off(parts: &PictureParts, picture: &PutOffPicture) -> Result<(), PipelineError> {
    let PutOffPicture { work, pause, reason, is_attempt } = picture;
    tracing::debug!(picture.url = work.url, pause.seconds = pause.as_secs_f64(), "Put off: {reason}");
    ::metrics::counter!(metrics::PICTURES_PUT_OFF).increment(1);
    let attempt = || parts.store.put_off(work, *pause, reason, *is_attempt);
    until_durable(
        &parts.health,
        Stage::PictureWriter,
        "put a picture off",
        StoreError::is_transient,
        attempt,
    )
    .await?;
    Ok(())
}

/// Writes a batch; where Postgres refuses it, one by one, and of the culprit only that it failed.
async fn finish(parts: &PictureParts, pictures: Vec<FinishedPicture>) -> Result<(), PipelineError> {
    let Err(error) = write(parts, &pictures).await else { return Ok(()) };
    tracing::warn!(batch.pictures = pictures.len(), error = %error, "Postgres refuses a batch of pictures, writing them one by one");
    for mut picture in pictures {
        if let Err(error) = write(parts, std::slice::from_ref(&picture)).await {
            tracing::error!(picture.url = picture.work.url, error = %error, "What a picture shows can't be stored");
            picture.outcome = MediaOutcome::Failed(error.to_string());
            picture.sightings.clear();
            write(parts, std::slice::from_ref(&picture)).await?;
        }
    }
    Ok(())
}

async fn write(parts: &PictureParts, pictures: &[FinishedPicture]) -> Result<(), StoreError> {
    let attempt = || Box::pin(parts.store.finish_pictures(pictures));
    let counts = until_durable(
        &parts.health,
        Stage::PictureWriter,
        "write what pictures show",
        StoreError::is_transient,
        attempt,
    )
    .await?;
    for picture in pictures {
        ::metrics::counter!(metrics::PICTURES_FINISHED, "outcome" => picture.outcome.as_str()).increment(1);
    }
    count(counts);
    Ok(())
}

fn count(counts: FinishedCounts) {
    ::metrics::counter!(metrics::SIGHTINGS_STORED).increment(counts.sightings);
    ::metrics::counter!(metrics::POSTS_STORED).increment(counts.posts);
    ::metrics::counter!(metrics::MENTIONS_STORED).increment(counts.mentions);
    ::metrics::counter!(metrics::MENTIONS_STRENGTHENED).increment(counts.strengthened);
}
