//! The back-off: an outside world that is down is tried again, with growing pauses.

use std::fmt::Display;
use std::time::Duration;

use futures_util::TryFutureExt;

use crate::health::{Health, Stage};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Pauses that double with every failure in a row, and the log lines that go with them.
pub(super) struct Backoff {
    what: &'static str,
    failures: u32,
}

impl Backoff {
    /// The back-off of an operation that log lines call `what`, such as "write posts".
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, failures: 0 }
    }

    /// How long to wait after a failure. Logs the first failure in a row, the second, the fourth
    /// and so on: at once, and then less and less often.
    pub(super) fn after_failure(&mut self, error: &impl Display) -> Duration {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        if self.failures.is_power_of_two() {
            tracing::warn!(attempts.failed = self.failures, error = %error, "Trying again: {}", self.what);
        }
        pause
    }

    /// The next failure is the first one again.
    pub(super) fn after_success(&mut self) {
        if self.failures > 0 {
            tracing::info!(attempts.failed = self.failures, "Succeeded again: {}", self.what);
            self.failures = 0;
        }
    }
}

/// Retries until the attempt succeeds or fails with an error that is not transient. The stage
/// counts as alive meanwhile.
pub(super) async fn retry<T, E, F>(
    health: &Health,
    stage: Stage,
    what: &'static str,
    is_transient: impl Fn(&E) -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    E: Display,
    F: Future<Output = Result<T, E>>,
{
    let attempt = |()| attempt().map_err(|error| (error, ()));
    retry_with(health, stage, what, is_transient, (), attempt).await.map_err(|(error, ())| error)
}

/// [`retry`] for attempts that consume a value and give it back when they fail.
pub(super) async fn retry_with<V, T, E, F>(
    health: &Health,
    stage: Stage,
    what: &'static str,
    is_transient: impl Fn(&E) -> bool,
    mut value: V,
    mut attempt: impl FnMut(V) -> F,
) -> Result<T, (E, V)>
where
    E: Display,
    F: Future<Output = Result<T, (E, V)>>,
{
    let mut backoff = Backoff::new(what);
    loop {
        match while_waiting(health, stage, attempt(value)).await {
            Ok(result) => {
                backoff.after_success();
                return Ok(result);
            }
            Err((error, unchanged)) if is_transient(&error) => {
                value = unchanged;
                tokio::time::sleep(backoff.after_failure(&error)).await;
            }
            Err(refused) => return Err(refused),
        }
    }
}

/// Keeps a stage alive while it waits for another stage or for the outside world, which report
/// their own progress or have their own time-outs.
pub(super) async fn while_waiting<T>(health: &Health, stage: Stage, wait: impl Future<Output = T>) -> T {
    tokio::pin!(wait);
    loop {
        health.beat(stage);
        if let Ok(result) = tokio::time::timeout(Duration::from_secs(1), &mut wait).await {
            return result;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_start_again_after_a_success() {
        let mut backoff = Backoff::new("test");
        let pauses: Vec<u128> = (0..100).map(|_| backoff.after_failure(&"away").as_millis()).collect();
        assert_eq!(pauses[..8], [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(pauses[99], 5000);
        backoff.after_success();
        assert_eq!(backoff.after_failure(&"away"), FIRST_PAUSE);
    }

    #[tokio::test]
    async fn what_an_attempt_consumes_comes_back_until_it_succeeds_or_is_refused() {
        let health = Health::new();
        let transient = |error: &&str| *error == "away";
        let mut attempts = 0;
        let attempt = |value: Vec<u8>| {
            attempts += 1;
            let result = if attempts < 3 { Err(("away", value)) } else { Ok(value) };
            async move { result }
        };
        let result = retry_with(&health, Stage::Writer, "test", transient, vec![1, 2], attempt).await;
        assert_eq!((result, attempts), (Ok(vec![1, 2]), 3));
        let refused = retry_with(&health, Stage::Writer, "test", transient, 7, async |value| {
            Err::<(), _>(("refused", value))
        });
        assert_eq!(refused.await, Err(("refused", 7)));
    }
}
