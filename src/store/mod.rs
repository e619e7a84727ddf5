//! The store: what Postgres keeps.
//!
//! - `batch` writes posts with their mentions, edits and removals in one transaction: rows, and counts
//!   of the rows that were really inserted or deleted. `identity` decides what a delivery does by what
//!   is known of the post, so the same batch again changes nothing; `removals` and `erasure` take away. [`Store::settle`] takes the acks of the posts' deliveries and gives them back
//!   as [`Durable`](crate::domain::Durable) once the transaction is committed.
//! - `posts`, `mentions`, `counts` and `audience` are the rows of such a batch; `rescoring` lets newer models
//!   judge mentions that are stored.
//! - `brand_queries` keeps what the versions of brands' queries stand for.
//! - `preview` reads stored posts for what a query would find.
//! - `mutes` hides mentions from all figures, and shows them again.
//! - `trace` says what is stored of a post or an author.
//! - `pictures` is the queue of pictures to look at, which the same transaction fills, what is known
//!   of earlier ones, and what they show.
//! - `watermarks` say up to when each partition is stored; `late_counts` are counts that change after
//!   their minute was judged.
//! - `alerts` is what the evaluation of rules reads and writes, and the outbox of messages. It goes
//!   through the connection that holds the [`LeaderLock`].
//! - `schema` makes tables, day partitions ahead of time, and removes what is old.
//! - `pool`, `watch` and `clocks` are about the server: its connections, whether it has gone silent,
//!   and what time it has.
//!
//! Nothing here retries: [`StoreError::is_transient`] says what may succeed later.

mod advisory_lock;
mod alerts;
mod audience;
mod backfills;
mod batch;
mod brand_queries;
mod client;
mod clocks;
mod counts;
mod erasure;
mod error;
mod identity;
mod late_counts;
mod mentions;
mod mute_rules;
mod mutes;
mod overview;
mod parse;
mod pictures;
mod pool;
mod posts;
mod preview;
mod removals;
mod rescoring;
mod schema;
mod trace;
mod watch;
mod watermarks;

pub use advisory_lock::{Candidate, Duty, Evaluation, LeaderLock, Relay};
pub use alerts::{AlertProgress, Judgements, OutboxBacklog, OutboxMessage, Pasts, PhaseChange};
pub use backfills::BackfillPart;
pub use batch::{Change, DeliveredChange, Written};
pub use brand_queries::BrandQuery;
pub use client::{Options, PictureOptions, Store};
pub use clocks::ClockDifference;
pub use error::StoreError;
pub use mutes::{ListedMute, NewMute, Swept};
pub use overview::{BrandSummary, RecentSighting};
pub use pictures::{
    Backlog, FinishedCounts, FinishedPicture, HeldLease, LeaseRequest, Likeness, PutOffPicture, QueuedPicture,
};
pub use posts::StoredPost;
pub use preview::KeptPost;
pub use removals::StoredRemoval;
pub use rescoring::{RescoreRange, StaleMention};
pub use schema::{MigrationState, PartitionsCreated, Removed};
pub use trace::Subject;
pub use watch::Watch;
pub use watermarks::Watermark;

/// The queries whose cost must not grow with their tables, for the tests of their plans.
pub mod queries {
    pub use super::pictures::{
        BACKLOG_QUERY, CONTENT_QUERY, LEASE_QUERY, LIKENESS_QUERY, LIKENESS_SETTINGS, READY_QUERY, URLS_QUERY,
    };
    pub use super::preview::{KEPT_QUERY, KEPT_SETTINGS};
}
