//! How often something is done that one process at a time does, under a lock.

use std::fmt::Display;
use std::time::Duration;

/// How long a process waits at least before it tries again for a lock that another one has.
const TRY_LOCK_EVERY: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a turn came to, of something that one process at a time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// This process has the lock and did it.
    Done,
    /// Another process has the lock.
    NotOurs,
}

/// When the next turn is due: at the interval for the process that has the lock, more rarely for
/// those that wait for it, and after growing pauses while it fails.
pub(super) struct Pace {
    interval: Duration,
    what: &'static str,
    failures: u32,
}

impl Pace {
    /// A pace that says `what` it was for when it fails.
    pub(super) fn new(interval: Duration, what: &'static str) -> Self {
        Self { interval, what, failures: 0 }
    }

    /// How long to wait after a turn that ended so. A failure is logged where it is the first, the
    /// second, the fourth and so on: said at once, and a long outage now and then.
    pub(super) fn after<E: Display>(&mut self, ended: &Result<Turn, E>) -> Duration {
        let what = self.what;
        match ended {
            Ok(turn) => {
                if self.failures > 0 {
                    tracing::info!(attempts.failed = self.failures, "Succeeded again: {what}");
                    self.failures = 0;
                }
                if *turn == Turn::Done { self.interval } else { self.interval.max(TRY_LOCK_EVERY) }
            }
            Err(error) => {
                let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
                self.failures = self.failures.saturating_add(1);
                if self.failures.is_power_of_two() {
                    tracing::warn!(attempts.failed = self.failures, error = %error, "Trying again: {what}");
                }
                pause
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_lock_keeps_the_interval_and_who_waits_tries_rarely() {
        let turns = |interval| {
            let mut pace = Pace::new(interval, "test");
            [Turn::Done, Turn::NotOurs].map(|turn| pace.after::<&str>(&Ok(turn)))
        };
        let (short, long) = (Duration::from_millis(50), Duration::from_secs(30));
        assert_eq!(turns(short), [short, TRY_LOCK_EVERY]);
        assert_eq!(turns(long), [long, long]);
    }

    #[test]
    fn pauses_grow_while_it_fails_and_begin_anew_afterwards() {
        let mut pace = Pace::new(Duration::from_secs(1), "test");
        let pauses: Vec<u128> = (0..100).map(|_| pace.after(&Err("away")).as_millis()).collect();
        assert_eq!(pauses[..8], [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(pauses[99], 5000);
        assert_eq!(pace.after::<&str>(&Ok(Turn::Done)), Duration::from_secs(1));
        assert_eq!(pace.after(&Err("away")), FIRST_PAUSE);
    }
}
