//! Supervision: start the steps, notice when one ends, and stop them in flow order.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::evaluator::Evaluator;
use super::relay::OutboxRelay;
use super::{
    Components, Current, Options, PictureComponents, PipelineError, intake, leader, maintenance, pictures,
    progress, writer,
};
use crate::clock::Clock;
use crate::health::{Health, Part};
use crate::source::Source;
use crate::store::{Store, StoreError};

/// Pause between two tries to reach Postgres at the start.
const PREPARE_EVERY: Duration = Duration::from_secs(2);
/// How often the broker is asked for the ends of partitions, as often as rules are evaluated within
/// these limits.
const OBSERVE_AT_MOST: Duration = Duration::from_millis(50);
const OBSERVE_AT_LEAST: Duration = Duration::from_secs(2);
/// How long each closing step may take beyond the deadline.
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
        tokio::time::sleep(PREPARE_EVERY).await;
    }
    health.report(Part::Postgres, true, "answers");
    tracing::info!(posts.kept = store.options().keep_text, "Postgres is ready");
    Ok(())
}

/// The number of migrations that are pending and that settings leave to somebody else.
async fn make_ready(store: &Store, clock: &dyn Clock) -> Result<usize, StoreError> {
    if store.options().migrate {
        store.migrate().await?;
    }
    let pending = store.migration_state().await?.pending;
    if pending == 0 {
        store.ensure_partitions(store.time_to_decide_by(clock).await?).await?;
    }
    Ok(pending)
}

/// The pipelines that a process runs: the post's, the picture's, or both.
pub struct Pipelines {
    /// The post's way, with the consumer that it begins with.
    pub text: Option<(Components, Source)>,
    /// The picture's way.
    pub pictures: Option<PictureComponents>,
}

impl Pipelines {
    fn listening(&self) -> Option<Current> {
        let of_text = self.text.as_ref().map(|(components, _)| &components.listening);
        of_text.or(self.pictures.as_ref().map(|pictures| &pictures.listening)).cloned()
    }
}

/// Writes down what the versions of the queries stand for, before any mention carries one.
async fn record_queries(
    store: &Store,
    listening: Option<&Current>,
    health: &Health,
) -> Result<(), PipelineError> {
    let Some(listening) = listening.map(Current::get) else { return Ok(()) };
    health.listens_for(listening.version.as_str(), listening.brands.len(), listening.rules.len());
    while let Err(error) = store.record_queries(&listening.queries).await {
        if !error.is_transient() {
            return Err(error.into());
        }
        tracing::warn!(error = %error, "Queries can't be written down yet");
        tokio::time::sleep(PREPARE_EVERY).await;
    }
    Ok(())
}

