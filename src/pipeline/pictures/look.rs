//! One picture: what it shows, or why it shows nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::PictureParts;
use crate::domain::{Judgement, Picture, Post, Sighting};
use crate::inference::InferenceError;
use crate::media::{self, Fetched, PerceptualHash, Undecodable, decode, perceptual_hash};
use crate::metrics;
use crate::pipeline::{PipelineError, count_judged};
use crate::store::{Detection, FinishedPicture, Likeness, MediaOutcome, PictureWork, Seen, StoreError};

/// What a look came to.
pub(super) enum Ended {
    /// Everything is known that will be.
    Finished(Box<FinishedPicture>),
    /// It may be had later.
    PutOff(Box<PutOffPicture>),
}

/// A picture that is tried again later.
pub(super) struct PutOffPicture {
    pub(super) work: PictureWork,
    pub(super) pause: Duration,
    pub(super) reason: String,
    /// Whether a request was made.
    pub(super) is_attempt: bool,
}

impl Ended {
    /// The work that it was.
    pub(super) fn work(&self) -> &PictureWork {
        match self {
            Self::Finished(picture) => &picture.work,
            Self::PutOff(put_off) => &put_off.work,
        }
    }
}

/// Looks at a picture, unless it is remembered. Errors are those of the models' threads.
pub(super) async fn look(
    parts: &PictureParts,
    decoders: &Arc<Semaphore>,
    work: PictureWork,
    remembered: Option<MediaOutcome>,
) -> Result<Ended, PipelineError> {
    if let Some(outcome) = remembered {
        count_remembered("url");
        return conclude(parts, work, outcome, false).await;
    }
    let most = parts.options.attempts.get();
    if work.attempts > most {
        // Whoever had it died or hung over it each time.
        let why = work.put_off_for.clone().unwrap_or_else(|| "no attempt came to an end".to_owned());
        let outcome = MediaOutcome::Failed(format!("It was tried {most} times; {why}"));
        return conclude(parts, work, outcome, true).await;
    }
    let outcome = match parts.fetcher.fetch(&work.url, work.attempts.saturating_sub(1)).await {
        media::Outcome::Fetched(fetched) => examine(parts, decoders, fetched).await?,
        media::Outcome::Refused(refusal) => MediaOutcome::Refused(refusal.to_string()),
        media::Outcome::Failed(failure) => MediaOutcome::Failed(failure.to_string()),
        media::Outcome::PutOff(put_off) => {
            let (reason, is_attempt) = (put_off.reason.to_string(), put_off.was_tried());
            if is_attempt && work.attempts >= most {
                MediaOutcome::Failed(format!("It was tried {most} times; {reason}"))
            } else {
                let pause = (put_off.not_before - parts.clock.now()).to_std().unwrap_or_default();
                return Ok(Ended::PutOff(Box::new(PutOffPicture { work, pause, reason, is_attempt })));
            }
        }
    };
    conclude(parts, work, outcome, true).await
}

/// A file that is here: known by its content, known by its likeness, or looked at.
async fn examine(
    parts: &PictureParts,
    decoders: &Arc<Semaphore>,
    fetched: Fetched,
) -> Result<MediaOutcome, PipelineError> {
    let model = parts.detector.model().to_string();
    let (content, size) = (fetched.sha256, fetched.bytes.len() as u64);
    if let Some(known) = recalled(parts.store.remembered_content(&content, &model).await) {
        count_remembered("content");
        return Ok(MediaOutcome::Fetched(known));
    }
    let decoded = decoded(parts, decoders, fetched).await?;
    let (picture, perceptual) = match decoded {
        Ok(decoded) => decoded,
        Err(error) => {
            return Ok(MediaOutcome::Undecodable { reason: error.to_string(), content, bytes: size });
        }
    };
    let (width, height) = (picture.full_width(), picture.full_height());
    let perceptual = perceptual.map(PerceptualHash::to_i64);
    let known = match perceptual {
        Some(perceptual) => {
            let likeness = Likeness { perceptual, within: PerceptualHash::SAME_WITHIN, width, height };
            recalled(parts.store.remembered_likeness(likeness, &model).await)
        }
        None => None,
    };
    let detections = if let Some(known) = known {
        count_remembered("likeness");
        known.at_size(width, height)
    } else {
        match detected(parts, picture).await {
            Ok(detections) => detections,
            Err(InferenceError::Stopped) => return Err(PipelineError::Ended("logo detector")),
            Err(error) => {
                return Ok(MediaOutcome::Failed(format!("The model can't look at it: {error}")));
            }
        }
    };
    Ok(MediaOutcome::Fetched(Seen { content, perceptual, bytes: size, width, height, model, detections }))
}

