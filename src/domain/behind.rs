//! What the alert topic is told when the daemon can't keep up.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// The kind of the message, beside the kinds of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// How far behind the daemon is.
    Behind,
}

/// Whether it is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BehindState {
    /// It is: alerts come late, and none resolves.
    Behind,
    /// It was, and no longer is.
    CaughtUp,
}

impl BehindState {
    /// The name in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Behind => "behind",
            Self::CaughtUp => "caught_up",
        }
    }
}

/// The message on the alert topic (`docs/schemas/alert.schema.json`), under a key that no brand has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BehindNotice {
    /// The same for the beginning and the end.
    pub id: String,
    /// `id` and state: the same message sent twice has the same one.
    pub message_id: String,
    /// What the message is about.
    pub kind: NoticeKind,
    /// Behind, or caught up.
    pub state: BehindState,
    /// Up to when everything had been read when it fell behind.
    pub since: DateTime<Utc>,
    /// When the message was written.
    pub told_at: DateTime<Utc>,
    /// Up to when everything is read now; none where that is not known.
    pub read_until: Option<DateTime<Utc>>,
    /// From `read_until` to `told_at`.
    pub behind_seconds: Option<i64>,
}

impl BehindNotice {
    /// The record's key. Ids of brands have no underscore.
    pub const KEY: &str = "_behind";
}
