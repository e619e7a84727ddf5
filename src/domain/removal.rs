//! Removals: what takes posts away again.

use chrono::{DateTime, Utc};

/// What a network says is to be taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The network.
    pub source: String,
    /// What it is about.
    pub of: Removed,
    /// When the network says that it happened.
    pub at: DateTime<Utc>,
}

/// What a removal is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// The post with this identifier.
    Post(String),
    /// All posts of this account up to the time of the removal: it was deleted, taken down, suspended
    /// or deactivated.
    Account(String),
}
