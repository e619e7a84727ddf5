//! From bytes to a post on its way to a score: decode, match, hand to the model.

use std::num::NonZeroUsize;

use tokio::sync::mpsc;

use super::backoff::while_waiting;
use super::judge::{PendingJudgements, language_of};
use super::{Components, Options, PipelineError};
use crate::decode::{Contents, Decoded, Ignored, decode};
use crate::domain::{Delivery, Post, QueryVersion, Rejection, RejectionReason, Removal, Removed, Spans};
use crate::health::Stage;
use crate::inference::InferenceError;
use crate::metrics;
use crate::privacy::Pseudonyms;
use crate::store::StoredRemoval;

/// A record between intake and its durable end.
pub(super) struct InFlight {
    pub(super) delivery: Delivery,
    pub(super) outcome: Outcome,
}

/// What a record has turned out to be.
pub(super) enum Outcome {
    /// Nothing to store: an event that is no post, or a post that names no brand and has no picture
    /// to look at.
    Nothing,
    /// Something for the dead-letter topic.
    Rejected(Rejection),
    /// A post or an account to take away.
    Removal(StoredRemoval),
    /// A post to store, with judgements on the way: those of its text, then those of descriptions of
    /// pictures, together one for each brand that it names. Without `kept`, only its pictures are listed.
    Post {
        post: Box<Post>,
        named: Vec<(Spans, QueryVersion)>,
        judgements: Vec<PendingJudgements>,
        kept: bool,
    },
}

/// Takes deliveries until the source stops. Records leave in the order in which they came.
pub(super) async fn run(
    components: Components,
    options: Options,
    mut deliveries: mpsc::Receiver<Delivery>,
    writer: mpsc::Sender<InFlight>,
) -> Result<(), PipelineError> {
    while let Some(delivery) = while_waiting(&components.health, Stage::Intake, deliveries.recv()).await {
        for (delivery, found) in unpack(&options, delivery) {
            let outcome = take_in(&components, &options, found).await?;
            let in_flight = InFlight { delivery, outcome };
            if while_waiting(&components.health, Stage::Intake, writer.send(in_flight)).await.is_err() {
                return Err(PipelineError::StepEnded("writer"));
            }
        }
    }
    components.health.rest(Stage::Intake);
    Ok(())
}

/// What a record holds, each with its part of the delivery.
pub(super) fn unpack(
    options: &Options,
    delivery: Delivery,
) -> impl Iterator<Item = (Delivery, Result<Decoded, Rejection>)> {
    let topic = &delivery.record.position.topic;
    let Contents { items, rejection, repairs } = if let Some(wire) = options.wires.get(topic.as_ref()) {
        decode(wire, &delivery.record)
    } else {
        let detail = format!("the topic {topic} has no format in kafka.topics");
        let rejection = Some(Rejection::new(RejectionReason::Shape, detail));
        Contents { rejection, ..Contents::default() }
    };
    for repair in repairs {
        ::metrics::counter!(metrics::POSTS_REPAIRED, "part" => repair.as_str()).increment(1);
    }
    let count = items.len() + usize::from(rejection.is_some());
    // A decoder always says something.
    let parts = delivery.split(NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN));
    parts.into_iter().zip(items.into_iter().map(Ok).chain(rejection.map(Err)))
}

/// What is to be done about something that a record holds. Its scores are on their way.
pub(super) async fn take_in(
    components: &Components,
    options: &Options,
    found: Result<Decoded, Rejection>,
) -> Result<Outcome, PipelineError> {
    let item = match found {
        Ok(item) => item,
        Err(rejection) => return Ok(Outcome::Rejected(rejection)),
    };
    let mut post = match item {
        Decoded::Post(post) => post,
        Decoded::Removal(removal) if options.honour_deletions => {
            return Ok(Outcome::Removal(stored_removal(&components.pseudonyms, removal)));
        }
        Decoded::Removal(removal) => {
            return Ok(ignored(match removal.of {
                Removed::Post(_) => Ignored::Deletion,
                Removed::Account(_) => Ignored::Account,
            }));
        }
        Decoded::Ignored(kind) => return Ok(ignored(kind)),
    };
    ::metrics::counter!(metrics::PICTURES_SEEN).increment(post.pictures.len() as u64);
    let listening = components.listening.get();
    let named = listening.matcher.find(&post, &|names| language_of(&post, names));
    components.pseudonyms.apply(&mut post);
    if named.is_empty() {
        ::metrics::counter!(metrics::POSTS_UNNAMED).increment(1);
        let kept = options.keep_unnamed;
        let has_pictures = !post.pictures.is_empty() && components.store.options().pictures.per_post > 0;
        // An edit may take the last brand out of a post that is stored.
        if !kept && !has_pictures && !post.is_edit {
            return Ok(Outcome::Nothing);
        }
        return Ok(Outcome::Post { post, named: Vec::new(), judgements: Vec::new(), kept });
    }
    let versioned = |found: Spans| listening.query_of(&found.brand).cloned().map(|query| (found, query));
    let (in_text, in_alt): (Vec<_>, Vec<_>) =
        named.into_iter().filter_map(versioned).partition(|(found, _)| found.alt_alone().is_none());
    // A brand is judged by the first place that names it.
    let places: Vec<_> = in_text.iter().map(|(found, _)| found.spans.first().copied()).collect();
    let spans: Vec<_> = in_text.iter().flat_map(|(found, _)| found.spans.iter().copied()).collect();
    let mut judgements = Vec::with_capacity(1 + in_alt.len());
    if !in_text.is_empty() {
        judgements.push(components.judge.submit(&post.text, &post.languages, &spans, &places).await);
    }
    for (number, place) in in_alt.iter().filter_map(|(found, _)| found.alt_alone()) {
        let alt = &post.alt_texts[number];
        judgements.push(components.judge.submit(alt, &post.languages, &[place], &[Some(place)]).await);
    }
    match judgements.into_iter().collect() {
        Ok(judgements) => {
            let named = in_text.into_iter().chain(in_alt).collect();
            Ok(Outcome::Post { post, named, judgements, kept: true })
        }
        Err(InferenceError::Stopped) => Err(PipelineError::StepEnded("text model")),
        Err(error) => Ok(Outcome::Rejected(Rejection::new(RejectionReason::Score, error.to_string()))),
    }
}

fn ignored(kind: Ignored) -> Outcome {
    ::metrics::counter!(metrics::RECORDS_IGNORED, "kind" => kind.as_str()).increment(1);
    Outcome::Nothing
}

/// A removal by the names that posts are stored under.
fn stored_removal(pseudonyms: &Pseudonyms, removal: Removal) -> StoredRemoval {
    let Removal { source, of, at } = removal;
    match of {
        Removed::Post(id) => StoredRemoval::Post { ids: pseudonyms.ids(&source, &id), source, at },
        Removed::Account(author) => {
            StoredRemoval::Account { keys: pseudonyms.of(&source, &author).collect(), at }
        }
    }
}
