//! A picture's way: lease -> memory -> fetch -> decode -> look for logos -> finish.
//!
//! It stands beside the post's way and shares nothing with it but Postgres and, for the few posts
//! that show a brand and name none, the text model. So no picture and no host, however slow, holds
//! back a post.
//!
//! - `leases` takes work from the list in Postgres, so that every host has its turn.
//! - `look` finds out what one picture shows, or why it shows nothing.
//! - `finisher` writes what was found, in batches.
//! - `backlog` tells how long the list is.

mod backlog;
mod finisher;
mod leases;
mod look;

use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::PipelineError;
use super::pace::{Pace, Turn};
use super::retry::while_waiting;
use crate::clock::Clock;
use crate::domain::BrandId;
use crate::health::{Health, Stage};
use crate::inference::{LogoDetector, TextScorers};
use crate::media::Fetcher;
use crate::store::{PictureWork, Store};

use leases::Leases;
use look::{Ended, look};

pub(super) use backlog::watch as watch_backlog;

/// How often the list is looked at while nothing in it is due.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// After a stop signal, how long pictures in progress may take; the others are given back.
const LAST_LOOKS: Duration = Duration::from_secs(2);

/// What looking at pictures works with. Clones share everything.
#[derive(Clone)]
pub struct PictureParts {
    /// Leases work and keeps what was found.
    pub store: Store,
    /// Fetches files.
    pub fetcher: Fetcher,
    /// Finds logos.
    pub detector: LogoDetector,
    /// Score the text of a post that shows a brand and names none.
    pub scorers: TextScorers,
    /// The brand of each of the detector's classes. Other classes are not listened for.
    pub logos: Arc<HashMap<String, BrandId>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where parts report.
    pub health: Health,
    /// How it is done.
    pub options: PictureOptions,
}

/// How pictures are looked at.
#[derive(Clone, Copy, Debug)]
pub struct PictureOptions {
    /// Pictures that are looked at at once.
    pub workers: NonZeroUsize,
    /// Most pictures of one host among them.
    pub per_host: NonZeroUsize,
    /// Most pixels that a file may unpack to.
    pub max_pixels: NonZeroUsize,
    /// How often a picture is taken before it counts as failed.
    pub attempts: NonZeroU32,
    /// Files that are decoded at once: each takes a core.
    pub decoders: NonZeroUsize,
}

/// Looks at pictures until told to stop. What is leased then and not finished in time is given
/// back.
pub(super) async fn run(parts: PictureParts, stop: CancellationToken) -> Result<(), PipelineError> {
    let workers = parts.options.workers.get();
    let (to_finisher, ended) = mpsc::channel(workers);
    // A set, so that it ends with this task, however that ends.
    let mut finisher = JoinSet::new();
    finisher.spawn(finisher::run(parts.clone(), ended));
    let looking = look_at_all(&parts, to_finisher, &stop);
    let result = tokio::select! {
        result = looking => result,
        ended = end_of(&mut finisher) => return ended.and(Err(PipelineError::Ended(FINISHER))),
    };
    parts.health.rest(Stage::Pictures);
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

async fn look_at_all(
    parts: &PictureParts,
    to_finisher: mpsc::Sender<Ended>,
    stop: &CancellationToken,
) -> Result<(), PipelineError> {
    let workers = parts.options.workers.get();
    let decoders = Arc::new(Semaphore::new(parts.options.decoders.get()));
    let mut leases = Leases::new(parts);
    let mut pace = Pace::new(LOOK_AGAIN, "lease pictures");
    let mut looks: JoinSet<Result<PictureWork, PipelineError>> = JoinSet::new();
    let mut lease_at = Instant::now();
    while !stop.is_cancelled() {
        // Leases are taken in batches: as many again as can be looked at, once half are gone.
        if leases.held() <= workers && Instant::now() >= lease_at {
            let came = while_waiting(&parts.health, Stage::Pictures, leases.take(workers * 2)).await;
            let pause = pace.after(&came.as_ref().map(|_| Turn::Done));
            lease_at = match came {
                Ok(found) if found > 0 => Instant::now(),
                _ => Instant::now() + pause,
            };
        }
        while looks.len() < workers
            && let Some((work, remembered)) = leases.next()
        {
            let (parts, decoders, to_finisher) = (parts.clone(), decoders.clone(), to_finisher.clone());
            looks.spawn(async move {
                let ended = look(&parts, &decoders, work, remembered).await?;
                let work = ended.work().clone();
                to_finisher.send(ended).await.map_err(|_| PipelineError::Ended(FINISHER))?;
                Ok(work)
            });
        }
        let may_lease = leases.held() <= workers;
        let next = async {
            tokio::select! {
                () = stop.cancelled() => None,
                () = tokio::time::sleep_until(lease_at), if may_lease => None,
                Some(ended) = looks.join_next() => Some(ended),
            }
        };
        if let Some(ended) = while_waiting(&parts.health, Stage::Pictures, next).await {
            let work = ended.map_err(|panic| PipelineError::Panicked(panic.to_string()))??;
            leases.end(&work);
        }
    }
    let _ = timeout(LAST_LOOKS, async {
        while let Some(ended) = looks.join_next().await {
            if let Ok(Ok(work)) = ended {
                leases.end(&work);
            }
        }
    })
    .await;
    looks.shutdown().await;
    if let Err(error) = leases.give_back().await {
        tracing::warn!(error = %error, "Pictures could not be given back; they come free with the end of their leases");
    }
    Ok(())
}
