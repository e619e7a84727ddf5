//! Whether brokers answer: said once when it changes, and counted in between.
//!
//! While a broker is away librdkafka reports each of its attempts to connect, several a second. All
//! of them are counted; what is logged is that the brokers went, with the reason, and that they are
//! back.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rdkafka::Statistics;
use rdkafka::error::RDKafkaErrorCode;

use crate::metrics;

/// How much of the cluster answers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reach {
    All,
    /// All but these.
    Without(BTreeSet<String>),
    None,
}

#[derive(Debug)]
struct State {
    reach: Reach,
    since: Instant,
    failures: u64,
    reason: String,
    /// The brokers that were away in the statistics before.
    away_before: BTreeSet<String>,
}

/// What is known of the brokers.
#[derive(Debug)]
pub(super) struct Brokers(Mutex<State>);

/// Whether an error is one of a connection, which librdkafka tries again by itself.
pub(super) fn is_of_connection(code: Option<RDKafkaErrorCode>) -> bool {
    use RDKafkaErrorCode::{
        AllBrokersDown, Authentication, BrokerTransportFailure, OperationTimedOut, Resolve, SSL,
    };
    matches!(
        code,
        Some(AllBrokersDown | Authentication | BrokerTransportFailure | OperationTimedOut | Resolve | SSL)
    )
}

impl Brokers {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            reach: Reach::All,
            since: Instant::now(),
            failures: 0,
            reason: String::new(),
            away_before: BTreeSet::new(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection failed, or an attempt at one.
    pub(super) fn failed(&self, reason: &str) {
        ::metrics::counter!(metrics::BROKER_FAILURES, "client" => "consumer").increment(1);
        let mut state = self.state();
        state.failures += 1;
        // What follows counts attempts, and would make each reason a new one.
        reason.split(" (after ").next().unwrap_or(reason).clone_into(&mut state.reason);
    }

    /// Why a connection last failed.
    pub(super) fn reason(&self) -> String {
        self.state().reason.clone()
    }

    /// No broker answers. librdkafka may say so before it says why.
    pub(super) fn all_gone(&self, summary: &str) {
        let mut state = self.state();
        if state.reason.is_empty() {
            summary.clone_into(&mut state.reason);
        }
        drop(state);
        self.changed_to(Reach::None);
    }

    /// Looks at librdkafka's statistics. Returns whether any broker answers.
    pub(super) fn look_at(&self, statistics: &Statistics) -> bool {
        let brokers = statistics.brokers.values();
        let any_up = brokers.clone().any(|broker| broker.state == "UP");
        // One that was never needed is in the state INIT. Bootstrap addresses have no id.
        let is_away = |state: &str| state != "UP" && state != "INIT";
        let away: BTreeSet<String> = brokers
            .filter(|broker| broker.nodeid >= 0 && is_away(&broker.state))
            .map(|broker| broker.nodename.clone())
            .collect();
        // A broker that is just connecting will be up the next time.
        let before = std::mem::replace(&mut self.state().away_before, away.clone());
        let lasting: BTreeSet<String> = away.intersection(&before).cloned().collect();
        if any_up {
            self.changed_to(if lasting.is_empty() { Reach::All } else { Reach::Without(lasting) });
        }
        any_up
    }

    fn changed_to(&self, reach: Reach) {
        let mut state = self.state();
        if state.reach == reach {
            return;
        }
        let (lasted, failures, reason) = (state.since.elapsed().as_secs(), state.failures, &state.reason);
        match &reach {
            Reach::None => tracing::warn!(reason, "No broker answers; the client goes on trying"),
            Reach::Without(away) => {
                tracing::warn!(brokers.away = ?away, reason, "Not all brokers answer; the client goes on trying");
            }
            Reach::All => {
                tracing::info!(
                    outage.seconds = lasted,
                    connections.failed = failures,
                    "The brokers answer again"
                );
            }
        }
        if reach == Reach::All {
            state.failures = 0;
            state.reason.clear();
        }
        state.reach = reach;
        state.since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_keeps_its_reason_without_the_attempts() {
        let brokers = Brokers::new();
        brokers.failed("kafka:9092/1: Connect failed: Connection refused (after 0ms in state CONNECT)");
        brokers.all_gone("1/1 brokers are down");
        assert_eq!(brokers.reason(), "kafka:9092/1: Connect failed: Connection refused");
        assert_eq!(brokers.state().reach, Reach::None);
        assert_eq!(brokers.state().failures, 1);
        brokers.changed_to(Reach::All);
        assert_eq!(brokers.state().failures, 0, "the next outage counts anew");
    }
}
