//! Per partition: which offsets are delivered, which are durable, and how far may be committed.
//!
//! Records are settled out of order (batches, retries), and an offset may be committed only when
//! everything before it is durable. Offsets can have gaps (compaction, transaction markers), so
//! what counts is what was delivered: the committable offset is the lowest one still in flight,
//! or one past the highest delivered where none is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

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

#[derive(Debug)]
struct Partition {
    epoch: Epoch,
    /// Offset -> bytes of what was delivered and is not completed.
    in_flight: BTreeMap<i64, usize>,
    last_received: i64,
    /// One past the highest offset delivered.
    next: i64,
    committable: i64,
}

/// Follows every assigned partition.
#[derive(Debug, Default)]
pub struct OffsetTracker {
    partitions: HashMap<(Arc<str>, i32), Partition>,
    assignments: u64,
    bytes_in_flight: usize,
}

/// What came of completing a batch of offsets.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Partitions whose committable offset moved, each once.
    pub committable: Vec<Committable>,
    /// Completions that came after their partition was taken away, and were ignored.
    pub late: usize,
}

impl OffsetTracker {
    /// A partition was assigned to this process: what was in flight before no longer counts.
    pub fn assign(&mut self, topic: &Arc<str>, partition: i32) -> Epoch {
        self.revoke(topic, partition);
        self.assignments += 1;
        let epoch = Epoch(self.assignments);
        let fresh =
            Partition { epoch, in_flight: BTreeMap::new(), last_received: -1, next: -1, committable: -1 };
        self.partitions.insert((topic.clone(), partition), fresh);
        epoch
    }

    /// A partition was taken away.
    pub fn revoke(&mut self, topic: &Arc<str>, partition: i32) {
        if let Some(gone) = self.partitions.remove(&(topic.clone(), partition)) {
            self.bytes_in_flight -= gone.in_flight.values().sum::<usize>();
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

    /// A record has come in: the assignment that it belongs to, or none. Offsets that go back
    /// (the topic was made anew, or its log was cut) begin a new one, or nothing below the old
    /// mark would ever be committed.
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

    /// A record of so many bytes is handed on. None if its partition is not assigned (any more).
    pub fn deliver(&mut self, position: &Position, bytes: usize) -> Option<Ack> {
        let partition = self.partitions.get_mut(&(position.topic.clone(), position.partition))?;
        if partition.in_flight.is_empty() {
            partition.committable = position.offset;
        }
        self.bytes_in_flight += bytes;
        self.bytes_in_flight -= partition.in_flight.insert(position.offset, bytes).unwrap_or(0);
        partition.next = partition.next.max(position.offset + 1);
        Some(Ack::new(position.clone(), partition.epoch))
    }

    /// Bytes of all records that are handed on and not yet completed.
    pub fn bytes_in_flight(&self) -> usize {
        self.bytes_in_flight
    }

    /// Records are dealt with for good.
    pub fn complete(&mut self, acks: Vec<Ack>, _proof: &Durable) -> Completion {
        let mut completion = Completion::default();
        let mut touched = BTreeSet::new();
        for ack in acks {
            let position = ack.position();
            let key = (position.topic.clone(), position.partition);
            match self.partitions.get_mut(&key).filter(|found| found.epoch == ack.epoch()) {
                Some(partition) => {
                    self.bytes_in_flight -= partition.in_flight.remove(&position.offset).unwrap_or(0);
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
                completion.committable.push(Committable { topic, partition: number, offset });
            }
        }
        completion
    }

    /// Records of a partition that are handed on and not yet completed.
    pub fn in_flight(&self, topic: &Arc<str>, partition: i32) -> usize {
        self.partitions.get(&(topic.clone(), partition)).map_or(0, |found| found.in_flight.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn position(offset: i64) -> Position {
        Position { topic: "posts".into(), partition: 0, offset }
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
            let mut acks: Vec<Ack> = offsets.iter().map(|o| tracker.deliver(&position(*o), 10).unwrap()).collect();
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
                let completion = tracker.complete(taken, &Durable::attest());
                prop_assert!(completion.committable.len() <= 1);
                for committable in completion.committable {
                    prop_assert!(open.iter().all(|o| *o >= committable.offset));
                    prop_assert!(last.is_none_or(|l| l < committable.offset));
                    last = Some(committable.offset);
                }
            }
            prop_assert_eq!(last, offsets.last().map(|o| o + 1));
            prop_assert_eq!(tracker.bytes_in_flight(), 0);
        }
    }

    #[test]
    fn a_completion_from_an_earlier_assignment_moves_nothing() {
        let topic: Arc<str> = "posts".into();
        let mut tracker = OffsetTracker::default();
        tracker.assign(&topic, 0);
        let before = tracker.deliver(&position(7), 1).unwrap();
        tracker.revoke(&topic, 0);
        assert!(tracker.deliver(&position(8), 1).is_none());
        tracker.assign(&topic, 0);
        let again = tracker.deliver(&position(7), 1).unwrap();
        let late = tracker.complete(vec![before], &Durable::attest());
        assert_eq!(late, Completion { committable: vec![], late: 1 });
        assert_eq!(tracker.in_flight(&topic, 0), 1);
        let done = tracker.complete(vec![again], &Durable::attest());
        assert_eq!(done.committable, [Committable { topic, partition: 0, offset: 8 }]);
    }

    #[test]
    fn a_dropped_ack_holds_its_partition_back() {
        let topic: Arc<str> = "posts".into();
        let mut tracker = OffsetTracker::default();
        tracker.assign(&topic, 0);
        drop(tracker.deliver(&position(1), 1));
        let second = tracker.deliver(&position(2), 1).unwrap();
        assert!(tracker.complete(vec![second], &Durable::attest()).committable.is_empty());
    }

    #[test]
    fn offsets_that_go_back_begin_a_new_assignment() {
        let topic: Arc<str> = "posts".into();
        let mut tracker = OffsetTracker::default();
        let first = tracker.assign(&topic, 0);
        assert_eq!(tracker.receive(&position(99)), Some(first));
        let old = tracker.deliver(&position(99), 5).unwrap();
        // The topic was made anew.
        let second = tracker.receive(&position(0));
        assert!(second.is_some_and(|epoch| epoch != first));
        assert_eq!(tracker.bytes_in_flight(), 0);
        let new = tracker.deliver(&position(0), 5).unwrap();
        let completion = tracker.complete(vec![old, new], &Durable::attest());
        assert_eq!(completion.late, 1);
        assert_eq!(completion.committable, [Committable { topic, partition: 0, offset: 1 }]);
    }
}
