//! The budget of memory for pictures, in bytes: waited for, and held while they need it.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What one permit of the semaphore stands for: it counts no further than 2^29.
const UNIT: u64 = 1 << 10;

/// The budget. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    permits: Arc<Semaphore>,
    all: u32,
}

/// Memory that a picture may take; free again when dropped.
#[derive(Debug)]
#[must_use]
pub struct Memory(OwnedSemaphorePermit);

impl Budget {
    pub(super) fn new(bytes: NonZeroUsize) -> Self {
        let all = units(bytes.get() as u64).max(1);
        Self { permits: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Waits for so many bytes, in turn. Whoever needs more than there is gets all.
    pub(super) async fn take(&self, bytes: u64) -> Memory {
        let wanted = units(bytes).min(self.all);
        match self.permits.clone().acquire_many_owned(wanted).await {
            Ok(permit) => Memory(permit),
            // It is never closed.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Memory {
    /// Keeps no more than so many bytes.
    pub(super) fn shrink_to(&mut self, bytes: u64) {
        let surplus = self.0.num_permits().saturating_sub(units(bytes) as usize);
        drop(self.0.split(surplus));
    }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(1 << 28)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_waits_until_others_need_less() {
        let budget = Budget::new(NonZeroUsize::new(10 << 10).unwrap());
        let mut first = budget.take(7 << 10).await;
        assert!(budget.take(4 << 10).now_or_never().is_none());
        first.shrink_to(6 << 10);
        let second = budget.take(4 << 10).now_or_never().unwrap();
        drop((first, second));
        // More than there is.
        assert!(budget.take(1 << 40).now_or_never().is_some());
    }
}
