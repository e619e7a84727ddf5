//! From scored posts to durable rows: gather a batch, send dead letters, one transaction, offsets.

use std::time::Instant;

use futures_util::future::try_join_all;
use tokio::sync::mpsc;
use tokio::time::timeout_at;

use super::intake::{InFlight, Outcome};
use super::retry::{until_durable, while_waiting};
use super::{Options, Parts, PipelineError, count_judged};
use crate::domain::{Ack, Durable, Judgement, Mention, Record, Rejection, RejectionReason, Spans};
use crate::health::{Part, Stage};
use crate::inference::InferenceError;
use crate::metrics;
use crate::publish::PublishError;
use crate::source::Offsets;
use crate::store::{StoreError, StoredPost, Written};

/// Posts of one transaction, with the records that they came from.
#[derive(Default)]
struct Batch {
    posts: Vec<StoredPost>,
    /// The record of each post, in the same order.
    records: Vec<Record>,
    rejected: Vec<(Record, Rejection)>,
    acks: Vec<Ack>,
}

/// Writes until intake ends and everything is settled.
pub(super) async fn run(
    parts: Parts,
    options: Options,
    mut scored: mpsc::Receiver<InFlight>,
    offsets: Offsets,
) -> Result<(), PipelineError> {
    while let Some(first) = while_waiting(&parts.health, Stage::Writer, scored.recv()).await {
        let deadline = tokio::time::Instant::now() + options.batch_wait;
        let mut batch = Batch::default();
        batch.add(first).await?;
        while batch.acks.len() < options.batch_posts.get() {
            match timeout_at(deadline, scored.recv()).await {
                Ok(Some(in_flight)) => batch.add(in_flight).await?,
                Ok(None) | Err(_) => break,
            }
        }
        settle(&parts, batch, &offsets).await?;
    }
    parts.health.rest(Stage::Writer);
    Ok(())
}

impl Batch {
    /// Takes a record in, as soon as its scores are there.
    async fn add(&mut self, in_flight: InFlight) -> Result<(), PipelineError> {
        let InFlight { ack, record, outcome } = in_flight;
        self.acks.push(ack);
        let (post, named, judgements, kept) = match outcome {
            Outcome::Nothing => return Ok(()),
            Outcome::Rejected(rejection) => {
                self.rejected.push((record, rejection));
                return Ok(());
            }
            Outcome::Post { post, named, judgements, kept } => (post, named, judgements, kept),
        };
        let mentions = match judgements {
            None => Vec::new(),
            Some(judgements) => match judgements.all().await {
                Ok(judged) => named.into_iter().zip(judged).map(mention).collect(),
                Err(InferenceError::Stopped) => return Err(PipelineError::Ended("text model")),
                Err(error) => {
                    let rejection = Rejection::new(RejectionReason::Score, error.to_string());
                    self.rejected.push((record, rejection));
                    return Ok(());
                }
            },
        };
        self.posts.push(StoredPost { post: *post, received_at: record.received_at, mentions, kept });
        self.records.push(record);
        Ok(())
    }
}

fn mention((Spans { brand, spans }, judgement): (Spans, Judgement)) -> Mention {
    count_judged(&brand, &judgement);
    Mention { brand, spans, judgement }
}

/// Makes everything of a batch durable, then completes its offsets.
#[expect(clippy::cast_precision_loss, reason = "a batch is far below 2^52")]
async fn settle(parts: &Parts, batch: Batch, offsets: &Offsets) -> Result<(), PipelineError> {
    let Batch { posts, records, rejected, acks } = batch;
    try_join_all(rejected.iter().map(|(record, rejection)| bury(parts, record, rejection))).await?;
    let durable = match write(parts, &posts).await {
        Ok(durable) => durable,
        Err(error) if !posts.is_empty() => {
            tracing::warn!(batch.posts = posts.len(), error = %error, "Postgres refuses a batch, writing its posts one by one");
            write_one_by_one(parts, &posts, &records).await?
        }
        Err(error) => return Err(error.into()),
    };
    ::metrics::histogram!(metrics::STORE_BATCH_POSTS).record(acks.len() as f64);
    offsets.settle(acks, &durable);
    Ok(())
}

async fn write(parts: &Parts, posts: &[StoredPost]) -> Result<Durable, StoreError> {
    let attempt = || async {
        let started = Instant::now();
        // Boxed: it is large, and stands inside everything that writes.
        let result = Box::pin(parts.store.write(posts)).await;
        match &result {
            // An empty batch is durable without a word to Postgres.
            Ok(_) if posts.is_empty() => {}
            Ok(_) => {
                ::metrics::histogram!(metrics::STORE_COMMIT_SECONDS).record(started.elapsed());
                parts.health.report(Part::Postgres, true, "answers");
            }
            Err(error) if error.is_transient() => {
                ::metrics::counter!(metrics::STORE_RETRIES).increment(1);
                parts.health.report(Part::Postgres, false, error.to_string());
            }
            Err(_) => {}
        }
        result
    };
    let (durable, written) = until_durable(
        &parts.health,
        Stage::Writer,
        "write posts to Postgres",
        StoreError::is_transient,
        attempt,
    )
    .await?;
    count(&written);
    Ok(durable)
}

fn count(written: &Written) {
    ::metrics::counter!(metrics::POSTS_STORED).increment(written.posts);
    ::metrics::counter!(metrics::MENTIONS_STORED).increment(written.mentions);
    ::metrics::counter!(metrics::PICTURES_LISTED).increment(written.pictures);
}

/// One post has spoilt the batch. Whatever Postgres refuses for good becomes a dead letter.
async fn write_one_by_one(
    parts: &Parts,
    posts: &[StoredPost],
    records: &[Record],
) -> Result<Durable, PipelineError> {
    for (post, record) in posts.iter().zip(records) {
        if let Err(error) = write(parts, std::slice::from_ref(post)).await {
            bury(parts, record, &Rejection::new(RejectionReason::Store, error.to_string())).await?;
        }
    }
    // Nothing is left to write: the store attests an empty batch at once.
    Ok(write(parts, &[]).await?)
}

/// Sends a record to the dead-letter topic, however long the broker takes.
async fn bury(parts: &Parts, record: &Record, rejection: &Rejection) -> Result<(), PipelineError> {
    ::metrics::counter!(metrics::RECORDS_REJECTED, "reason" => rejection.reason.as_str()).increment(1);
    tracing::debug!(record.position = %record.position, rejection.reason = rejection.reason.as_str(), "{}", rejection.detail);
    let at = parts.clock.now();
    let attempt = || async {
        let result = parts.publisher.dead_letter(record, rejection, at).await;
        match &result {
            Ok(()) => parts.health.report(Part::Output, true, "dead letters are taken"),
            Err(error) => parts.health.report(Part::Output, false, error.to_string()),
        };
        result
    };
    until_durable(&parts.health, Stage::Writer, "send a dead letter", PublishError::is_transient, attempt)
        .await?;
    Ok(())
}
