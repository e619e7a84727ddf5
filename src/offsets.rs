//! Per partition: which offsets are delivered, which are durable, and which may be committed.
//!
//! Records are settled out of order (batches, retries), and an offset may be committed only when
//! everything before it is durable. Offsets can have gaps (compaction, transaction markers), so
//! what counts is what was delivered: the committable offset is the lowest one still in flight,
//! or one past the highest delivered where none is.
//!
//! The same says up to when a partition was read: the latest time at which one of the records was
//! appended that are settled without a gap.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::{Ack, Durable, Epoch, Position};

/// An offset that may be committed: the next one to read after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Committable {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition number.
    pub partition: i32,
    /// The offset to continue from.
    pub offset: i64,
}

/// How far a partition was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadTo {
    /// Everything below this offset is settled; none before the first record is delivered.
    pub offset: Option<i64>,
    /// When the latest of these records was appended, where that is known.
    pub appended_at: Option<DateTime<Utc>>,
    /// When the oldest record was appended that is received and not settled.
    pub unsettled_since: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Partition {
    epoch: Epoch,
    /// Offset -> what was delivered and is not completed.
    in_flight: BTreeMap<i64, InFlight>,
    /// Offset -> when it was appended, of what is completed beyond the committable offset.
    ahead: BTreeMap<i64, DateTime<Utc>>,
    last_received: i64,
    /// One past the highest offset delivered.
    next: i64,
    committable: i64,
    read_to: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    /// Parts of its ack that are completed.
    completed: usize,
    bytes: usize,
    appended_at: Option<DateTime<Utc>>,
}

impl Partition {
    fn bytes(&self) -> usize {
        self.in_flight.values().map(|record| record.bytes).sum()
    }
}

/// Tracks the offsets of every assigned partition.
#[derive(Debug, Default)]
pub struct OffsetTracker {
    partitions: HashMap<(Arc<str>, i32), Partition>,
    assignments: u64,
    bytes_in_flight: usize,
}

/// The result of completing a batch of offsets.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Partitions whose committable offset moved, each once.
    pub committable: Vec<Committable>,
    /// Completions that were ignored, since their partition was revoked meanwhile.
    pub late: usize,
}

impl OffsetTracker {
    /// A partition was assigned to this process. What was in flight before no longer counts.
    pub fn assign(&mut self, topic: &Arc<str>, partition: i32) -> Epoch {
        self.revoke(topic, partition);
        self.assignments += 1;
        let epoch = Epoch(self.assignments);
        let fresh = Partition {
            epoch,
            in_flight: BTreeMap::new(),
            ahead: BTreeMap::new(),
            last_received: -1,
            next: -1,
            committable: -1,
            read_to: None,
        };
        self.partitions.insert((topic.clone(), partition), fresh);
        epoch
    }

    /// A partition was revoked.
    pub fn revoke(&mut self, topic: &Arc<str>, partition: i32) {
        if let Some(gone) = self.partitions.remove(&(topic.clone(), partition)) {
            self.bytes_in_flight -= gone.bytes();
        }
    }

    /// The current assignment of a partition, or none.
    pub fn epoch(&self, topic: &Arc<str>, partition: i32) -> Option<Epoch> {
        self.partitions.get(&(topic.clone(), partition)).map(|found| found.epoch)
    }

    /// The topics and partitions assigned now.
    pub fn assigned(&self) -> impl Iterator<Item = &(Arc<str>, i32)> {
        self.partitions.keys()
    }

    /// A record was received. Returns its assignment, or none. Offsets that go back (the topic was
    /// created anew, or its log was truncated) begin a new assignment, or nothing below the old
    /// offset would ever be committed.
    pub fn receive(&mut self, position: &Position) -> Option<Epoch> {
        let key = (position.topic.clone(), position.partition);
        let gone_back = position.offset <= self.partitions.get(&key)?.last_received;
        if gone_back {
            self.assign(&position.topic, position.partition);
        }
        let partition = self.partitions.get_mut(&key)?;
        partition.last_received = position.offset;
        Some(partition.epoch)
    }

    /// A record of so many bytes is delivered. None if its partition is not assigned (any more).
    pub fn deliver(
        &mut self,
        position: &Position,
        bytes: usize,
        appended_at: Option<DateTime<Utc>>,
    ) -> Option<Ack> {
        let partition = self.partitions.get_mut(&(position.topic.clone(), position.partition))?;
        if partition.in_flight.is_empty() {
            partition.committable = position.offset;
        }
        self.bytes_in_flight += bytes;
        let replaced =
            partition.in_flight.insert(position.offset, InFlight { completed: 0, bytes, appended_at });
        self.bytes_in_flight -= replaced.map_or(0, |record| record.bytes);
        partition.next = partition.next.max(position.offset + 1);
        Some(Ack::new(position.clone(), partition.epoch))
    }

