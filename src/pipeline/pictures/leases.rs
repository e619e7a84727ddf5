//! The leases that this process holds: what is being looked at and what is next.

use std::collections::{HashMap, VecDeque};

use super::PictureParts;
use crate::domain::PostKey;
use crate::store::{MediaOutcome, PictureWork, Store, StoreError, Wanted};

/// Leased pictures, of which no host has more than its share.
pub(super) struct Leases {
    store: Store,
    model: String,
    per_host: u32,
    /// Leased and not yet looked at, with what is remembered of the address.
    next: VecDeque<(PictureWork, Option<MediaOutcome>)>,
    /// Everything that is leased.
    held: HashMap<(PostKey, i16), PictureWork>,
    /// The host that had its turn last.
    after: String,
}

impl Leases {
    pub(super) fn new(parts: &PictureParts) -> Self {
        Self {
            store: parts.store.clone(),
            model: parts.detector.model().to_string(),
            per_host: u32::try_from(parts.options.per_host.get()).unwrap_or(u32::MAX),
            next: VecDeque::new(),
            held: HashMap::new(),
            after: String::new(),
        }
    }

    /// How many are held.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Leases as many more as make so many in all, if they are due, and looks up what is remembered
    /// of them. Gives back how many came.
    pub(super) async fn take(&mut self, in_all: usize) -> Result<usize, StoreError> {
        let free = u32::try_from(in_all.saturating_sub(self.held.len())).unwrap_or(u32::MAX);
        let mut leased = self.lease(free).await?;
        let missing = free.saturating_sub(u32::try_from(leased.len()).unwrap_or(u32::MAX));
        if missing > 0 && !self.after.is_empty() {
            // The last host had its turn: the first are next.
            self.after.clear();
            leased.extend(self.lease(missing).await?);
        }
        let urls: Vec<&str> = leased.iter().map(|work| work.url.as_str()).collect();
        let mut remembered = self.store.remembered_urls(&urls, &self.model).await.unwrap_or_else(|error| {
            // They are looked at once more then.
            tracing::debug!(error = %error, "The memory of pictures can't be read");
            HashMap::new()
        });
        let came = leased.len();
        for work in leased {
            let known = remembered.get(&work.url).cloned();
            self.next.push_back((work, known));
        }
        remembered.clear();
        Ok(came)
    }

    async fn lease(&mut self, pictures: u32) -> Result<Vec<PictureWork>, StoreError> {
        let mut busy: HashMap<&str, u32> = HashMap::new();
        for work in self.held.values() {
            *busy.entry(&work.host).or_default() += 1;
        }
        let wanted = Wanted {
            pictures,
            per_host: self.per_host,
            busy: busy.into_iter().map(|(host, count)| (host.to_owned(), count)).collect(),
            after: self.after.clone(),
        };
        let leased = self.store.lease_pictures(&wanted).await?;
        for work in &leased {
            self.held.insert(key(work), work.clone());
        }
        if let Some(last) = leased.iter().map(|work| &work.host).max() {
            self.after.clone_from(last);
        }
        Ok(leased)
    }

    /// The next picture to look at.
    pub(super) fn next(&mut self) -> Option<(PictureWork, Option<MediaOutcome>)> {
        self.next.pop_front()
    }

    /// A picture is in the finisher's hands.
    pub(super) fn end(&mut self, work: &PictureWork) {
        self.held.remove(&key(work));
    }

    /// Gives back everything that is held.
    pub(super) async fn give_back(self) -> Result<(), StoreError> {
        let mut held: Vec<PictureWork> = self.held.into_values().collect();
        held.sort_by_cached_key(key);
        self.store.give_back(&held).await
    }
}

fn key(work: &PictureWork) -> (PostKey, i16) {
    (work.post.key.clone(), work.position)
}
