//! Trying again: an outside world that is down is waited for, with growing pauses, for ever.

use std::future::Future;
use std::time::Duration;

use crate::health::{Health, Stage};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Does something until it succeeds or fails for good. Meanwhile the stage counts as making
/// progress: it is not stuck, it waits for somebody else.
pub(super) async fn until_durable<T, E, F>(
    health: &Health,
    stage: Stage,
    what: &'static str,
    is_transient: impl Fn(&E) -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    E: std::fmt::Display,
    F: Future<Output = Result<T, E>>,
{
    let mut pause = FIRST_PAUSE;
    let mut failures = 0u32;
    loop {
        match while_waiting(health, stage, attempt()).await {
            Ok(result) => {
                if failures > 0 {
                    tracing::info!(attempts.failed = failures, "Succeeded again: {what}");
                }
                return Ok(result);
            }
            Err(error) if is_transient(&error) => {
                failures += 1;
                // Powers of two: the first failure is said at once, a long outage now and then.
                if failures.is_power_of_two() {
                    tracing::warn!(attempts.failed = failures, error = %error, "Trying again: {what}");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Waits for something outside this stage, which shows its own progress or has its own time-out,
/// so that waiting for it counts as progress here.
pub(super) async fn while_waiting<T>(health: &Health, stage: Stage, wait: impl Future<Output = T>) -> T {
    tokio::pin!(wait);
    loop {
        health.beat(stage);
        if let Ok(result) = tokio::time::timeout(Duration::from_secs(1), &mut wait).await {
            return result;
        }
    }
}