    /// Bytes of all records that are delivered and not yet completed.
    pub fn bytes_in_flight(&self) -> usize {
        self.bytes_in_flight
    }

    /// Completes the offsets of records that are durable.
    pub fn complete(&mut self, durable: Durable) -> Completion {
        let mut completion = Completion::default();
        let mut touched = BTreeSet::new();
        for ack in durable.into_acks() {
            let position = ack.position();
            let key = (position.topic.clone(), position.partition);
            match self.partitions.get_mut(&key).filter(|found| found.epoch == ack.epoch()) {
                Some(partition) => {
                    if let Some(record) = partition.in_flight.get_mut(&position.offset) {
                        record.completed += 1;
                        if record.completed < ack.parts().get() {
                            continue;
                        }
                    }
                    if let Some(record) = partition.in_flight.remove(&position.offset) {
                        self.bytes_in_flight -= record.bytes;
                        partition.ahead.extend(record.appended_at.map(|at| (position.offset, at)));
                    }
                    touched.insert(key);
                }
                None => completion.late += 1,
            }
        }
        for (topic, number) in touched {
            let Some(partition) = self.partitions.get_mut(&(topic.clone(), number)) else { continue };
            let offset = partition.in_flight.keys().next().copied().unwrap_or(partition.next);
            if offset > partition.committable {
                partition.committable = offset;
                let ahead = partition.ahead.split_off(&offset);
                let settled = std::mem::replace(&mut partition.ahead, ahead);
                partition.read_to = partition.read_to.max(settled.into_values().max());
                completion.committable.push(Committable { topic, partition: number, offset });
            }
        }
        completion
    }

    /// How far a partition was read; none where it is not assigned.
    pub fn read_to(&self, topic: &Arc<str>, partition: i32) -> Option<ReadTo> {
        let partition = self.partitions.get(&(topic.clone(), partition))?;
        Some(ReadTo {
            offset: (partition.committable >= 0).then_some(partition.committable),
            appended_at: partition.read_to,
            unsettled_since: partition.in_flight.values().next().and_then(|record| record.appended_at),
        })
    }

    /// Records of a partition that are delivered and not yet completed.
    pub fn in_flight(&self, topic: &Arc<str>, partition: i32) -> usize {
        self.partitions.get(&(topic.clone(), partition)).map_or(0, |found| found.in_flight.len())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Delivery, Record};

    fn position(offset: i64) -> Position {
        Position { topic: "posts".into(), partition: 0, offset }
    }

