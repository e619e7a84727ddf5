//! The phases that a rule goes through with one brand.

use chrono::{DateTime, TimeDelta, Utc};

use super::{MINUTE, Rule};

/// A rule's phase for a brand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// The condition does not hold.
    #[default]
    Inactive,
    /// The condition holds, but not yet for as long as the rule asks.
    Pending {
        /// When it began to hold.
        started_at: DateTime<Utc>,
    },
    /// The alert has fired.
    Firing {
        /// When the condition began to hold.
        started_at: DateTime<Utc>,
        /// When the alert fired.
        fired_at: DateTime<Utc>,
        /// Since when the condition no longer holds, if so.
        below_since: Option<DateTime<Utc>>,
    },
    /// The alert was resolved a short while ago, and the rule ignores the brand.
    Cooling {
        /// When the rule measures the brand again.
        until: DateTime<Utc>,
    },
}

/// A change that a message is sent about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The condition has held for long enough.
    Fired {
        /// When it began to hold.
        started_at: DateTime<Utc>,
        /// When it had held for long enough.
        fired_at: DateTime<Utc>,
    },
    /// The condition has been over for long enough.
    Resolved {
        /// When it began to hold.
        started_at: DateTime<Utc>,
        /// When the alert fired.
        fired_at: DateTime<Utc>,
        /// When it had been over for long enough.
        resolved_at: DateTime<Utc>,
    },
}

/// The next phase, and the transition to send a message about. The same step at the same time again
/// changes nothing; a clock that goes backwards only delays. Unless it `may_resolve`, an alert that
/// is firing goes on.
pub fn step(
    phase: Phase,
    rule: &Rule,
    breached: bool,
    now: DateTime<Utc>,
    may_resolve: bool,
) -> (Phase, Option<Transition>) {
    match phase {
        Phase::Inactive | Phase::Pending { .. } if !breached => (Phase::Inactive, None),
        Phase::Inactive => hold(rule, now, now),
        Phase::Pending { started_at } => hold(rule, started_at, now),
        Phase::Firing { started_at, fired_at, .. } if breached => {
            (Phase::Firing { started_at, fired_at, below_since: None }, None)
        }
        Phase::Firing { started_at, fired_at, below_since } => {
            let since = below_since.unwrap_or(now);
            if !may_resolve || now - since < delta(rule.keep_firing_for) {
                return (Phase::Firing { started_at, fired_at, below_since: Some(since) }, None);
            }
            // An incident's id holds the minute in which it began, so there is at least a minute
            // between two incidents.
            let until = now + delta(rule.cooldown.max(MINUTE));
            (Phase::Cooling { until }, Some(Transition::Resolved { started_at, fired_at, resolved_at: now }))
        }
        Phase::Cooling { until } if now < until => (phase, None),
        Phase::Cooling { .. } => step(Phase::Inactive, rule, breached, now, may_resolve),
    }
}

fn hold(rule: &Rule, started_at: DateTime<Utc>, now: DateTime<Utc>) -> (Phase, Option<Transition>) {
    if now - started_at < delta(rule.hold_for) {
        return (Phase::Pending { started_at }, None);
    }
    let fired = Transition::Fired { started_at, fired_at: now };
    (Phase::Firing { started_at, fired_at: now, below_since: None }, Some(fired))
}