/// Runs until `shutdown`, then drains. The store must have been prepared.
///
/// # Errors
/// A step ended unexpectedly, or what was in flight could not be settled before the deadline.
pub async fn run(
    pipelines: Pipelines,
    store: Store,
    clock: Arc<dyn Clock>,
    health: Health,
    options: Options,
    shutdown: CancellationToken,
) -> Result<(), PipelineError> {
    let listening = pipelines.listening();
    tokio::select! {
        () = shutdown.cancelled() => {}
        recorded = record_queries(&store, listening.as_ref(), &health) => recorded?,
    }
    let mut steps = Steps::default();
    steps.watch_store(&store, clock, &health);
    if let Some(pictures) = pipelines.pictures {
        steps.start_pictures(pictures);
    }
    let (components, mut source) = pipelines.text.unzip();
    if let (Some(components), Some(source)) = (&components, &mut source) {
        steps.start_posts(components, source, &options)?;
    }

    let has_ended = || source.as_ref().is_some_and(Source::has_ended);
    let failure = tokio::select! {
        () = shutdown.cancelled() => None,
        error = steps.posts.early_end() => Some(error),
        error = steps.pictures.early_end() => Some(error),
        error = steps.background.early_end() => Some(error),
        () = until(has_ended) => Some(PipelineError::StepEnded("consumer")),
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
    let drained = steps.drain(source.as_ref(), deadline).await;
    let drained = drained.unwrap_or(Err(PipelineError::Deadline(limit)));
    let closed = match (components, source) {
        (Some(components), Some(source)) => leave(&components, source, deadline).await,
        _ => Ok(()),
    };
    let _ = timeout(AFTER_DEADLINE, store.close()).await;
    match failure {
        // The source knows why it ended; the steps behind it only see that it did.
        Some(PipelineError::StepEnded(_)) if matches!(closed, Err(PipelineError::Source(_))) => closed,
        Some(error) => Err(error),
        None => drained.and(closed),
    }
}

/// The tasks of a process, by how they are stopped.
#[derive(Default)]
struct Steps {
    /// The post's way: ends when the source does.
    posts: Tasks,
    /// The picture's way.
    pictures: Tasks,
    stop_pictures: CancellationToken,
    /// What runs at intervals and keeps its state in Postgres.
    background: Tasks,
    stop_background: CancellationToken,
}

impl Steps {
    fn watch_store(&mut self, store: &Store, clock: Arc<dyn Clock>, health: &Health) {
        let stop = &self.stop_background;
        self.background.spawn("maintenance", maintenance::run(store.clone(), clock.clone(), stop.clone()));
        let watch = maintenance::watch_postgres(store.clone(), health.clone(), stop.clone());
        self.background.spawn("watch over Postgres", watch);
        if store.options().pictures.per_post > 0 {
            let watch = pictures::watch_backlog(store.clone(), clock, stop.clone());
            self.background.spawn("watch over the picture queue", watch);
        }
    }

    fn start_pictures(&mut self, components: PictureComponents) {
        self.pictures.spawn("picture workers", pictures::run(components, self.stop_pictures.clone()));
    }

    fn start_posts(
        &mut self,
        components: &Components,
        source: &mut Source,
        options: &Options,
    ) -> Result<(), PipelineError> {
        let deliveries = source.take_deliveries().ok_or(PipelineError::StepEnded("source"))?;
        let (to_writer, scored) = mpsc::channel(options.queue.get());
        let intake = intake::run(components.clone(), options.clone(), deliveries, to_writer);
        self.posts.spawn("intake", intake);
        let writer = writer::run(components.clone(), options.clone(), scored, source.offsets());
        self.posts.spawn("writer", writer);
        let stop = &self.stop_background;
        let (to_evaluator, partitions) = watch::channel(Vec::new());
        let every = options.evaluate_every.clamp(OBSERVE_AT_MOST, OBSERVE_AT_LEAST);
        let observations = source.watch_progress(every, stop.clone())?;
        let progress = progress::run(components.store.clone(), observations, to_evaluator, stop.clone());
        self.background.spawn("watch over partitions", progress);
        let evaluator = Evaluator::new(components.clone(), options.alerts, partitions);
        self.background.spawn("evaluator", leader::run(evaluator, options.evaluate_every, stop.clone()));
        let relay = OutboxRelay::new(components.clone());
        self.background.spawn("relay", leader::run(relay, options.publish_every, stop.clone()));
        Ok(())
    }

    /// Waits until the posts in flight are settled, until the deadline at most, and ends everything.
    /// Nothing is given back where the deadline has passed.
    async fn drain(
        mut self,
        source: Option<&Source>,
        deadline: Instant,
    ) -> Option<Result<(), PipelineError>> {
        // Pictures in progress are given back to Postgres, so this need not wait for the posts.
        self.stop_pictures.cancel();
        let drained = timeout_at(deadline, self.posts.join()).await.ok();
        if let (None | Some(Err(_)), Some(source)) = (&drained, source) {
            source.abandon();
        }
        let _ = timeout_at(deadline.max(Instant::now() + AFTER_DEADLINE), self.pictures.join()).await;
        self.pictures.0.shutdown().await;
        // Background tasks keep their state in Postgres and may be cut off.
        self.stop_background.cancel();
        let _ = timeout(AFTER_DEADLINE, self.background.join()).await;
        // These tasks hold handles of the consumer, which must be closed on its own thread.
        self.posts.0.shutdown().await;
        self.background.0.shutdown().await;
        drained
    }
}

/// Flushes the producer, commits offsets and leaves the consumer group.
async fn leave(components: &Components, source: Source, deadline: Instant) -> Result<(), PipelineError> {
    let publisher = components.publisher.clone();
    let closing = tokio::task::spawn_blocking(move || {
        publisher.flush(AFTER_DEADLINE);
        source.leave_group()
    });
    match timeout_at(deadline.max(Instant::now() + AFTER_DEADLINE * 2), closing).await {
        Ok(Ok(result)) => result.map_err(PipelineError::from),
        Ok(Err(panic)) => Err(PipelineError::Panicked(panic.to_string())),
        Err(_) => Err(PipelineError::NotLeft),
    }
}

/// Named tasks that are joined together.
#[derive(Default)]
struct Tasks(JoinSet<(&'static str, Result<(), PipelineError>)>);

impl Tasks {
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
            Some(Ok((name, Ok(())))) => PipelineError::StepEnded(name),
            Some(Err(error)) => PipelineError::Panicked(error.to_string()),
            // No such tasks run in this process.
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

/// Polls a condition until it holds.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
