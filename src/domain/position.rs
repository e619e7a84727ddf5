//! The position of a record in its partition, and what completes its offset.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::{DateTime, Utc};

/// A position in a partition of a topic.
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

/// Which assignment of a partition a record was delivered in. A partition that is revoked and
/// assigned again has a new epoch, so what was in flight before can't move its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// A record as the broker delivered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its position.
    pub position: Position,
    /// Its key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Its payload; none for a tombstone.
    pub payload: Option<Vec<u8>>,
    /// When the broker says that it was appended; none where it does not say.
    pub appended_at: Option<DateTime<Utc>>,
    /// When this process received it.
    pub received_at: DateTime<Utc>,
}

impl Record {
    /// When it was appended, at the latest when it was received: producers' clocks may be ahead.
    pub fn appended_at(&self) -> Option<DateTime<Utc>> {
        self.appended_at.map(|at| at.min(self.received_at))
    }
}

/// The right to complete one offset. It can't be cloned, and dropping it does not complete the
/// offset: the record is delivered again after a restart.
///
/// Where a record holds several posts, its ack is split: the offset is completed with its last part.
#[must_use = "an offset that is never completed holds its partition back"]
#[derive(Debug)]
pub struct Ack {
    position: Position,
    epoch: Epoch,
    parts: NonZeroUsize,
}

impl Ack {
    /// Made by the source, once for each record that it delivers.
    pub(crate) fn new(position: Position, epoch: Epoch) -> Self {
        Self { position, epoch, parts: NonZeroUsize::MIN }
    }

    /// Into how many parts the record's ack was split.
    pub(crate) fn parts(&self) -> NonZeroUsize {
        self.parts
    }

    /// The position that will be completed.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The assignment that it was delivered in.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }
}

/// A record with the ack of its offset.
#[derive(Debug)]
pub struct Delivery {
    /// The record.
    pub record: Arc<Record>,
    /// What completes its offset.
    pub ack: Ack,
}

impl Delivery {
    /// A record that was read without a consumer group. Its ack completes no offset.
    pub fn without_group(record: Record) -> Self {
        let ack = Ack::new(record.position.clone(), Epoch(0));
        Self { record: Arc::new(record), ack }
    }

    /// The same record once for each thing that it holds. Its offset is completed once each of them
    /// is durable. What is split already is not split again, as its parts could not be told apart.
    pub(crate) fn split(self, parts: NonZeroUsize) -> Vec<Self> {
        let Self { record, ack } = self;
        if ack.parts > NonZeroUsize::MIN || parts == NonZeroUsize::MIN {
            return vec![Self { record, ack }];
        }
        let part = || Ack { position: ack.position.clone(), epoch: ack.epoch, parts };
        (0..parts.get()).map(|_| Self { record: record.clone(), ack: part() }).collect()
    }

    /// Bytes of the payload; of a part its share.
    pub(crate) fn bytes(&self) -> usize {
        self.record.payload.as_ref().map_or(0, Vec::len) / self.ack.parts
    }
}

/// Acks of records, with the proof that whatever the records led to survives a crash. Offsets are
/// completed from it alone.
///
/// It is made in three ways, and each proves the acks that it is given and no others: the store
/// commits the rows, the broker acknowledges the dead letter, or there is nothing to store.
#[must_use = "the offsets of these records are completed from it"]
#[derive(Debug, Default)]
pub struct Durable {
    acks: Vec<Ack>,
}

impl Durable {
    /// What these records led to is stored. Called by the store after `COMMIT`, and by the
    /// publisher after a dead letter was acknowledged (`tests/it/layering.rs` checks that).
    pub(crate) fn attest(acks: impl IntoIterator<Item = Ack>) -> Self {
        Self { acks: acks.into_iter().collect() }
    }

    /// This record led to nothing that could be lost.
    pub(crate) fn nothing_to_store(ack: Ack) -> Self {
        Self { acks: vec![ack] }
    }

    /// Adds the acks that another proof holds.
    pub fn extend(&mut self, other: Self) {
        self.acks.extend(other.acks);
    }

    /// How many records it is about.
    pub fn records(&self) -> usize {
        self.acks.len()
    }

    /// The acks, to complete their offsets.
    pub(crate) fn into_acks(self) -> Vec<Ack> {
        self.acks
    }
}
