//! One picture's way, from the queue to what is written of it. `process` reads from top to bottom:
//! known by its address, fetched, known by its content, decoded, known by its likeness, searched for
//! logos, logos mapped to brands, text judged where it names none of them.

use std::time::Duration;

use futures_util::future::try_join_all;

use super::PictureComponents;
use super::requests::Request;
use crate::domain::{Detection, ExaminedPicture, Judgement, Picture, PictureOutcome, Post, Sighting};
use crate::geometry::union;
use crate::inference::InferenceError;
use crate::media::{self, DecodeOutcome, DecodedPicture, Fetched, PerceptualHash};
use crate::metrics;
use crate::pipeline::{PipelineError, count_judged};
use crate::store::{FinishedPicture, Likeness, PutOffPicture, QueuedPicture, StoreError};

/// How long a picture is put off where no decoder can be started: the machine is short of something.
const NO_DECODER_PAUSE: Duration = Duration::from_secs(10);

/// What processing a picture came to.
pub(super) enum Processed {
    /// Everything is known that will be.
    Finished(Box<FinishedPicture>),
    /// It may be had later.
    PutOff(Box<PutOffPicture>),
}

impl Processed {
    /// The picture that it was.
    pub(super) fn queued(&self) -> &QueuedPicture {
        match self {
            Self::Finished(picture) => &picture.queued,
            Self::PutOff(put_off) => &put_off.queued,
        }
    }
}

/// Processes a leased picture; `known` is what earlier ones told of its address, `request` its place
/// among the requests to its host, free again once it is fetched. Errors are those of the models'
/// threads.
pub(super) async fn process(
    components: &PictureComponents,
    queued: QueuedPicture,
    known: Option<PictureOutcome>,
    request: Option<Request>,
) -> Result<Processed, PipelineError> {
    let (outcome, is_new) = match known {
        Some(outcome) => {
            count_known("url");
            (outcome, false)
        }
        None => match fetch(components, &queued, request).await {
            Fetch::File(file) => match examine(components, file).await? {
                Ok(outcome) => (outcome, true),
                Err(later) => return Ok(later.put_off(queued)),
            },
            Fetch::None(outcome) => (outcome, true),
            Fetch::Later(later) => return Ok(later.put_off(queued)),
        },
    };
    let sightings = match &outcome {
        PictureOutcome::Examined(picture) => map_to_brands(components, &picture.detections),
        _ => Vec::new(),
    };
    let (sightings, judgement) = judge_unnamed(components, &queued, sightings).await?;
    Ok(Processed::Finished(Box::new(FinishedPicture { queued, outcome, is_new, sightings, judgement })))
}

/// What fetching came to.
enum Fetch {
    File(Fetched),
    None(PictureOutcome),
    Later(Later),
}

/// When a picture may be had, and why not now.
struct Later {
    pause: Duration,
    reason: String,
    is_attempt: bool,
}

impl Later {
    fn put_off(self, queued: QueuedPicture) -> Processed {
        let Self { pause, reason, is_attempt } = self;
        Processed::PutOff(Box::new(PutOffPicture { queued, pause, reason, is_attempt }))
    }
}

/// Fetches the file behind the guard, unless its attempts are used up.
async fn fetch(components: &PictureComponents, queued: &QueuedPicture, request: Option<Request>) -> Fetch {
    let most = components.options.attempts.get();
    let used_up =
        |why: &str| Fetch::None(PictureOutcome::Failed(format!("It was tried {most} times; {why}")));
    if queued.attempts > most {
        // Each process that had it died or hung over it.
        return used_up(queued.put_off_for.as_deref().unwrap_or("no attempt came to an end"));
    }
    let outcome = components.fetcher.fetch(&queued.url, queued.attempts.saturating_sub(1)).await;
    // The host may be asked for the next one, while this one is decoded.
    drop(request);
    match outcome {
        media::Outcome::Fetched(file) => Fetch::File(file),
        media::Outcome::Refused(refusal) => Fetch::None(PictureOutcome::Refused(refusal.to_string())),
        media::Outcome::Failed(failure) => Fetch::None(PictureOutcome::Failed(failure.to_string())),
        media::Outcome::PutOff(put_off) => {
            let (reason, is_attempt) = (put_off.reason.to_string(), put_off.was_tried());
            if is_attempt && queued.attempts >= most {
                return used_up(&reason);
            }
            let pause = (put_off.not_before - components.clock.now()).to_std().unwrap_or_default();
            Fetch::Later(Later { pause, reason, is_attempt })
        }
    }
}

