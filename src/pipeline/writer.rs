//! From scored posts to durable rows: gather a batch, send dead letters, one transaction, offsets.

use std::time::Instant;

use futures_util::future::try_join_all;
use tokio::sync::mpsc;

use super::backoff::{retry_with, while_waiting};
use super::batching::{gather, write_or_split};
use super::intake::{InFlight, Outcome};
use super::{Components, Options, PipelineError, count_judged};
use crate::domain::{Delivery, Durable, Judgement, Mention, QueryVersion, Rejection, RejectionReason, Spans};
use crate::health::{Part, Stage};
use crate::inference::InferenceError;
use crate::metrics;
use crate::publish::PublishError;
use crate::source::Offsets;
use crate::store::{Change, DeliveredChange, StoreError, StoredPost, Written};

/// How many bytes of records one transaction may hold before it is written: on its way to Postgres
/// there are several copies of it.
const BATCH_BYTES: usize = 1 << 20;

/// Records that are settled together, by what is to be done with them.
#[derive(Default)]
pub(super) struct Batch {
    /// Bytes of payloads.
    bytes: usize,
    pub(super) changes: Vec<DeliveredChange>,
    pub(super) rejected: Vec<(Delivery, Rejection)>,
    /// What needs nothing to be done, and later everything else.
    durable: Durable,
}

/// Writes until intake ends and everything is settled.
pub(super) async fn run(
    components: Components,
    options: Options,
    mut scored: mpsc::Receiver<InFlight>,
    offsets: Offsets,
) -> Result<(), PipelineError> {
    loop {
        let gathering = gather(&mut scored, options.batch_posts.get(), options.batch_wait);
        let gathered = while_waiting(&components.health, Stage::Writer, gathering).await;
        if gathered.is_empty() {
            break;
        }
        let mut batch = Batch::default();
        for in_flight in gathered {
            if batch.bytes > BATCH_BYTES {
                settle(&components, std::mem::take(&mut batch), &offsets).await?;
            }
            // The model's thread reports its own progress.
            while_waiting(&components.health, Stage::Writer, batch.add(in_flight)).await?;
        }
        settle(&components, batch, &offsets).await?;
    }
    components.health.rest(Stage::Writer);
    Ok(())
}

impl Batch {
    /// Adds a record, as soon as its scores are there.
    pub(super) async fn add(&mut self, in_flight: InFlight) -> Result<(), PipelineError> {
        let InFlight { delivery, outcome } = in_flight;
        self.bytes += delivery.bytes();
        let (post, named, judgements, kept) = match outcome {
            Outcome::Nothing => {
                self.durable.extend(Durable::nothing_to_store(delivery.ack));
                return Ok(());
            }
            Outcome::Rejected(rejection) => {
                self.rejected.push((delivery, rejection));
                return Ok(());
            }
            Outcome::Removal(removal) => {
                self.changes.push(DeliveredChange { change: Change::Removal(removal), delivery });
                return Ok(());
            }
            Outcome::Post { post, named, judgements, kept } => (post, named, judgements, kept),
        };
        let mut judged = Vec::with_capacity(named.len());
        for judgements in judgements {
            match judgements.all().await {
                Ok(some) => judged.extend(some),
                Err(InferenceError::Stopped) => return Err(PipelineError::StepEnded("text model")),
                Err(error) => {
                    let rejection = Rejection::new(RejectionReason::Score, error.to_string());
                    self.rejected.push((delivery, rejection));
                    return Ok(());
                }
            }
        }
        let mentions = named.into_iter().zip(judged).map(mention).collect();
        let received_at = delivery.record.received_at;
        let post = StoredPost { post: *post, received_at, mentions, kept };
        self.changes.push(DeliveredChange { change: Change::Post(Box::new(post)), delivery });
        Ok(())
    }
}

fn mention(((Spans { brand, spans, .. }, query), judgement): ((Spans, QueryVersion), Judgement)) -> Mention {
    count_judged(&brand, &judgement);
    Mention { brand, query, spans, judgement }
}