/// What is remembered. Where the memory can't be read the picture is looked at, which is only work.
fn recalled(answer: Result<Option<Seen>, StoreError>) -> Option<Seen> {
    answer.unwrap_or_else(|error| {
        tracing::debug!(error = %error, "The memory of pictures can't be read");
        None
    })
}

type Decoded = Result<(Picture, Option<PerceptualHash>), Undecodable>;

/// Decodes off the async runtime, a few at a time: the post's way needs the cores, too.
async fn decoded(
    parts: &PictureParts,
    decoders: &Arc<Semaphore>,
    fetched: Fetched,
) -> Result<Decoded, PipelineError> {
    let permit =
        decoders.clone().acquire_owned().await.map_err(|_| PipelineError::Ended("decoder of pictures"))?;
    let (max_pixels, side) = (parts.options.max_pixels, parts.detector.sufficient_side());
    spawn_blocking(move || {
        let _permit = permit;
        decode(&fetched.bytes, max_pixels, side).map(|picture| {
            let hash = perceptual_hash(&picture);
            (picture, hash)
        })
    })
    .await
    .map_err(|panic| PipelineError::Panicked(panic.to_string()))
}

/// The logos that the detector reports.
async fn detected(parts: &PictureParts, picture: Picture) -> Result<Vec<Detection>, InferenceError> {
    let found = parts.detector.submit(picture).await?.await?;
    let reported = found.into_iter().filter(|detection| detection.reported);
    let row = |Sighting { brand, bounds, score, prominence }| Detection {
        class: brand.to_string(),
        score,
        bounds,
        prominence,
    };
    Ok(reported.map(|detection| row(detection.sighting)).collect())
}

/// Makes sightings of detections, and asks the text model where a brand is seen that the text does
/// not name.
async fn conclude(
    parts: &PictureParts,
    work: PictureWork,
    outcome: MediaOutcome,
    is_news: bool,
) -> Result<Ended, PipelineError> {
    let mut sightings = match &outcome {
        MediaOutcome::Fetched(seen) => sightings(parts, &seen.detections),
        _ => Vec::new(),
    };
    let is_unnamed = |sighting: &Sighting| !work.named.contains(&sighting.brand);
    let mut judgement = None;
    if sightings.iter().any(is_unnamed) {
        match judge(parts, &work.post).await {
            Ok(judged) => {
                for sighting in sightings.iter().filter(|sighting| is_unnamed(sighting)) {
                    count_judged(&sighting.brand, &judged);
                }
                judgement = Some(judged);
            }
            Err(InferenceError::Stopped) => return Err(PipelineError::Ended("text model")),
            Err(error) => {
                tracing::warn!(error = %error, "The text of a post that shows a brand can't be scored; what it shows is dropped");
                sightings.retain(|sighting| !is_unnamed(sighting));
            }
        }
    }
    Ok(Ended::Finished(Box::new(FinishedPicture { work, outcome, is_news, sightings, judgement })))
}

/// The text as a whole: it does not name the brand, so there is no place to judge it towards.
async fn judge(parts: &PictureParts, post: &Post) -> Result<Judgement, InferenceError> {
    let judgements = parts.scorers.submit(&post.text, post.language.as_deref(), &[None]).await?;
    Ok(judgements.all().await?.swap_remove(0))
}

fn sightings(parts: &PictureParts, detections: &[Detection]) -> Vec<Sighting> {
    let mut sightings = Vec::new();
    for detection in detections {
        let Some(brand) = parts.logos.get(&detection.class) else {
            ::metrics::counter!(metrics::SIGHTINGS_UNHEARD).increment(1);
            continue;
        };
        sightings.push(Sighting {
            brand: brand.clone(),
            bounds: detection.bounds,
            score: detection.score,
            prominence: detection.prominence,
        });
    }
    sightings
}

fn count_remembered(by: &'static str) {
    ::metrics::counter!(metrics::PICTURES_REMEMBERED, "by" => by).increment(1);
}
