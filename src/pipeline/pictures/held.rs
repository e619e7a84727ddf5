//! The leases that this process holds, and the task that renews them.
//!
//! A lease is held until what came of it is written. While writing is blocked, results wait in this
//! process for longer than a lease; were theirs to end, another process would do the work again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::{HeldLease, QueuedPicture, Store};

/// A lease is renewed so many times while it lasts: some may fail.
const RENEWALS_IN_A_LEASE: u32 = 5;
/// How many leases long a picture may be processed. Whatever hangs for longer is given up, and
/// another process may try.
const LONGEST: u32 = 4;

/// All leases of this process. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Held(Arc<Mutex<HashMap<i64, Lease>>>);

struct Lease {
    queued: QueuedPicture,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not begun.
    Next,
    /// Being processed since then.
    InProgress(Instant),
    /// Its result is in the finisher's hands.
    Ended,
}

impl Held {
    /// A picture was leased.
    pub(super) fn add(&self, queued: QueuedPicture) {
        self.all().insert(queued.lease, Lease { queued, state: State::Next });
    }

    /// A picture is being processed.
    pub(super) fn begin(&self, queued: &QueuedPicture) {
        self.set(queued, State::InProgress(Instant::now()));
    }

    /// A picture's result is handed to the finisher.
    pub(super) fn end(&self, queued: &QueuedPicture) {
        self.set(queued, State::Ended);
    }

    /// What came of a picture is written.
    pub(super) fn release(&self, queued: &QueuedPicture) {
        self.all().remove(&queued.lease);
    }

    /// Those whose results are not in the finisher's hands, in the order of their keys.
    pub(super) fn unfinished(&self) -> Vec<QueuedPicture> {
        let all = self.all();
        let unfinished = all.values().filter(|lease| lease.state != State::Ended);
        let mut unfinished: Vec<_> = unfinished.map(|lease| lease.queued.clone()).collect();
        unfinished.sort_by_cached_key(|queued| (queued.post.key.clone(), queued.position));
        unfinished
    }

    fn set(&self, queued: &QueuedPicture, state: State) {
        if let Some(lease) = self.all().get_mut(&queued.lease) {
            lease.state = state;
        }
    }

    /// The leases to renew: those that wait, for whatever, and those in progress that began less
    /// than `longest` ago.
    fn to_renew(&self, longest: Duration) -> Vec<HeldLease> {
        let hangs = |state| matches!(state, State::InProgress(since) if since.elapsed() > longest);
        let all = self.all();
        let lasting = all.values().filter(|lease| !hangs(lease.state));
        lasting
            .map(|lease| HeldLease { queued: lease.queued.clone(), has_result: lease.state == State::Ended })
            .collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<i64, Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renews leases for as long as it is polled.
pub(super) async fn renew(store: Store, held: Held) {
    let lease = store.options().pictures.lease;
    loop {
        tokio::time::sleep(lease / RENEWALS_IN_A_LEASE).await;
        if let Err(error) = store.renew_leases(&held.to_renew(lease * LONGEST)).await {
            tracing::warn!(error = %error, "Leases of pictures can't be renewed");
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::{Post, PostKey};

    fn queued(lease: i64) -> QueuedPicture {
        let created_at = DateTime::UNIX_EPOCH;
        let key = PostKey { source: "test".to_owned(), id: lease.to_string(), created_at };
        QueuedPicture {
            url: String::new(),
            host: String::new(),
            position: 0,
            lease,
            attempts: 1,
            put_off_for: None,
            post: Post::new(key, ""),
            named: Vec::new(),
            received_at: created_at,
        }
    }

    #[test]
    fn what_waits_keeps_its_lease_and_what_hangs_does_not() {
        let held = Held::default();
        for lease in 1..=4 {
            held.add(queued(lease));
        }
        held.begin(&queued(1));
        held.begin(&queued(2));
        held.end(&queued(2));
        held.release(&queued(4));
        let renewed = |longest| {
            let mut found: Vec<_> = held
                .to_renew(longest)
                .into_iter()
                .map(|lease| (lease.queued.lease, lease.has_result))
                .collect();
            found.sort_unstable();
            found
        };
        assert_eq!(renewed(Duration::from_hours(1)), [(1, false), (2, true), (3, false)]);
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(renewed(Duration::from_millis(1)), [(2, true), (3, false)]);
        let unfinished: Vec<_> = held.unfinished().iter().map(|queued| queued.lease).collect();
        assert_eq!(unfinished, [1, 3]);
    }
}
