//! Politeness: how many requests a host has to answer at once, and whether it asked for a pause.
//!
//! Nobody waits here. A worker that waited for a slow host would be lost to all others, so a
//! picture whose host is busy is put off instead. What is known of a host is this process's alone
//! and never needed: another process that does not know it is told by the host itself.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

/// Most hosts whose pauses are remembered: a bound on memory, not on hosts. Beyond it a pause is
/// forgotten, and the host tells of it again.
const MOST_RESTING: usize = 10_000;

/// All hosts that are asked something, or rest.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    at_once: NonZeroUsize,
    known: Arc<Mutex<HashMap<String, Host>>>,
}

#[derive(Debug, Default)]
struct Host {
    requests: usize,
    rests_until: Option<DateTime<Utc>>,
}

/// The right to ask a host one thing; given back when dropped.
#[derive(Debug)]
pub(super) struct Turn {
    host: String,
    hosts: Hosts,
}

/// Why a host is not asked now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// Enough requests go there already.
    Busy,
    /// It asked for a pause until then.
    Resting(DateTime<Utc>),
}

impl Hosts {
    pub(super) fn new(at_once: NonZeroUsize) -> Self {
        Self { at_once, known: Arc::default() }
    }

    /// How many requests a host gets at once.
    pub(super) fn at_once(&self) -> usize {
        self.at_once.get()
    }

    /// A turn at a host, if it may be asked now.
    pub(super) fn turn(&self, host: &str, now: DateTime<Utc>) -> Result<Turn, Wait> {
        let mut known = self.known();
        let entry = known.entry(host.to_owned()).or_default();
        if let Some(until) = entry.rests_until {
            if now < until {
                return Err(Wait::Resting(until));
            }
            entry.rests_until = None;
        }
        if entry.requests >= self.at_once.get() {
            return Err(Wait::Busy);
        }
        entry.requests += 1;
        Ok(Turn { host: host.to_owned(), hosts: self.clone() })
    }

    /// Remembers that a host asked for a pause.
    pub(super) fn rest(&self, host: &str, until: DateTime<Utc>, now: DateTime<Utc>) {
        let mut known = self.known();
        if known.len() >= MOST_RESTING {
            known.retain(|_, host| host.requests > 0 || host.rests_until.is_some_and(|until| until > now));
        }
        if known.len() < MOST_RESTING || known.contains_key(host) {
            known.entry(host.to_owned()).or_default().rests_until = Some(until);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut known = self.hosts.known();
        if let Some(host) = known.get_mut(&self.host) {
            host.requests -= 1;
            if host.requests == 0 && host.rests_until.is_none() {
                known.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn two_at_once() -> Hosts {
        Hosts::new(NonZeroUsize::new(2).unwrap())
    }

    #[test]
    fn a_host_has_so_many_turns_at_once_and_no_more() {
        let (hosts, now) = (two_at_once(), DateTime::UNIX_EPOCH);
        let first = hosts.turn("a", now).unwrap();
        let _second = hosts.turn("a", now).unwrap();
        assert_eq!(hosts.turn("a", now).unwrap_err(), Wait::Busy);
        let _other = hosts.turn("b", now).unwrap();
        drop(first);
        let _third = hosts.turn("a", now).unwrap();
    }

    #[test]
    fn a_host_that_asked_for_a_pause_has_no_turn_until_it_is_over() {
        let (hosts, now) = (two_at_once(), DateTime::UNIX_EPOCH);
        let until = now + TimeDelta::seconds(10);
        hosts.rest("a", until, now);
        assert_eq!(hosts.turn("a", now).unwrap_err(), Wait::Resting(until));
        drop(hosts.turn("a", until).unwrap());
        assert!(hosts.known().is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (hosts, now) = (two_at_once(), DateTime::UNIX_EPOCH);
        let until = now + TimeDelta::seconds(10);
        for host in 0..MOST_RESTING + 5 {
            hosts.rest(&host.to_string(), until, now);
        }
        assert_eq!(hosts.known().len(), MOST_RESTING);
        hosts.rest("later", until + TimeDelta::seconds(10), until);
        assert_eq!(hosts.known().len(), 1);
    }
}