/// The logos in a file: those of an earlier picture that is the same, or what the detector finds.
async fn examine(
    components: &PictureComponents,
    file: Fetched,
) -> Result<Result<PictureOutcome, Later>, PipelineError> {
    let model = components.detector.model().to_string();
    let (content, bytes) = (file.sha256, file.bytes.len() as u64);
    if let Some(known) = or_unknown(components.store.known_content(&content, &model).await) {
        count_known("content");
        // Pictures that look the same find the row that this one was found by.
        return Ok(Ok(PictureOutcome::Examined(ExaminedPicture { perceptual: None, ..known })));
    }
    let DecodedPicture { picture, others, hash, memory } = match components.decoders.decode(&file.bytes).await
    {
        DecodeOutcome::Decoded(decoded) => decoded,
        DecodeOutcome::Undecodable(reason) => {
            return Ok(Ok(PictureOutcome::Undecodable { reason, content, bytes }));
        }
        DecodeOutcome::Unavailable(reason) => {
            return Ok(Err(Later { pause: NO_DECODER_PAUSE, reason, is_attempt: false }));
        }
    };
    drop(file);
    let (width, height) = (picture.full_width(), picture.full_height());
    let mut perceptual = hash.map(PerceptualHash::to_i64);
    let detections = match known_likeness(components, perceptual, width, height, &model).await {
        Some(known) => {
            count_known("likeness");
            perceptual = None;
            known.detections_at_size(width, height)
        }
        None => match detect(components, picture, others).await {
            Ok(detections) => detections,
            Err(InferenceError::Stopped) => return Err(PipelineError::StepEnded("logo detector")),
            Err(error) => {
                return Ok(Ok(PictureOutcome::Failed(format!("The detector failed on it: {error}"))));
            }
        },
    };
    drop(memory);
    Ok(Ok(PictureOutcome::Examined(ExaminedPicture {
        content,
        perceptual,
        bytes,
        width,
        height,
        model,
        detections,
    })))
}

async fn known_likeness(
    components: &PictureComponents,
    perceptual: Option<i64>,
    width: u32,
    height: u32,
    model: &str,
) -> Option<ExaminedPicture> {
    let likeness = Likeness { perceptual: perceptual?, within: PerceptualHash::SAME_WITHIN, width, height };
    or_unknown(components.store.known_likeness(likeness, model).await)
}

/// Where known pictures can't be read the picture is examined again, which only costs time.
fn or_unknown(answer: Result<Option<ExaminedPicture>, StoreError>) -> Option<ExaminedPicture> {
    answer.unwrap_or_else(|error| {
        tracing::warn!(error = %error, "Known pictures can't be read");
        None
    })
}

/// The logos that the detector reports, in whatever the file shows.
async fn detect(
    components: &PictureComponents,
    picture: Picture,
    others: Vec<Picture>,
) -> Result<Vec<Detection>, InferenceError> {
    let mut pending = Vec::with_capacity(1 + others.len());
    for picture in [picture].into_iter().chain(others) {
        pending.push(components.detector.submit(picture).await?);
    }
    let mut found = union(try_join_all(pending).await?);
    found.retain(|detection| detection.reported);
    Ok(found)
}

/// The one place where a label of the model becomes a brand. Labels of brands that are not configured
/// are counted and left out.
fn map_to_brands(components: &PictureComponents, detections: &[Detection]) -> Vec<Sighting> {
    let listening = components.listening.get();
    let mut sightings = Vec::new();
    for Detection { label, bounds, score, prominence, .. } in detections {
        let brand = listening.logos.get(label);
        let Some((brand, query)) = brand.zip(brand.and_then(|brand| listening.query_of(brand))) else {
            ::metrics::counter!(metrics::SIGHTINGS_UNHEARD).increment(1);
            continue;
        };
        let (brand, query) = (brand.clone(), query.clone());
        let (bounds, score, prominence) = (*bounds, *score, *prominence);
        sightings.push(Sighting { brand, query, bounds, score, prominence });
    }
    sightings
}

/// Judges the post's text where a brand is shown that the text does not name. Sightings of such
/// brands are dropped if it can't be judged.
async fn judge_unnamed(
    components: &PictureComponents,
    queued: &QueuedPicture,
    mut sightings: Vec<Sighting>,
) -> Result<(Vec<Sighting>, Option<Judgement>), PipelineError> {
    let is_unnamed = |sighting: &Sighting| !queued.named.contains(&sighting.brand);
    if !sightings.iter().any(is_unnamed) {
        return Ok((sightings, None));
    }
    match judge(components, &queued.post).await {
        Ok(judgement) => {
            for sighting in sightings.iter().filter(|sighting| is_unnamed(sighting)) {
                count_judged(&sighting.brand, &judgement);
            }
            Ok((sightings, Some(judgement)))
        }
        Err(InferenceError::Stopped) => Err(PipelineError::StepEnded("text model")),
        Err(error) => {
            tracing::warn!(error = %error, "Can't score the text of a post that shows a brand; drops the sighting");
            sightings.retain(|sighting| !is_unnamed(sighting));
            Ok((sightings, None))
        }
    }
}

/// Judges the text as a whole: it does not name the brand, so there is no place to judge it towards.
async fn judge(components: &PictureComponents, post: &Post) -> Result<Judgement, InferenceError> {
    let judgements = components.judge.submit(&post.text, &post.languages, &[], &[None]).await?;
    Ok(judgements.all().await?.swap_remove(0))
}

fn count_known(by: &'static str) {
    ::metrics::counter!(metrics::PICTURES_REMEMBERED, "by" => by).increment(1);
}