/// A duration to add to times; the longest there is where it is longer.
pub fn delta(duration: std::time::Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::{Condition, Watched, alert_id};
    use super::*;

    fn rule(hold_for: u64, keep_firing_for: u64, cooldown: u64) -> Rule {
        Rule {
            id: "r".to_owned(),
            condition: Condition::NegativeShare { share: 0.5, min_mentions: 1 },
            brands: Watched::All,
            window: MINUTE,
            hold_for: Duration::from_secs(hold_for),
            keep_firing_for: Duration::from_secs(keep_firing_for),
            cooldown: Duration::from_secs(cooldown),
        }
    }

    fn second(offset: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + offset, 0).unwrap()
    }

    #[test]
    fn an_incident_from_its_beginning_to_the_next() {
        let rule = rule(60, 120, 300);
        let mut phase = Phase::default();
        let mut told = Vec::new();
        for (at, breached) in [
            (0, true),
            (30, false), // too short
            (40, true),
            (90, true),
            (100, true), // fires
            (130, false),
            (200, true), // not over yet
            (220, false),
            (330, false),
            (340, false), // resolves
            (400, true),  // ignored
            (639, true),
            (640, true), // measured again
            (700, true), // fires
        ] {
            let (next, transition) = step(phase, &rule, breached, second(at), true);
            phase = next;
            told.extend(transition);
        }
        assert_eq!(
            told,
            [
                Transition::Fired { started_at: second(40), fired_at: second(100) },
                Transition::Resolved {
                    started_at: second(40),
                    fired_at: second(100),
                    resolved_at: second(340)
                },
                Transition::Fired { started_at: second(640), fired_at: second(700) },
            ]
        );
    }

    #[test]
    fn what_may_not_resolve_goes_on_and_resolves_when_it_may() {
        let rule = rule(0, 60, 300);
        let mut phase = step(Phase::default(), &rule, true, second(0), false).0;
        for at in (60..1200).step_by(60) {
            let (next, transition) = step(phase, &rule, false, second(at), false);
            assert_eq!(transition, None);
            phase = next;
        }
        let (cooling, transition) = step(phase, &rule, false, second(1200), true);
        assert!(matches!(cooling, Phase::Cooling { .. }));
        assert!(matches!(transition, Some(Transition::Resolved { .. })));
    }

    proptest! {
        #[test]
        fn messages_alternate_keep_their_distance_and_have_ids_of_their_own(
            durations in (0_u64..200, 0_u64..200, 0_u64..400),
            steps in prop::collection::vec((0_i64..90, any::<bool>()), 1..200),
        ) {
            let rule = rule(durations.0, durations.1, durations.2);
            let brand = "acme".parse().unwrap();
            let mut phase = Phase::default();
            let mut now = 0;
            let mut open = None;
            let mut ids = BTreeSet::new();
            let mut quiet_until = DateTime::<Utc>::MIN_UTC;
            for (pause, breached) in steps {
                now += pause;
                let (next, transition) = step(phase, &rule, breached, second(now), true);
                prop_assert_eq!(step(next, &rule, breached, second(now), true), (next, None), "twice at one time");
                match transition {
                    Some(Transition::Fired { started_at, fired_at }) => {
                        prop_assert!(open.replace(started_at).is_none(), "fired twice");
                        prop_assert!(breached && fired_at - started_at >= delta(rule.hold_for));
                        prop_assert!(started_at >= quiet_until);
                        prop_assert!(ids.insert(alert_id("r", &brand, started_at)), "an id used twice");
                    }
                    Some(Transition::Resolved { started_at, fired_at, resolved_at }) => {
                        prop_assert_eq!(open.take(), Some(started_at));
                        prop_assert!(!breached && resolved_at - fired_at >= delta(rule.keep_firing_for));
                        quiet_until = resolved_at + delta(rule.cooldown);
                    }
                    None => {}
                }
                phase = next;
            }
        }

        #[test]
        fn a_clock_that_jumps_backwards_never_fires_twice(
            steps in prop::collection::vec((-500_i64..500, any::<bool>()), 1..100),
        ) {
            let rule = rule(30, 30, 60);
            let mut phase = Phase::default();
            let mut open = false;
            for (at, breached) in steps {
                let (next, transition) = step(phase, &rule, breached, second(at), true);
                match transition {
                    Some(Transition::Fired { .. }) => prop_assert!(!std::mem::replace(&mut open, true)),
                    Some(Transition::Resolved { .. }) => prop_assert!(std::mem::replace(&mut open, false)),
                    None => {}
                }
                phase = next;
            }
        }
    }
}
