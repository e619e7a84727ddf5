//! Pictures: the queue of those to look at, what is known of earlier ones, and what they show.

mod backlog;
mod completion;
mod enqueue;
mod finished;
mod known;
mod leases;
mod queue;
mod sightings;

pub use backlog::{BACKLOG_QUERY, Backlog};
pub use completion::FinishedCounts;
pub(super) use enqueue::{QueueRows, enqueue_pictures};
pub use finished::FinishedPicture;
pub use known::{CONTENT_QUERY, LIKENESS_QUERY, LIKENESS_SETTINGS, Likeness, URLS_QUERY};
pub use leases::{HeldLease, PutOffPicture};
pub use queue::{LEASE_QUERY, LeaseRequest, QueuedPicture, READY_QUERY};
