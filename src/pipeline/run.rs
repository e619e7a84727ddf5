//! Supervision: start the steps, notice when one ends, and stop them in flow order.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{
    Options, Parts, PictureParts, PipelineError, evaluator, intake, pictures, relay, upkeep, writer,
};
use crate::clock::Clock;
use crate::health::{Health, Part};
use crate::source::Source;
use crate::store::{Store, StoreError};

const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// What each closing step may take beyond the deadline.
const AFTER_DEADLINE: Duration = Duration::from_secs(1);

/// Waits until Postgres answers and its schema is in place, applying migrations if told to.
///
/// # Errors
/// The schema is of a newer program, or a migration fails for good.
pub async fn prepare_store(store: &Store, clock: &dyn Clock, health: &Health) -> Result<(), PipelineError> {
    loop {
        let waiting = match make_ready(store, clock).await {
            Ok(0) => break,
            Ok(pending) => {
                format!(
                    "{pending} migrations are pending; run `overheard migrate`, or set postgres.migrate = true"
                )
            }
            Err(error) if error.is_transient() => format!("{error}; see [postgres]"),
            Err(error) => return Err(error.into()),
        };
        if health.report(Part::Postgres, false, waiting.as_str()) {
            tracing::warn!("Waiting for Postgres: {waiting}");
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    health.report(Part::Postgres, true, "answers");
    tracing::info!(posts.kept = store.options().keep_text, "Postgres is ready");
    Ok(())
}

/// The number of migrations that are pending and not ours to apply.
async fn make_ready(store: &Store, clock: &dyn Clock) -> Result<usize, StoreError> {
    if store.options().migrate {
        store.migrate().await?;
    }
    let pending = store.migration_state().await?.pending;
    if pending == 0 {
        store.ensure_partitions(clock.now()).await?;
    }
    Ok(pending)
}

/// What a process does: the post's way, the picture's, or both.
pub struct Ways {
    /// The post's way, with the consumer that it begins with.
    pub text: Option<(Parts, Source)>,
    /// The picture's way.
    pub pictures: Option<PictureParts>,
}

/// Runs until `shutdown`, then drains. The store must have been prepared.
///
/// # Errors
/// A step ended unexpectedly, or what was in flight could not be settled before the deadline.
pub async fn run(
    ways: Ways,
    store: Store,
    clock: Arc<dyn Clock>,
    health: Health,
    options: Options,
    shutdown: CancellationToken,
) -> Result<(), PipelineError> {
    let (parts, mut source) = ways.text.unzip();
    let beside = CancellationToken::new();
    let no_more_looks = CancellationToken::new();

    let mut flow = Tasks::new();
    let mut looking = Tasks::new();
    let mut aside = Tasks::new();
    if let (Some(parts), Some(source)) = (&parts, &mut source) {
        let Some(deliveries) = source.take_deliveries() else { return Err(PipelineError::Ended("source")) };
        let (to_writer, scored) = mpsc::channel(options.queue.get());
        flow.spawn("intake", intake::run(parts.clone(), options.clone(), deliveries, to_writer));
        flow.spawn("writer", writer::run(parts.clone(), options.clone(), scored, source.offsets()));
        aside.spawn("evaluator", evaluator::run(parts.clone(), options.evaluate_every, beside.clone()));
        aside.spawn("relay", relay::run(parts.clone(), options.publish_every, beside.clone()));
    }
    if let Some(parts) = ways.pictures {
        looking.spawn("picture workers", pictures::run(parts, no_more_looks.clone()));
    }
    aside.spawn("upkeep", upkeep::run(store.clone(), clock, beside.clone()));
    let watch = upkeep::watch_postgres(store.clone(), health.clone(), beside.clone());
    aside.spawn("watch over Postgres", watch);
    if store.options().pictures.per_post > 0 {
        aside.spawn("measure of the list", pictures::watch_backlog(store.clone(), beside.clone()));
    }

    let has_ended = || source.as_ref().is_some_and(Source::has_ended);
    let failure = tokio::select! {
        () = shutdown.cancelled() => None,
        error = flow.early_end() => Some(error),
        error = looking.early_end() => Some(error),
        error = aside.early_end() => Some(error),
        () = until(has_ended) => Some(PipelineError::Ended("consumer")),
    };
    let limit = options.shutdown_deadline;
    match &failure {
        None => {
            tracing::info!(deadline.seconds = limit.as_secs_f64(), "Stopping: draining what is in flight");
        }
        Some(error) => tracing::error!(error = %error, "Stopping: a step has ended"),
    }
    let deadline = Instant::now() + limit;
    health.stop();
    if let Some(source) = &source {
        source.stop();
    }
    // What is being looked at is in Postgres and goes on elsewhere, so it ends while posts drain.
    no_more_looks.cancel();

    let drained = timeout_at(deadline, flow.join()).await.unwrap_or(Err(PipelineError::Deadline(limit)));
    if let (Err(_), Some(source)) = (&drained, &source) {
        source.abandon();
    }
    let _ = timeout_at(deadline.max(Instant::now() + AFTER_DEADLINE), looking.join()).await;
    looking.0.shutdown().await;
    // What stands beside the flow keeps its state in Postgres and may be cut off.
    beside.cancel();
    let _ = timeout(AFTER_DEADLINE, aside.join()).await;
    // Their handles go before the source closes: closing must happen on its own thread.
    flow.0.shutdown().await;
    aside.0.shutdown().await;

    let closed = match (parts, source) {
        (Some(parts), Some(source)) => leave(&parts, source, deadline).await,
        _ => Ok(()),
    };
    let _ = timeout(AFTER_DEADLINE, store.close()).await;
    match failure {
        // The source knows why it ended; the steps behind it only saw that it did.
        Some(PipelineError::Ended(_)) if matches!(closed, Err(PipelineError::Source(_))) => closed,
        Some(error) => Err(error),
        None => drained.and(closed),
    }
}

/// Sends what waits in the producer, commits and leaves the consumer group.
async fn leave(parts: &Parts, source: Source, deadline: Instant) -> Result<(), PipelineError> {
    let publisher = parts.publisher.clone();
    let closing = tokio::task::spawn_blocking(move || {
        publisher.flush(AFTER_DEADLINE);
        source.finish()
    });
    match timeout_at(deadline.max(Instant::now() + AFTER_DEADLINE * 2), closing).await {
        Ok(Ok(result)) => result.map_err(PipelineError::from),
        Ok(Err(panic)) => Err(PipelineError::Panicked(panic.to_string())),
        Err(_) => Err(PipelineError::NotLeft),
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

    /// Waits until one of them ends, which none should; for ever where there are none.
    async fn early_end(&mut self) -> PipelineError {
        match self.0.join_next().await {
            Some(Ok((_, Err(error)))) => error,
            Some(Ok((name, Ok(())))) => PipelineError::Ended(name),
            Some(Err(error)) => PipelineError::Panicked(error.to_string()),
            // This process does not do that.
            None => std::future::pending().await,
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
