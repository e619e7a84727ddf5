//! A picture's way: lease -> known? -> fetch -> decode -> detect -> map to brands -> complete.
//!
//! It stands beside the post's way and shares nothing with it but Postgres and, for the few posts
//! that show a brand and name none, the text model. So no picture and no host, however slow, holds
//! back a post.
//!
//! - `leases` leases rows of the queue in Postgres, so that every host has its turn, and says which
//!   picture is next; `requests` counts what each host is asked for.
//! - `held` renews the leases of what waits.
//! - `process` has a picture's way, step by step.
//! - `finisher` writes what was found, in batches.
//! - `backlog` measures how long the queue is.

mod backlog;
mod finisher;
mod held;
mod leases;
mod process;
mod requests;

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::PipelineError;
use super::backoff::{Backoff, while_waiting};
use super::judge::Judge;
use super::listening::Current;
use crate::clock::Clock;
use crate::health::{Health, Stage};
use crate::inference::LogoDetector;
use crate::media::{Decoders, Fetcher};
use crate::store::{Store, StoreError};

use held::Held;
use leases::{Leases, Taken};
use process::{Processed, process};
use requests::Requests;

pub(super) use backlog::watch as watch_backlog;

/// How often the queue is polled while nothing in it is due.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// After a stop signal, how long pictures in progress may take; the others are given back.
const LAST_PICTURES: Duration = Duration::from_secs(2);

/// What processing pictures needs. Clones share everything.
#[derive(Clone)]
pub struct PictureComponents {
    /// Leases pictures and stores what was found.
    pub store: Store,
    /// Fetches files.
    pub fetcher: Fetcher,
    /// Decodes them, in processes of their own.
    pub decoders: Decoders,
    /// Finds logos.
    pub detector: LogoDetector,
    /// Scores the text of a post that shows a brand which the text does not name.
    pub judge: Judge,
    /// The brands, by their logos.
    pub listening: Current,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where components report.
    pub health: Health,
    /// Limits and numbers of workers.
    pub options: PictureOptions,
}

/// How pictures are processed.
#[derive(Clone, Copy, Debug)]
pub struct PictureOptions {
    /// Pictures that are processed at once.
    pub workers: NonZeroUsize,
    /// Most pictures of one host that are fetched at once.
    pub per_host: NonZeroUsize,
    /// How often a picture is taken before it counts as failed.
    pub attempts: NonZeroU32,
    /// Files that are decoded at once: each takes a core.
    pub decoders: NonZeroUsize,
}

/// Processes pictures until told to stop. What is leased then and not finished in time is given
/// back.
pub(super) async fn run(components: PictureComponents, stop: CancellationToken) -> Result<(), PipelineError> {
    let workers = components.options.workers.get();
    let held = Held::default();
    let (to_finisher, ended) = mpsc::channel(workers);
    // Sets, so that they end with this task, however that ends.
    let mut finisher = JoinSet::new();
    finisher.spawn(finisher::run(components.clone(), held.clone(), ended));
    let mut renewing = JoinSet::new();
    renewing.spawn(held::renew(components.store.clone(), held.clone()));
    let processing = process_all(&components, held, to_finisher, &stop);
    let result = tokio::select! {
        result = processing => result,
        ended = end_of(&mut finisher) => return ended.and(Err(PipelineError::StepEnded(FINISHER))),
    };
    components.health.rest(Stage::Pictures);
    // The channel has ended: the finisher writes what it has and ends as well.
    result.and(end_of(&mut finisher).await)
}

const FINISHER: &str = "finisher of pictures";

async fn end_of(finisher: &mut JoinSet<Result<(), PipelineError>>) -> Result<(), PipelineError> {
    match finisher.join_next().await {
        Some(Ok(ended)) => ended,
        Some(Err(panic)) => Err(PipelineError::Panicked(panic.to_string())),
        None => Ok(()),
    }
}

/// What the loop over pictures waits for.
enum Event {
    Stop,
    MayLease,
    Leased(Result<(Taken, Result<(), StoreError>), JoinError>),
    RequestEnded,
    PictureEnded(Result<Result<(), PipelineError>, JoinError>),
}

async fn process_all(
    components: &PictureComponents,
    held: Held,
    to_finisher: mpsc::Sender<Processed>,
    stop: &CancellationToken,
) -> Result<(), PipelineError> {
    let workers = components.options.workers.get();
    let requests = Requests::new(components.options.per_host);
    let mut leases = Leases::new(components, held.clone(), requests.clone());
    let mut backoff = Backoff::new("lease pictures");
    let mut leasing = JoinSet::new();
    let mut running: JoinSet<Result<(), PipelineError>> = JoinSet::new();
    let mut lease_at = Instant::now();
    while !stop.is_cancelled() {
        if leasing.is_empty() && leases.wants_more() && Instant::now() >= lease_at {
            leasing.spawn(leases.taking().run());
        }
        while running.len() < workers
            && let Some((queued, known, request)) = leases.next()
        {
            held.begin(&queued);
            let (components, held, to_finisher) = (components.clone(), held.clone(), to_finisher.clone());
            running.spawn(async move {
                let processed = process(&components, queued, known, request).await?;
                let place = to_finisher.reserve().await.map_err(|_| PipelineError::StepEnded(FINISHER))?;
                held.end(processed.queued());
                place.send(processed);
                Ok(())
            });
        }
        let may_lease = leasing.is_empty() && leases.wants_more();
        let event = async {
            tokio::select! {
                () = stop.cancelled() => Event::Stop,
                () = tokio::time::sleep_until(lease_at), if may_lease => Event::MayLease,
                Some(answer) = leasing.join_next() => Event::Leased(answer),
                () = requests.ended() => Event::RequestEnded,
                Some(ended) = running.join_next() => Event::PictureEnded(ended),
            }
        };
        match while_waiting(&components.health, Stage::Pictures, event).await {
            Event::Stop => break,
            Event::MayLease => {}
            Event::Leased(answer) => {
                let (taken, result) = answer.map_err(|panic| panicked(&panic))?;
                lease_at = Instant::now();
                match result {
                    Ok(()) => {
                        backoff.after_success();
                        if taken.is_all {
                            lease_at += POLL_EVERY;
                        }
                    }
                    Err(error) => lease_at += backoff.after_failure(&error),
                }
                leases.add(taken);
            }
            Event::RequestEnded => {
                if leases.has_room_again() {
                    lease_at = Instant::now();
                }
            }
            Event::PictureEnded(ended) => ended.map_err(|panic| panicked(&panic))??,
        }
    }
    let _ = timeout(LAST_PICTURES, async {
        while running.join_next().await.is_some() {}
        while leasing.join_next().await.is_some() {}
    })
    .await;
    running.shutdown().await;
    if let Err(error) = components.store.give_back(&held.unfinished()).await {
        tracing::warn!(error = %error, "Pictures could not be given back; they come free with the end of their leases");
    }
    Ok(())
}

fn panicked(panic: &JoinError) -> PipelineError {
    PipelineError::Panicked(panic.to_string())
}