/// Makes everything of a batch durable, then completes its offsets.
#[expect(clippy::cast_precision_loss, reason = "a batch is far below 2^52")]
async fn settle(components: &Components, batch: Batch, offsets: &Offsets) -> Result<(), PipelineError> {
    let Batch { changes, rejected, mut durable, .. } = batch;
    let dead_letters =
        rejected.into_iter().map(|(delivery, rejection)| bury(components, delivery, rejection));
    let buried = try_join_all(dead_letters).await?;
    let stored = write_or_split(
        changes,
        async |changes| write(components, changes).await.map(|(durable, _)| durable),
        // Whatever Postgres refuses for good becomes a dead letter.
        |refused, error| {
            bury(components, refused.delivery, Rejection::new(RejectionReason::Store, error.to_string()))
        },
    )
    .await?;
    for proven in buried.into_iter().chain(stored) {
        durable.extend(proven);
    }
    ::metrics::histogram!(metrics::STORE_BATCH_POSTS).record(durable.records() as f64);
    offsets.settle(durable);
    Ok(())
}

/// Stores changes in one transaction, however long Postgres takes. Gives them back where it refuses
/// them for good.
pub(super) async fn write(
    components: &Components,
    changes: Vec<DeliveredChange>,
) -> Result<(Durable, Written), (StoreError, Vec<DeliveredChange>)> {
    let _writing = components.health.writing(Stage::Writer);
    let attempt = async |changes| {
        let started = Instant::now();
        // Boxed: it is large, and stands inside everything that writes.
        let result = Box::pin(components.store.settle(changes)).await;
        match &result {
            Ok(_) => {
                ::metrics::histogram!(metrics::STORE_COMMIT_SECONDS).record(started.elapsed());
                components.health.report(Part::Postgres, true, "answers");
            }
            Err((error, _)) if error.is_transient() => {
                ::metrics::counter!(metrics::STORE_RETRIES).increment(1);
                components.health.report(Part::Postgres, false, error.to_string());
            }
            Err(_) => {}
        }
        result
    };
    let what = "write posts to Postgres";
    let (durable, written) =
        retry_with(&components.health, Stage::Writer, what, StoreError::is_transient, changes, attempt)
            .await?;
    count(&written);
    Ok((durable, written))
}

fn count(written: &Written) {
    ::metrics::counter!(metrics::POSTS_STORED).increment(written.posts);
    ::metrics::counter!(metrics::MENTIONS_STORED).increment(written.mentions);
    ::metrics::counter!(metrics::MENTIONS_MUTED).increment(written.muted);
    ::metrics::counter!(metrics::PICTURES_LISTED).increment(written.pictures);
    ::metrics::counter!(metrics::POSTS_EDITED).increment(written.edited);
    ::metrics::counter!(metrics::POSTS_REMOVED).increment(written.removed);
}

/// Sends a record to the dead-letter topic, however long the broker takes.
async fn bury(
    components: &Components,
    delivery: Delivery,
    rejection: Rejection,
) -> Result<Durable, PipelineError> {
    let reason = rejection.reason.as_str();
    ::metrics::counter!(metrics::RECORDS_REJECTED, "reason" => reason).increment(1);
    tracing::debug!(record.position = %delivery.record.position, rejection.reason = reason, "{}", rejection.detail);
    let at = components.clock.now();
    let attempt = async |delivery| {
        let result = components.publisher.dead_letter(delivery, &rejection, at).await;
        match &result {
            Ok(_) => components.health.report(Part::Output, true, "dead letters are taken"),
            Err((error, _)) => components.health.report(Part::Output, false, error.to_string()),
        };
        result
    };
    let what = "send a dead letter";
    retry_with(&components.health, Stage::Writer, what, PublishError::is_transient, delivery, attempt)
        .await
        .map_err(|(error, _)| error.into())
}
