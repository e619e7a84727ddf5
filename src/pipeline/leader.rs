//! The loop around what one process at a time does: the leader.
//!
//! Every process tries for the lock; the one that has it takes its turns, and another takes over
//! when its session ends. What is done under the lock lives in Postgres, so nothing is lost then.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::backoff::{Backoff, while_waiting};
use super::{Components, PipelineError};
use crate::clock::Clock;
use crate::health::Stage;
use crate::store::{Candidate, Duty, LeaderLock};

/// The shortest interval at which a process tries for a lock that another one has.
const TRY_LOCK_EVERY: Duration = Duration::from_secs(5);

/// What the leader does.
pub(super) trait LeaderTask {
    /// Whose lock it takes.
    type Duty: Duty;
    /// The stage that it is to the health checks.
    const STAGE: Stage;
    /// What log lines call it.
    const WHAT: &'static str;
    /// The gauge of when a turn was last done.
    const LAST_SUCCESS: &'static str;
    /// Whether it takes one more turn after it was told to stop.
    const LAST_TURN: bool;

    /// What it works with.
    fn components(&self) -> &Components;

    /// Does what is due.
    async fn turn(&mut self, lock: &mut LeaderLock<Self::Duty>) -> Result<Work, PipelineError>;

    /// Another process is leader: what this one shows of the leader's work no longer holds.
    fn not_leader(&self);
}

/// How much of what was due is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// All of it.
    Done,
    /// Some is held back, and tried again at a later turn.
    HeldBack,
}

/// How a turn ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Taken(Work),
    /// Another process is leader.
    NotLeader,
}

/// Takes turns at an interval until told to stop.
///
/// # Errors
/// A turn failed with an error that ends the process.
pub(super) async fn run<T: LeaderTask>(
    mut task: T,
    interval: Duration,
    stop: CancellationToken,
) -> Result<(), PipelineError> {
    let Components { store, health, clock, .. } = task.components().clone();
    let mut leadership = Leadership { candidate: store.candidate(), lock: None };
    let mut backoff = Backoff::new(T::WHAT);
    loop {
        let last = stop.is_cancelled();
        if last && !T::LAST_TURN {
            break;
        }
        // Every call in a turn has a time-out, so waiting for Postgres or Kafka counts as progress.
        let pause = match while_waiting(&health, T::STAGE, leadership.turn(&mut task)).await {
            Err(error) if error.is_fatal() => return Err(error),
            _ if last => break,
            Ok(turn) => {
                match turn {
                    Turn::Taken(Work::Done) => show_success(T::LAST_SUCCESS, &*clock),
                    Turn::Taken(Work::HeldBack) => {}
                    Turn::NotLeader => task.not_leader(),
                }
                backoff.after_success();
                pause_after(turn, interval)
            }
            Err(error) => backoff.after_failure(&error),
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = while_waiting(&health, T::STAGE, tokio::time::sleep(pause)) => {}
        }
    }
    if let Some(lock) = leadership.lock {
        lock.release().await;
    }
    health.rest(T::STAGE);
    Ok(())
}

struct Leadership<D> {
    candidate: Candidate<D>,
    lock: Option<LeaderLock<D>>,
}

impl<D: Duty> Leadership<D> {
    async fn turn(&mut self, task: &mut impl LeaderTask<Duty = D>) -> Result<Turn, PipelineError> {
        let mut held = self.lock.take();
        if let Some(lock) = &mut held
            && !lock.is_held().await
        {
            held = None;
        }
        if held.is_none() {
            held = self.candidate.try_lock().await?;
        }
        let Some(mut lock) = held else { return Ok(Turn::NotLeader) };
        let result = task.turn(&mut lock).await;
        // An error of Postgres may be one of the lock's connection, so the lock is taken anew.
        if !matches!(result, Err(PipelineError::Store(_))) {
            self.lock = Some(lock);
        }
        result.map(Turn::Taken)
    }
}

/// Shows in a gauge that a job has just done what was due.
pub(super) fn show_success(gauge: &'static str, clock: &dyn Clock) {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a year are far below 2^52")]
    ::metrics::gauge!(gauge).set(clock.now().timestamp_millis() as f64 / 1000.0);
}

fn pause_after(turn: Turn, interval: Duration) -> Duration {
    match turn {
        Turn::Taken(_) => interval,
        Turn::NotLeader => interval.max(TRY_LOCK_EVERY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leader_keeps_the_interval_and_the_others_try_rarely() {
        let pauses =
            |interval| [Turn::Taken(Work::Done), Turn::NotLeader].map(|turn| pause_after(turn, interval));
        let (short, long) = (Duration::from_millis(50), Duration::from_secs(30));
        assert_eq!(pauses(short), [short, TRY_LOCK_EVERY]);
        assert_eq!(pauses(long), [long, long]);
    }
}
