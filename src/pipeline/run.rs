//! Supervision: start the steps, notice when one ends, and stop them in flow order.

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{Options, Parts, evaluator, intake, relay, upkeep, writer};
use crate::health::Part;
use crate::inference::InferenceError;
use crate::publish::PublishError;
use crate::source::{Source, SourceError};
use crate::store::StoreError;

/// Why the pipeline ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Kafka in.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Kafka out.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Postgres.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The model.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// A step ended though nobody asked it to.
    #[error("The {0} ended unexpectedly")]
    Ended(&'static str),
    /// A step panicked.
    #[error("A step of the pipeline panicked: {0}")]
    Panicked(String),
    /// The deadline for draining has passed.
    #[error(
        "Not everything in flight was settled within {0:?}; its offsets are not committed, so it will be delivered again"
    )]
    Deadline(Duration),
    /// The consumer's thread did not end in time.
    #[error(
        "The consumer group could not be left in time; the broker gives the partitions to others after kafka.session_timeout"
    )]
    NotLeft,
}

const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// What each closing step may take beyond the deadline.
const AFTER_DEADLINE: Duration = Duration::from_secs(1);

/// Waits until Postgres answers and its schema is in place, applying migrations if told to.
///
/// # Errors
/// The schema is of a newer program, or a migration fails for good.
pub async fn prepare_store(parts: &Parts) -> Result<(), PipelineError> {
    let store = &parts.store;
    loop {
        let waiting = match make_ready(parts).await {
            Ok(0) => break,
            Ok(pending) => {
                format!(
                    "{pending} migrations are pending; run `overheard migrate`, or set postgres.migrate = true"
                )
            }
            Err(error) if error.is_transient() => format!("{error}; see [postgres]"),
            Err(error) => return Err(error.into()),
        };
        if parts.health.report(Part::Postgres, false, waiting.as_str()) {
            tracing::warn!("Waiting for Postgres: {waiting}");
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    parts.health.report(Part::Postgres, true, "answers");
    tracing::info!(posts.kept = store.options().keep_text, "Postgres is ready");
    Ok(())
}

/// The number of migrations that are pending and not ours to apply.
async fn make_ready(parts: &Parts) -> Result<usize, StoreError> {
    if parts.store.options().migrate {
        parts.store.migrate().await?;
    }
    let pending = parts.store.migration_state().await?.pending;
    if pending == 0 {
        parts.store.ensure_partitions(parts.clock.now()).await?;
    }
    Ok(pending)
}

/// Runs until `shutdown`, then drains. The store must have been prepared.
///
/// # Errors
/// A step ended unexpectedly, or what was in flight could not be settled before the deadline.
pub async fn run(
    parts: Parts,
    options: Options,
    mut source: Source,
    shutdown: CancellationToken,
) -> Result<(), PipelineError> {
    let Some(deliveries) = source.take_deliveries() else { return Err(PipelineError::Ended("source")) };
    let (to_writer, scored) = mpsc::channel(options.queue.get());
    let beside = CancellationToken::new();

    let mut flow = Tasks::new();
    flow.spawn("intake", intake::run(parts.clone(), options.clone(), deliveries, to_writer));
    flow.spawn("writer", writer::run(parts.clone(), options.clone(), scored, source.offsets()));
    let mut aside = Tasks::new();
    aside.spawn("evaluator", evaluator::run(parts.clone(), options.evaluate_every, beside.clone()));
    aside.spawn("relay", relay::run(parts.clone(), options.publish_every, beside.clone()));
    aside.spawn("upkeep", upkeep::run(parts.clone(), beside.clone()));
    aside.spawn("watch over Postgres", upkeep::watch_postgres(parts.clone(), beside.clone()));

    let failure = tokio::select! {
        () = shutdown.cancelled() => None,
        error = flow.early_end() => Some(error),
        error = aside.early_end() => Some(error),
        () = until(|| source.has_ended()) => Some(PipelineError::Ended("consumer")),
    };
    let limit = options.shutdown_deadline;
    match &failure {
        None => {
            tracing::info!(deadline.seconds = limit.as_secs_f64(), "Stopping: draining what is in flight")
        }
        Some(error) => tracing::error!(error = %error, "Stopping: a step has ended"),
    }
    let deadline = Instant::now() + limit;
    parts.health.stop();
    source.stop();

    let drained = timeout_at(deadline, flow.join()).await.unwrap_or(Err(PipelineError::Deadline(limit)));
    if drained.is_err() {
        source.abandon();
    }
    // What stands beside the flow keeps its state in Postgres and may be cut off.
    beside.cancel();
    let _ = timeout(AFTER_DEADLINE, aside.join()).await;
    // Their handles go before the source closes: closing must happen on its own thread.
    flow.0.shutdown().await;
    aside.0.shutdown().await;

    let publisher = parts.publisher.clone();
    let closing = tokio::task::spawn_blocking(move || {
        publisher.flush(AFTER_DEADLINE);
        source.finish()
    });
    let closed = match timeout_at(deadline.max(Instant::now() + AFTER_DEADLINE * 2), closing).await {
        Ok(Ok(result)) => result.map_err(PipelineError::from),
        Ok(Err(panic)) => Err(PipelineError::Panicked(panic.to_string())),
        Err(_) => Err(PipelineError::NotLeft),
    };
    let _ = timeout(AFTER_DEADLINE, parts.store.close()).await;
    match failure {
        // The source knows why it ended; the steps behind it only saw that it did.
        Some(PipelineError::Ended(_)) if matches!(closed, Err(PipelineError::Source(_))) => closed,
        Some(error) => Err(error),
        None => drained.and(closed),
    }
}

/// Named tasks that are joined together.
struct Tasks(JoinSet<(&'static str, Result<(), PipelineError>)>);

impl Tasks {
    fn new() -> Self {
        Self(JoinSet::new())
    }

    fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), PipelineError>> + Send + 'static,
    ) {
        self.0.spawn(async move { (name, task.await) });
    }

    /// Waits until one of them ends, which none should.
    async fn early_end(&mut self) -> PipelineError {
        match self.0.join_next().await {
            Some(Ok((_, Err(error)))) => error,
            Some(Ok((name, Ok(())))) => PipelineError::Ended(name),
            Some(Err(error)) => PipelineError::Panicked(error.to_string()),
            None => PipelineError::Ended("pipeline"),
        }
    }

    /// Waits until all have ended; the first error counts.
    async fn join(&mut self) -> Result<(), PipelineError> {
        let mut result = Ok(());
        while let Some(ended) = self.0.join_next().await {
            result = result.and(match ended {
                Ok((_, ended)) => ended,
                Err(error) => Err(PipelineError::Panicked(error.to_string())),
            });
        }
        result
    }
}

/// Waits until a condition holds that nothing announces.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Repeats something at an interval until told to stop.
pub(super) async fn every<F: Future<Output = ()>>(
    interval: Duration,
    stop: &CancellationToken,
    mut turn: impl FnMut() -> F,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => turn().await,
        }
    }
}
