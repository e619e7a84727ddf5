//! Which pictures are leased, and which of them is next.
//!
//! Leasing runs ahead of the workers, so that there is a next picture when one is done. A host's
//! requests and its leases have limits of their own: more pictures of a host may wait here than it
//! is asked for at once.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use super::PictureComponents;
use super::held::Held;
use super::requests::{Request, Requests};
use crate::domain::PictureOutcome;
use crate::metrics;
use crate::store::{LeaseRequest, QueuedPicture, Store, StoreError};

/// So many times the workers are leased.
const AHEAD: usize = 2;

/// A picture with what is known of its address.
type Next = (QueuedPicture, Option<PictureOutcome>);

/// Leased pictures that are not begun, and what is needed to lease more.
pub(super) struct Leases {
    store: Store,
    model: String,
    workers: usize,
    per_host: usize,
    held: Held,
    requests: Requests,
    next: VecDeque<Next>,
    /// The host that had its turn last.
    after: String,
    /// Hosts of which there was more to lease than may wait here.
    full: Vec<String>,
}

impl Leases {
    pub(super) fn new(components: &PictureComponents, held: Held, requests: Requests) -> Self {
        Self {
            store: components.store.clone(),
            model: components.detector.model().to_string(),
            workers: components.options.workers.get(),
            per_host: components.options.per_host.get(),
            held,
            requests,
            next: VecDeque::new(),
            after: String::new(),
            full: Vec::new(),
        }
    }

    /// Whether fewer pictures wait that could begin than there are workers.
    pub(super) fn wants_more(&self) -> bool {
        self.ready() < self.workers
    }

    /// Whether a host that had as many leases as it may have has used up half of them.
    pub(super) fn has_room_again(&mut self) -> bool {
        let most = self.workers * AHEAD;
        let unfetched = self.unfetched();
        let has_room = |host: &String| unfetched.get(host).copied().unwrap_or_default() <= most / 2;
        let has_room = self.full.iter().any(has_room);
        if has_room {
            self.full.clear();
        }
        has_room
    }

    /// What leases the next pictures, as a task of its own.
    pub(super) fn taking(&self) -> Taking {
        let most = self.workers * AHEAD;
        Taking {
            store: self.store.clone(),
            model: self.model.clone(),
            held: self.held.clone(),
            share: number(self.per_host.min(most)),
            most: number(most),
            free: number(most.saturating_sub(self.ready())),
            busy: self.unfetched().into_iter().map(|(host, count)| (host, number(count))).collect(),
            after: self.after.clone(),
        }
    }

    /// Takes in what was leased.
    pub(super) fn add(&mut self, taken: Taken) {
        self.next.extend(taken.pictures);
        self.after = taken.after;
        self.full = taken.full;
    }

    /// The next picture to process, with a place among its host's requests where it is to be fetched.
    pub(super) fn next(&mut self) -> Option<(QueuedPicture, Option<PictureOutcome>, Option<Request>)> {
        for place in 0..self.next.len() {
            let (queued, known) = &self.next[place];
            let request = if known.is_some() { None } else { self.requests.begin(&queued.host) };
            if request.is_some() || known.is_some() {
                let (queued, known) = self.next.remove(place)?;
                return Some((queued, known, request));
            }
        }
        None
    }

    /// How many of those that wait could begin.
    fn ready(&self) -> usize {
        let mut room: HashMap<&str, usize> = HashMap::new();
        let mut ready = 0;
        for (queued, known) in &self.next {
            if known.is_some() {
                ready += 1;
                continue;
            }
            let left = room.entry(&queued.host).or_insert_with(|| self.requests.room(&queued.host));
            ready += usize::from(*left > 0);
            *left = left.saturating_sub(1);
        }
        ready
    }

    /// Leased pictures that are not fetched yet, by host.
    fn unfetched(&self) -> HashMap<String, usize> {
        let mut by_host = self.requests.by_host();
        for (queued, _) in &self.next {
            *by_host.entry(queued.host.clone()).or_default() += 1;
        }
        by_host
    }
}

/// Leases pictures and looks up what is known of their addresses.
pub(super) struct Taking {
    store: Store,
    model: String,
    held: Held,
    /// A host's share while others have pictures, too.
    share: u32,
    /// Most pictures of one host.
    most: u32,
    free: u32,
    busy: HashMap<String, u32>,
    after: String,
}

/// What was leased.
pub(super) struct Taken {
    pictures: Vec<Next>,
    after: String,
    full: Vec<String>,
    /// Whether nothing more is due, as far as hosts may have more.
    pub(super) is_all: bool,
}

impl Taking {
    /// Leases as many as wanted, if they are due. What was leased before an error counts.
    pub(super) async fn run(mut self) -> (Taken, Result<(), StoreError>) {
        let begin = Instant::now();
        let mut leased = Vec::new();
        let result = self.lease_all(&mut leased).await;
        let urls: Vec<&str> = leased.iter().map(|queued: &QueuedPicture| queued.url.as_str()).collect();
        let known = self.store.known_urls(&urls, &self.model).await.unwrap_or_else(|error| {
            // They are processed again, which only costs time.
            tracing::warn!(error = %error, "Known pictures can't be read");
            HashMap::new()
        });
        let pictures = leased.into_iter().map(|queued| {
            let outcome = known.get(&queued.url).cloned();
            (queued, outcome)
        });
        let pictures = pictures.collect();
        let full = self.busy.into_iter().filter(|(_, count)| *count >= self.most).map(|(host, _)| host);
        ::metrics::histogram!(metrics::PICTURE_LEASE_SECONDS).record(begin.elapsed().as_secs_f64());
        (Taken { pictures, after: self.after, full: full.collect(), is_all: self.free > 0 }, result)
    }

    /// Hosts come in turn, none with more than its share. Where that leaves places free, those that
    /// have more pictures fill them.
    async fn lease_all(&mut self, leased: &mut Vec<QueuedPicture>) -> Result<(), StoreError> {
        for per_host in [self.share, self.most] {
            self.lease(per_host, leased).await?;
            if self.free > 0 && !self.after.is_empty() {
                // The last host had its turn: the first are next.
                self.after.clear();
                self.lease(per_host, leased).await?;
            }
            let has_more = self.busy.values().any(|count| *count >= per_host);
            if self.free == 0 || !has_more {
                break;
            }
        }
        Ok(())
    }

    async fn lease(&mut self, per_host: u32, leased: &mut Vec<QueuedPicture>) -> Result<(), StoreError> {
        let request = LeaseRequest {
            pictures: self.free,
            per_host,
            busy: self.busy.iter().map(|(host, count)| (host.clone(), *count)).collect(),
            after: self.after.clone(),
        };
        let more = self.store.lease_pictures(&request).await?;
        for queued in more {
            self.held.add(queued.clone());
            *self.busy.entry(queued.host.clone()).or_default() += 1;
            self.free = self.free.saturating_sub(1);
            if queued.host > self.after {
                self.after.clone_from(&queued.host);
            }
            leased.push(queued);
        }
        Ok(())
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
