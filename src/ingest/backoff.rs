//! Trying a feed again, with pauses that grow and are never the same twice.

use std::time::Duration;

use super::{IngestError, Outlet};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// The longest pause that a server may ask for.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// How often a feed failed in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The feed works: the next failure is the first one again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait now: from half of the pause to all of it, at least what the server asks for.
    fn pause(&mut self, asked: Option<Duration>) -> Duration {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        let pause = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
        match asked {
            // Whoever was told the same moment does not come at the same moment.
            Some(asked) => asked.min(LONGEST_ASKED) + pause,
            None => pause,
        }
    }
}

/// Runs sessions with a feed until one ends because it shall, or for good. After what may mend, the
/// next one begins after a pause.
pub(super) async fn keep_reading<F>(outlet: &mut Outlet, mut session: F) -> Result<(), IngestError>
where
    F: AsyncFnMut(&mut Outlet, &mut Backoff) -> Result<(), IngestError>,
{
    let mut backoff = Backoff::default();
    loop {
        match session(outlet, &mut backoff).await {
            Err(error) if error.is_transient() => {
                let asked = if let IngestError::Feed(error) = &error { error.retry_after() } else { None };
                let pause = backoff.pause(asked);
                let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(attempts.failed = backoff.failures, pause.ms = pause_ms, "{error}");
                if !outlet.rest(pause).await? {
                    return Ok(());
                }
            }
            ended => return ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_differ_and_respect_the_server() {
        let mut backoff = Backoff::default();
        let pauses: Vec<Duration> = (0..12).map(|_| backoff.pause(None)).collect();
        for (index, pause) in pauses.iter().enumerate() {
            let most = FIRST_PAUSE.saturating_mul(1 << index).min(LONGEST_PAUSE);
            assert!(*pause >= most / 2 && *pause <= most, "{index}: {pause:?}");
        }
        assert_ne!(pauses[10], pauses[11]);
        backoff.reset();
        assert!(backoff.pause(None) <= FIRST_PAUSE);
        assert!(backoff.pause(Some(Duration::from_secs(90))) >= Duration::from_secs(90));
        assert!(backoff.pause(Some(Duration::MAX)) <= LONGEST_ASKED + LONGEST_PAUSE);
    }
}
