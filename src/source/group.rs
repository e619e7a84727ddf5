//! What rebalances and completions share: the assigned partitions, and what is in flight.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::{Offset, Statistics};

use super::brokers::{Brokers, is_of_connection};
use crate::domain::Durable;
use crate::health::{Health, Part};
use crate::metrics;
use crate::offsets::OffsetTracker;

/// librdkafka's callbacks, with the state that they keep.
pub(super) struct Group {
    tracker: Mutex<OffsetTracker>,
    settled: Condvar,
    joined: AtomicBool,
    drain_timeout: Duration,
    closing: AtomicBool,
    pub(super) brokers: Brokers,
    health: Health,
}

impl Group {
    pub(super) fn new(drain_timeout: Duration, health: Health) -> Self {
        let tracker = Mutex::new(OffsetTracker::default());
        Self {
            tracker,
            settled: Condvar::new(),
            joined: AtomicBool::new(false),
            drain_timeout,
            closing: AtomicBool::new(false),
            brokers: Brokers::new(),
            health,
        }
    }

    pub(super) fn tracker(&self) -> MutexGuard<'_, OffsetTracker> {
        self.tracker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nothing of these partitions is in flight, or the drain time-out is over.
    fn drain(&self, partitions: &[(Arc<str>, i32)]) -> bool {
        let deadline = Instant::now() + self.drain_timeout;
        let mut tracker = self.tracker();
        while partitions.iter().any(|(topic, partition)| tracker.in_flight(topic, *partition) > 0) {
            if self.closing.load(Ordering::Acquire) {
                return false;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            tracker = self.settled.wait_timeout(tracker, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn assign(&self, list: &TopicPartitionList) {
        let mut tracker = self.tracker();
        for (topic, partition) in partitions_of(list) {
            tracker.assign(&topic, partition);
        }
        drop(tracker);
        // An empty assignment counts too: with more processes than partitions, some stand by.
        self.joined.store(true, Ordering::Release);
        self.show_assignment("assign", list);
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        let partitions = partitions_of(list);
        if consumer.assignment_lost() {
            tracing::warn!("Partitions were lost: their offsets stay where they were committed last");
        } else {
            if !self.drain(&partitions) {
                tracing::warn!(
                    drain.timeout_seconds = self.drain_timeout.as_secs_f64(),
                    "Records of revoked partitions were not settled; their next owner gets them again"
                );
            }
            match consumer.commit_consumer_state(CommitMode::Sync) {
                Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
                Err(error) => tracing::warn!(error = %error, "Offsets can't be committed before a rebalance"),
            }
        }
        let mut tracker = self.tracker();
        for (topic, partition) in &partitions {
            tracker.revoke(topic, *partition);
            // Nobody else resets the gauges of a revoked partition.
            show_lag(topic, *partition, 0.0, 0.0);
        }
        let nothing_left = tracker.assigned().next().is_none();
        drop(tracker);
        if nothing_left {
            self.joined.store(false, Ordering::Release);
        }
        self.show_assignment("revoke", list);
    }

    fn show_assignment(&self, kind: &'static str, list: &TopicPartitionList) {
        let assigned = self.tracker().assigned().count();
        ::metrics::counter!(metrics::CONSUMER_REBALANCES, "kind" => kind).increment(1);
        #[expect(clippy::cast_precision_loss, reason = "partitions are far below 2^52")]
        ::metrics::gauge!(metrics::CONSUMER_ASSIGNED).set(assigned as f64);
        tracing::info!(
            rebalance.kind = kind,
            partitions.changed = list.count(),
            partitions.assigned = assigned,
            "Rebalanced"
        );
        self.show_connection(true);
    }

    /// Reports the assignment, and whether a broker can be reached at all.
    fn show_connection(&self, connected: bool) {
        let assigned = self.tracker().assigned().count();
        let detail = match (connected, self.joined()) {
            (false, _) => format!("no broker answers: {}", self.brokers.reason()),
            (true, false) => "waiting for an assignment".to_owned(),
            (true, true) => format!("{assigned} partitions assigned"),
        };
        self.health.report(Part::Kafka, connected && self.joined(), detail);
    }

    /// From now on revocations don't wait for records in flight.
    pub(super) fn stop_draining(&self) {
        self.closing.store(true, Ordering::Release);
        self.settled.notify_all();
    }

    pub(super) fn joined(&self) -> bool {
        self.joined.load(Ordering::Acquire)
    }
}

fn partitions_of(list: &TopicPartitionList) -> Vec<(Arc<str>, i32)> {
    list.elements().iter().map(|element| (Arc::from(element.topic()), element.partition())).collect()
}

/// Shows a partition's lag in records and in seconds.
pub(super) fn show_lag(topic: &str, partition: i32, records: f64, seconds: f64) {
    for (name, lag) in [(metrics::CONSUMER_LAG, records), (metrics::CONSUMER_LAG_SECONDS, seconds)] {
        let partition = partition.to_string();
        ::metrics::gauge!(name, "topic" => topic.to_owned(), "partition" => partition).set(lag);
    }
}

impl ClientContext for Group {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Debug => tracing::debug!(kafka.facility = facility, "{message}"),
            // Failed connections come as errors, too.
            _ if facility == "FAIL" => tracing::debug!(kafka.facility = facility, "{message}"),
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => {
                tracing::info!(kafka.facility = facility, "{message}");
            }
            _ => tracing::warn!(kafka.facility = facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        if !is_of_connection(code) {
            tracing::warn!(error = %error, "Kafka: {reason}");
            return;
        }
        tracing::debug!(error = %error, "Kafka: {reason}");
        if code != Some(RDKafkaErrorCode::AllBrokersDown) {
            self.brokers.failed(reason);
        } else if self.joined() {
            // Until then the consumer's thread says what it waits for.
            self.brokers.all_gone(reason);
            self.show_connection(false);
        }
    }

    fn stats(&self, statistics: Statistics) {
        if self.joined() {
            let connected = self.brokers.look_at(&statistics);
            self.show_connection(connected);
        }
    }
}

impl ConsumerContext for Group {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => self.assign(list),
            Rebalance::Revoke(list) => self.revoke(consumer, list),
            Rebalance::Error(error) => tracing::error!(error = %error, "Rebalancing failed"),
        }
    }

    fn commit_callback(&self, result: rdkafka::error::KafkaResult<()>, _offsets: &TopicPartitionList) {
        match result {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => tracing::warn!(error = %error, "Offsets can't be committed"),
        }
    }
}

/// Completes offsets, from any task.
#[derive(Clone)]
pub struct Offsets(pub(super) Arc<BaseConsumer<Group>>);

impl Offsets {
    /// Completes the offsets of records that are durable, and stores those that are now contiguous.
    /// Records of a partition that was revoked meanwhile are ignored: its next owner reads them
    /// again.
    pub fn settle(&self, durable: Durable) {
        let group = self.0.context();
        // One lock over the check of ownership and the store, so no rebalance comes between.
        let mut tracker = group.tracker();
        let completion = tracker.complete(durable);
        let mut list = TopicPartitionList::new();
        for moved in &completion.committable {
            // Can't fail: the offset is not negative.
            let _ = list.add_partition_offset(&moved.topic, moved.partition, Offset::Offset(moved.offset));
        }
        if list.count() > 0
            && let Err(error) = self.0.store_offsets(&list)
        {
            tracing::warn!(error = %error, "Offsets can't be stored; their records will come again");
        }
        drop(tracker);
        group.settled.notify_all();
        ::metrics::counter!(metrics::OFFSETS_LATE).increment(completion.late as u64);
    }
}
