//! How far time may be judged, and whether that is too far behind.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::minute_of;
use super::phase::delta;

/// How far the world was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// What time it is.
    pub now: DateTime<Utc>,
    /// The horizon: everything that was appended to the consumed topics before is stored. None where
    /// that is not known of every partition.
    pub horizon: Option<DateTime<Utc>>,
}

impl Reach {
    /// The horizon, which can't lie in the future.
    pub fn horizon(&self) -> Option<DateTime<Utc>> {
        self.horizon.map(|horizon| horizon.min(self.now))
    }
}

/// The ends of the windows to be judged now, in order: the minutes that are complete, not judged yet
/// and not older than `lateness`. Where nothing was judged before, it begins with
/// the oldest of them: what the first posts claim may be some time ago.
pub fn minutes_to_judge(
    reach: Reach,
    judged_until: Option<DateTime<Utc>>,
    lateness: Duration,
) -> Vec<DateTime<Utc>> {
    let Some(until) = reach.horizon().map(minute_of) else { return Vec::new() };
    let oldest = minute_of(reach.now - delta(lateness));
    let minute = TimeDelta::minutes(1);
    let first = judged_until.unwrap_or(oldest).max(oldest) + minute;
    let minutes = std::iter::successors(Some(first), |end| Some(*end + minute));
    minutes.take_while(|end| *end <= until).collect()
}

/// What is to be told of how far behind the daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// It has fallen behind.
    Begins {
        /// Up to when it had read everything.
        since: DateTime<Utc>,
    },
    /// It has caught up.
    Ends {
        /// When it had fallen behind.
        since: DateTime<Utc>,
    },
}

/// Whether it has fallen behind by more than `after`, or caught up. `told_since` is what was told
/// and is not over; `unknown_since` stands for the horizon while there is none. Once behind, half
/// the time counts as caught up, so that the two don't alternate at the border.
pub fn behind(
    reach: Reach,
    unknown_since: DateTime<Utc>,
    told_since: Option<DateTime<Utc>>,
    after: Duration,
) -> Option<Behind> {
    let since = reach.horizon().unwrap_or(unknown_since);
    let by = reach.now - since;
    match told_since {
        None if by > delta(after) => Some(Behind::Begins { since }),
        Some(since) if reach.horizon.is_some() && by <= delta(after / 2) => Some(Behind::Ends { since }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [DateTime<Utc>; 0] = [];
    const HOUR: Duration = Duration::from_hours(1);

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-03-01T{text}Z").parse().unwrap()
    }

    fn reach(now: &str, horizon: &str) -> Reach {
        Reach { now: at(now), horizon: Some(at(horizon)) }
    }

    #[test]
    fn complete_minutes_up_to_the_horizon_are_judged_once_and_in_order() {
        let to_judge = |reach, judged: &str| minutes_to_judge(reach, Some(at(judged)), HOUR);
        let expected = [at("12:01:00"), at("12:02:00"), at("12:03:00")];
        assert_eq!(to_judge(reach("12:10:00", "12:03:59"), "12:00:00"), expected);
        assert_eq!(to_judge(reach("12:10:00", "12:03:59"), "12:03:00"), NONE);
        // A horizon in the future is none.
        assert_eq!(to_judge(reach("12:03:59", "12:10:00"), "12:00:00"), expected);
        // Nothing older than the lateness, and nothing beyond the horizon.
        assert_eq!(to_judge(reach("14:02:00", "13:03:00"), "12:00:00"), [at("13:03:00")]);
        assert_eq!(to_judge(reach("14:05:00", "13:03:00"), "12:00:00"), NONE);
        let first = minutes_to_judge(reach("12:10:00", "12:03:59"), None, HOUR);
        assert_eq!((first.len(), first[0], first[52]), (53, at("11:11:00"), at("12:03:00")));
        let unknown = Reach { now: at("12:00:00"), horizon: None };
        assert_eq!(minutes_to_judge(unknown, Some(at("11:00:00")), HOUR), NONE);
    }

    #[test]
    fn being_behind_begins_after_its_time_and_ends_when_half_of_it_is_made_up() {
        let after = Duration::from_mins(2);
        let seen = |now, horizon, told: Option<&str>| {
            behind(reach(now, horizon), at("00:00:00"), told.map(at), after)
        };
        assert_eq!(seen("12:02:00", "12:00:00", None), None);
        assert_eq!(seen("12:02:01", "12:00:00", None), Some(Behind::Begins { since: at("12:00:00") }));
        assert_eq!(seen("12:03:00", "12:00:00", Some("12:00:00")), None);
        assert_eq!(seen("12:10:00", "12:08:30", Some("12:00:00")), None);
        let ends = Some(Behind::Ends { since: at("12:00:00") });
        assert_eq!(seen("12:10:00", "12:09:00", Some("12:00:00")), ends);
    }

    #[test]
    fn what_is_not_known_counts_as_behind_and_never_as_caught_up() {
        let unknown = Reach { now: at("12:10:00"), horizon: None };
        let seen = |since, told: Option<&str>| behind(unknown, at(since), told.map(at), HOUR / 30);
        assert_eq!(seen("12:09:00", None), None);
        assert_eq!(seen("12:00:00", None), Some(Behind::Begins { since: at("12:00:00") }));
        assert_eq!(seen("12:09:59", Some("12:00:00")), None);
    }
}
