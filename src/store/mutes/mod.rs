//! Mutes: mentions that stay stored and are in no figure. Which mute hides a mention, `mute_rules` says, for
//! posts that come in and for those that are stored.
//!
//! - `table` adds, removes and lists mutes. Both take [`CHANGE_MENTIONS`] for themselves, and whoever
//!   writes mentions shares it and reads the mutes of then: so each mention is either written under a
//!   change of mutes, or stands there when the sweep begins.
//! - `sweep` brings the mentions that were stored before into line, rows and counts in one transaction a
//!   batch.
//!
//! [`CHANGE_MENTIONS`]: super::advisory_lock::CHANGE_MENTIONS

mod sweep;
mod table;

pub use sweep::Swept;
pub use table::{ListedMute, NewMute};

pub(super) use table::mutes_of_now;
