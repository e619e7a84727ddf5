//! From bytes to a post on its way to a score: decode, match, hand to the model.

use tokio::sync::mpsc;

use super::retry::while_waiting;
use super::{Options, Parts, PipelineError};
use crate::decode::{Decoded, decode};
use crate::domain::{Ack, Delivery, Post, Record, Rejection, RejectionReason, Spans};
use crate::health::Stage;
use crate::inference::{InferenceError, PendingJudgements};
use crate::metrics;

/// A record between intake and its durable end.
pub(super) struct InFlight {
    pub(super) ack: Ack,
    pub(super) record: Record,
    pub(super) outcome: Outcome,
}

/// What a record has turned out to be.
pub(super) enum Outcome {
    /// Nothing to store: an event that is no post, or a post that names no brand and has no picture
    /// to look at.
    Nothing,
    /// Something for the dead-letter topic.
    Rejected(Rejection),
    /// A post to store, with a judgement towards each brand that it names on the way.
    /// Without `kept`, only its pictures are listed.
    Post { post: Box<Post>, named: Vec<Spans>, judgements: Option<PendingJudgements>, kept: bool },
}

/// Takes deliveries until the source stops. Records leave in the order in which they came.
pub(super) async fn run(
    parts: Parts,
    options: Options,
    mut deliveries: mpsc::Receiver<Delivery>,
    writer: mpsc::Sender<InFlight>,
) -> Result<(), PipelineError> {
    while let Some(delivery) = while_waiting(&parts.health, Stage::Intake, deliveries.recv()).await {
        let Delivery { record, ack } = delivery;
        let outcome = take_in(&parts, &options, &record).await?;
        let in_flight = InFlight { ack, record, outcome };
        if while_waiting(&parts.health, Stage::Intake, writer.send(in_flight)).await.is_err() {
            return Err(PipelineError::Ended("writer"));
        }
    }
    parts.health.rest(Stage::Intake);
    Ok(())
}

async fn take_in(parts: &Parts, options: &Options, record: &Record) -> Result<Outcome, PipelineError> {
    let Some(format) = options.formats.get(record.position.topic.as_ref()) else {
        let detail = format!("the topic {} has no format in kafka.topics", record.position.topic);
        return Ok(Outcome::Rejected(Rejection::new(RejectionReason::Shape, detail)));
    };
    let post = match decode(*format, record) {
        Ok(Decoded::Post(post)) => post,
        Ok(Decoded::Ignored(kind)) => {
            ::metrics::counter!(metrics::RECORDS_IGNORED, "kind" => kind.as_str()).increment(1);
            return Ok(Outcome::Nothing);
        }
        Err(rejection) => return Ok(Outcome::Rejected(rejection)),
    };
    ::metrics::counter!(metrics::PICTURES_SEEN).increment(post.pictures.len() as u64);
    let named = parts.matcher.find(&post);
    if named.is_empty() {
        ::metrics::counter!(metrics::POSTS_UNNAMED).increment(1);
        let kept = options.keep_unnamed;
        let has_pictures = !post.pictures.is_empty() && parts.store.options().pictures.per_post > 0;
        if !kept && !has_pictures {
            return Ok(Outcome::Nothing);
        }
        return Ok(Outcome::Post { post, named, judgements: None, kept });
    }
    // A brand is judged by the first place that names it.
    let places: Vec<_> = named.iter().map(|brand| brand.spans.first().copied()).collect();
    match parts.scorers.submit(&post.text, post.language.as_deref(), &places).await {
        Ok(judgements) => Ok(Outcome::Post { post, named, judgements: Some(judgements), kept: true }),
        Err(InferenceError::Stopped) => Err(PipelineError::Ended("text model")),
        Err(error) => Ok(Outcome::Rejected(Rejection::new(RejectionReason::Score, error.to_string()))),
    }
}
