//! Per-host limits: concurrent requests, and pauses that the host asked for.
//!
//! Nothing here blocks: a worker that waits for a slow host serves no other, so a picture whose
//! host is busy is put off instead. The state is per process and may be lost: a process that does
//! not know of a pause learns of it from the host's next response.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// Most hosts in the table when a pause is added, to bound memory. Beyond it the pause is dropped,
/// and the host will ask for it again.
const MOST_RESTING: usize = 10_000;

/// All hosts with requests in flight or a pause.
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

/// A permit for one request to a host; released on drop.
#[derive(Debug)]
pub(super) struct Turn {
    host: String,
    hosts: Hosts,
}

/// Why a host can't be sent a request now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// It has the most concurrent requests already.
    Busy,
    /// It asked for a pause until then.
    Resting(DateTime<Utc>),
}

impl Hosts {
    pub(super) fn new(at_once: NonZeroUsize) -> Self {
        Self { at_once, known: Arc::default() }
    }

    /// Most concurrent requests to a host.
    pub(super) fn at_once(&self) -> usize {
        self.at_once.get()
    }

    /// A permit for a host, if it may be sent a request now.
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

    /// Records that a host asked for a pause.
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

/// Most hosts to which connections are kept open.
const MOST_KEPT: usize = 64;
/// How long a connection is kept that nothing is asked over.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(10);

/// The hosts to which connections are kept open: those that are asked most lately. A place is free when
/// the connections of the host that had it must have ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<Mutex<HashMap<String, Instant>>>);

impl Kept {
    /// Whether connections to a host may be kept after a request that begins now and ends within `limit`.
    pub(super) fn may_keep(&self, host: &str, limit: Duration) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if kept.len() >= MOST_KEPT && !kept.contains_key(host) {
            kept.retain(|_, until| *until > now);
            if kept.len() >= MOST_KEPT {
                return false;
            }
        }
        kept.insert(host.to_owned(), now + limit + KEPT_FOR);
        true
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

    #[test]
    fn connections_are_kept_to_so_many_hosts_and_no_more() {
        let kept = Kept::default();
        for host in 0..MOST_KEPT {
            assert!(kept.may_keep(&host.to_string(), Duration::from_mins(1)));
        }
        assert!(kept.may_keep("0", Duration::from_mins(1)));
        assert!(!kept.may_keep("another", Duration::from_mins(1)));
    }
}
