//! A rejection: why a record goes to the dead-letter topic.

use std::fmt;

/// The kind of trouble, a label in metrics and a header of the dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectionReason {
    /// The record has no payload.
    Empty,
    /// The payload is not JSON, or not UTF-8.
    Syntax,
    /// The payload is JSON of another shape than the format says.
    Shape,
    /// A field has a value outside its range, such as a time that is none.
    Value,
    /// The model could not score the text.
    Score,
    /// Postgres refused the rows of this post alone.
    Store,
}

impl RejectionReason {
    /// The name in metrics and headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Syntax => "syntax",
            Self::Shape => "shape",
            Self::Value => "value",
            Self::Score => "score",
            Self::Store => "store",
        }
    }
}

/// Why one record can't be used, in words that name the thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The kind of trouble.
    pub reason: RejectionReason,
    /// What exactly, and where in the payload.
    pub detail: String,
}

impl Rejection {
    /// A rejection with its detail.
    pub fn new(reason: RejectionReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.as_str(), self.detail)
    }
}