    /// Records are appended a second apart.
    fn second(offset: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + offset, 0).unwrap()
    }

    proptest! {
        /// Whatever the gaps and the order of completion, no offset is committed past one that is
        /// still in flight, commits only move forward, and at the end everything is committed.
        #[test]
        fn only_the_contiguous_prefix_is_committable(
            gaps in prop::collection::vec(1i64..4, 1..40),
            order in any::<prop::sample::Index>().prop_map(|index| index.index(1 << 30)),
            batch in 1usize..5,
        ) {
            let topic: Arc<str> = "posts".into();
            let mut tracker = OffsetTracker::default();
            tracker.assign(&topic, 0);
            let offsets: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
            let mut acks: Vec<Ack> = offsets.iter().map(|o| tracker.deliver(&position(*o), 10, Some(second(*o))).unwrap()).collect();
            let mut open: BTreeSet<i64> = offsets.iter().copied().collect();
            let mut seed = order;
            let mut last = None;
            while !acks.is_empty() {
                let mut taken = Vec::new();
                for _ in 0..batch.min(acks.len()) {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let at = (seed >> 33) % acks.len();
                    taken.push(acks.swap_remove(at));
                }
                for ack in &taken { open.remove(&ack.position().offset); }
                let completion = tracker.complete(Durable::attest(taken));
                prop_assert!(completion.committable.len() <= 1);
                for committable in completion.committable {
                    prop_assert!(open.iter().all(|o| *o >= committable.offset));
                    prop_assert!(last.is_none_or(|l| l < committable.offset));
                    let settled = offsets.iter().copied().filter(|o| *o < committable.offset).max();
                    let read_to = tracker.read_to(&topic, 0).unwrap();
                    prop_assert_eq!(read_to.appended_at, settled.map(second));
                    prop_assert_eq!(read_to.offset, Some(committable.offset));
                    last = Some(committable.offset);
                }
            }
            prop_assert_eq!(last, offsets.last().map(|o| o + 1));
            prop_assert_eq!(tracker.bytes_in_flight(), 0);
        }
    }

    #[test]
    fn a_proof_completes_the_offsets_of_its_own_acks_and_no_others() {
        let topic: Arc<str> = "posts".into();
        let mut tracker = OffsetTracker::default();
        tracker.assign(&topic, 0);
        let [first, second, third] =
            [0, 1, 2].map(|offset| tracker.deliver(&position(offset), 1, Some(second(offset))).unwrap());
        assert_eq!(tracker.complete(Durable::default()), Completion::default());
        assert_eq!(tracker.complete(Durable::nothing_to_store(second)), Completion::default());
        let mut durable = Durable::attest([first]);
        durable.extend(Durable::default());
        assert_eq!(durable.records(), 1);
        let committable = tracker.complete(durable).committable;
        assert_eq!(committable, [Committable { topic: topic.clone(), partition: 0, offset: 2 }]);
        assert_eq!(tracker.in_flight(&topic, 0), 1);
        drop(third);
    }

    #[test]
    fn a_completion_from_an_earlier_assignment_moves_nothing() {
        let topic: Arc<str> = "posts".into();
        let mut tracker = OffsetTracker::default();
        tracker.assign(&topic, 0);
        let before = tracker.deliver(&position(7), 1, Some(second(7))).unwrap();
        tracker.revoke(&topic, 0);
        assert!(tracker.deliver(&position(8), 1, Some(second(8))).is_none());
        tracker.assign(&topic, 0);
        let again = tracker.deliver(&position(7), 1, Some(second(7))).unwrap();
        let late = tracker.complete(Durable::attest([before]));
        assert_eq!(late, Completion { committable: vec![], late: 1 });
        assert_eq!(tracker.in_flight(&topic, 0), 1);
        let done = tracker.complete(Durable::attest([again]));
        assert_eq!(done.committable, [Committable { topic, partition: 0, offset: 8 }]);
    }

    #[test]
    fn a_dropped_ack_holds_its_partition_back() {
        let topic: Arc<str> = "posts".into();
        let mut tracker = OffsetTracker::default();
        tracker.assign(&topic, 0);
        drop(tracker.deliver(&position(1), 1, Some(second(1))));
        let second = tracker.deliver(&position(2), 1, Some(second(2))).unwrap();
        assert!(tracker.complete(Durable::attest([second])).committable.is_empty());
    }

    #[test]
    fn a_record_of_several_parts_is_completed_with_the_last_of_them() {
        let topic: Arc<str> = "posts".into();
        let mut tracker = OffsetTracker::default();
        tracker.assign(&topic, 0);
        let ack = tracker.deliver(&position(1), 7, Some(second(1))).unwrap();
        let record = Record {
            position: position(1),
            key: None,
            payload: Some(vec![0; 9]),
            appended_at: None,
            received_at: second(1),
        };
        let whole = Delivery { record: Arc::new(record), ack };
        let mut parts = whole.split(NonZeroUsize::new(3).unwrap());
        assert_eq!(parts.iter().map(Delivery::bytes).collect::<Vec<_>>(), [3, 3, 3]);
        let last = parts.pop().unwrap().split(NonZeroUsize::new(2).unwrap());
        assert_eq!(last.len(), 1, "a part is not split again");
        let first: Vec<Ack> = parts.into_iter().map(|part| part.ack).collect();
        assert_eq!(tracker.complete(Durable::attest(first)), Completion::default());
        assert_eq!((tracker.in_flight(&topic, 0), tracker.bytes_in_flight()), (1, 7));
        let completion = tracker.complete(Durable::attest(last.into_iter().map(|part| part.ack)));
        assert_eq!(completion.committable, [Committable { topic: topic.clone(), partition: 0, offset: 2 }]);
        assert_eq!((tracker.in_flight(&topic, 0), tracker.bytes_in_flight()), (0, 0));
    }

    #[test]
    fn offsets_that_go_back_begin_a_new_assignment() {
        let topic: Arc<str> = "posts".into();
        let mut tracker = OffsetTracker::default();
        let first = tracker.assign(&topic, 0);
        assert_eq!(tracker.receive(&position(99)), Some(first));
        let old = tracker.deliver(&position(99), 5, Some(second(99))).unwrap();
        // The topic was created anew.
        let anew = tracker.receive(&position(0));
        assert!(anew.is_some_and(|epoch| epoch != first));
        assert_eq!(tracker.bytes_in_flight(), 0);
        let new = tracker.deliver(&position(0), 5, Some(second(0))).unwrap();
        let completion = tracker.complete(Durable::attest([old, new]));
        assert_eq!(completion.late, 1);
        assert_eq!(completion.committable, [Committable { topic, partition: 0, offset: 1 }]);
    }
}
