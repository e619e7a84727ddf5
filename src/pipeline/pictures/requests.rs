//! How many pictures of each host are being fetched.
//!
//! A picture whose host has enough to answer is not begun yet, so it holds no worker. The fetcher
//! counts for itself, redirects included; this is for choosing the next picture.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Requests by host. Clones share them.
#[derive(Clone)]
pub(super) struct Requests {
    per_host: NonZeroUsize,
    by_host: Arc<Mutex<HashMap<String, usize>>>,
    ended: Arc<Notify>,
}

/// A place among a host's requests; free again when dropped.
pub(super) struct Request {
    host: String,
    requests: Requests,
}

impl Requests {
    pub(super) fn new(per_host: NonZeroUsize) -> Self {
        Self { per_host, by_host: Arc::default(), ended: Arc::default() }
    }

    /// How many more requests a host may have.
    pub(super) fn room(&self, host: &str) -> usize {
        self.per_host.get() - self.all().get(host).copied().unwrap_or_default()
    }

    /// A place for one more request, if there is one.
    pub(super) fn begin(&self, host: &str) -> Option<Request> {
        let mut all = self.all();
        let requests = all.entry(host.to_owned()).or_default();
        if *requests >= self.per_host.get() {
            return None;
        }
        *requests += 1;
        Some(Request { host: host.to_owned(), requests: self.clone() })
    }

    /// Requests in progress, by host.
    pub(super) fn by_host(&self) -> HashMap<String, usize> {
        self.all().clone()
    }

    /// Returns when a request has ended since the last call.
    pub(super) async fn ended(&self) {
        self.ended.notified().await;
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.by_host.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let mut all = self.requests.all();
        if let Some(requests) = all.get_mut(&self.host) {
            *requests -= 1;
            if *requests == 0 {
                all.remove(&self.host);
            }
        }
        self.requests.ended.notify_one();
    }
}
