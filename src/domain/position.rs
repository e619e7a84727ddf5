//! Where a record stands in its stream, and the duty to say when it is dealt with.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

/// A place in a partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition number.
    pub partition: i32,
    /// Offset within the partition.
    pub offset: i64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]@{}", self.topic, self.partition, self.offset)
    }
}

/// Which assignment of a partition a record came through. A partition that is taken away and comes
/// back has a new epoch, so what was in flight before can't move its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// A record as the broker delivered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub position: Position,
    /// Its key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Its payload; none for a tombstone.
    pub payload: Option<Vec<u8>>,
    /// When this process received it.
    pub received_at: DateTime<Utc>,
}

/// The duty to complete one offset. It can't be cloned, and dropping it never completes the
/// offset: the record is then delivered again after a restart.
#[must_use = "an offset that is never completed holds its partition back"]
#[derive(Debug)]
pub struct Ack {
    position: Position,
    epoch: Epoch,
}

impl Ack {
    /// Made by the source, once for each record it hands out.
    pub(crate) fn new(position: Position, epoch: Epoch) -> Self {
        Self { position, epoch }
    }

    /// The position that will be completed.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The assignment it came through.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }
}

/// A record together with the duty to complete it.
#[derive(Debug)]
pub struct Delivery {
    /// What arrived.
    pub record: Record,
    /// How to say that it is dealt with.
    pub ack: Ack,
}

/// Proof that everything a batch of records led to will survive a crash. Offsets are completed
/// against it; only the store, after its commit, can attest it.
#[derive(Debug)]
pub struct Durable(());

impl Durable {
    /// Called by the store alone, after `COMMIT` succeeded (`tests/it/layering.rs` checks that).
    pub(crate) fn attest() -> Self {
        Self(())
    }
}
