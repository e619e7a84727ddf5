//! How far the assigned partitions are read: asked of the broker at an interval, since librdkafka
//! itself learns the ends of partitions only from what it fetches, and paused partitions fetch
//! nothing.
//!
//! It has a thread, because these calls block, and a client of its own, which never joins the group.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::error::SourceError;
use super::group::{Group, show_lag};
use super::{Options, probe};
use crate::clock::Clock;
use crate::offsets::ReadTo;

/// How long the broker may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How often topics are asked for their partitions.
const PARTITIONS_EVERY: Duration = Duration::from_secs(30);
/// How often a stop is looked for.
const STOP_CHECK_EVERY: Duration = Duration::from_millis(50);
/// How long a partition must stand still before its end: what is left may hold no record.
const STILL: Duration = Duration::from_secs(5);

/// What is known at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// All partitions of the consumed topics, whoever they are assigned to.
    pub partitions: Vec<(String, i32)>,
    /// Those assigned to this process.
    pub assigned: Vec<AssignedPartition>,
}

/// A partition that is assigned to this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignedPartition {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition number.
    pub partition: i32,
    /// Everything appended before is settled: the time of the latest settled record, or, at the
    /// partition's end, when it was seen to be there. None where neither is known.
    pub read_until: Option<DateTime<Utc>>,
}

/// Starts watching. The first observation comes at once.
pub(super) fn watch(
    options: &Options,
    group: Arc<Group>,
    clock: Arc<dyn Clock>,
    every: Duration,
    stop: CancellationToken,
) -> Result<mpsc::Receiver<Observation>, SourceError> {
    let asking = probe::client_config(options).create().map_err(SourceError::Configuration)?;
    let mut watcher = Watcher {
        asking,
        group,
        clock,
        topics: options.topics.clone(),
        starts_at_end: options.start == "latest",
        partitions: Vec::new(),
        partitions_at: None,
        known: HashMap::new(),
    };
    let (sender, observations) = mpsc::channel(1);
    std::thread::Builder::new()
        .name("kafka-progress".to_owned())
        .spawn(move || {
            let mut failed = false;
            while !stop.is_cancelled() {
                let began = Instant::now();
                match watcher.observe() {
                    Ok(observation) => {
                        failed = false;
                        if sender.blocking_send(observation).is_err() {
                            return;
                        }
                    }
                    Err(error) if !failed => {
                        failed = true;
                        tracing::warn!(error = %error, "How far partitions are read can't be asked of the broker");
                    }
                    Err(_) => {}
                }
                while began.elapsed() < every && !stop.is_cancelled() {
                    std::thread::sleep(STOP_CHECK_EVERY.min(every));
                }
            }
        })
        .map_err(|error| SourceError::Thread(error.to_string()))?;
    Ok(observations)
}

type Key = (Arc<str>, i32);

struct Watcher {
    asking: BaseConsumer,
    group: Arc<Group>,
    clock: Arc<dyn Clock>,
    topics: Vec<String>,
    starts_at_end: bool,
    partitions: Vec<(String, i32)>,
    partitions_at: Option<Instant>,
    known: HashMap<Key, Known>,
}

/// What was found out of an assigned partition before.
struct Known {
    since: DateTime<Utc>,
    /// Where reading began, for as long as no record was delivered.
    begins_at: Option<i64>,
    /// Offset and end between which nothing has moved, since when, and whether no record is there.
    still: (i64, i64),
    still_since: Instant,
    nothing_there: bool,
}

impl Watcher {
    fn observe(&mut self) -> Result<Observation, KafkaError> {
        if self.partitions_at.is_none_or(|at| at.elapsed() > PARTITIONS_EVERY) {
            self.partitions = self.all_partitions()?;
            self.partitions_at = Some(Instant::now());
        }
        let assigned: Vec<Key> = self.group.tracker().assigned().cloned().collect();
        self.known.retain(|key, _| assigned.contains(key));
        if assigned.is_empty() {
            return Ok(Observation { partitions: self.partitions.clone(), assigned: Vec::new() });
        }
        // Before the ends are asked for: what is appended meanwhile is not below them.
        let asked_at = self.clock.now();
        let ends = self.offsets_at(&assigned, Offset::End)?;
        self.find_beginnings(&assigned, &ends)?;
        let mut observed = Vec::new();
        for key in assigned {
            let Some(read_to) = self.group.tracker().read_to(&key.0, key.1) else { continue };
            let end = ends.get(&key).copied();
            let read_until = self.judge(&key, read_to, end, asked_at);
            observed.push(AssignedPartition { topic: key.0, partition: key.1, read_until });
        }
        Ok(Observation { partitions: self.partitions.clone(), assigned: observed })
    }

    /// Up to when a partition is read. Shows its lag.
    fn judge(
        &mut self,
        key: &Key,
        read_to: ReadTo,
        end: Option<i64>,
        asked_at: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let known = self.known.get_mut(key)?;
        let (offset, end) = (read_to.offset.or(known.begins_at)?, end?);
        if known.still != (offset, end) {
            (known.still, known.still_since, known.nothing_there) = ((offset, end), Instant::now(), false);
        }
        let waits = read_to.unsettled_since.is_some() || self.group.tracker().in_flight(&key.0, key.1) > 0;
        if offset < end && !waits && !known.nothing_there && known.still_since.elapsed() > STILL {
            // Control records of transactions have offsets and are never delivered.
            known.nothing_there = probe::holds_no_record(&self.asking, &key.0, key.1, offset);
            known.still_since = Instant::now();
        }
        let at_end = offset >= end || (known.nothing_there && !waits);
        let read_until = if at_end { Some(asked_at) } else { read_to.appended_at };
        let lag = if at_end { 0 } else { end - offset };
        let oldest = read_until.or(read_to.unsettled_since).unwrap_or(known.since);
        let seconds = (self.clock.now() - oldest).num_milliseconds().max(0);
        #[expect(clippy::cast_precision_loss, reason = "lag is far below 2^52")]
        show_lag(&key.0, key.1, lag as f64, if at_end { 0.0 } else { seconds as f64 / 1000.0 });
        read_until
    }

    fn all_partitions(&self) -> Result<Vec<(String, i32)>, KafkaError> {
        let mut partitions = Vec::new();
        for topic in &self.topics {
            let metadata = self.asking.fetch_metadata(Some(topic), ANSWER)?;
            for found in metadata.topics().iter().filter(|found| found.name() == topic) {
                partitions.extend(found.partitions().iter().map(|number| (topic.clone(), number.id())));
            }
        }
        Ok(partitions)
    }

    /// Where newly assigned partitions are read from: the committed offset, or, without one, where
    /// the settings say.
    fn find_beginnings(&mut self, assigned: &[Key], ends: &HashMap<Key, i64>) -> Result<(), KafkaError> {
        let new: Vec<Key> = assigned.iter().filter(|key| !self.known.contains_key(*key)).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        for (topic, partition) in &new {
            list.add_partition(topic, *partition);
        }
        let committed = by_partition(&self.asking.committed_offsets(list, ANSWER)?);
        let first = self.offsets_at(&new, Offset::Beginning)?;
        for key in new {
            let without_one = if self.starts_at_end { ends.get(&key) } else { first.get(&key) };
            let begins_at = match committed.get(&key) {
                // What was removed in between can't be read any more.
                Some(committed) => Some((*committed).max(first.get(&key).copied().unwrap_or(0))),
                None => without_one.copied(),
            };
            self.known.insert(
                key,
                Known {
                    since: self.clock.now(),
                    begins_at,
                    still: (-1, -1),
                    still_since: Instant::now(),
                    nothing_there: false,
                },
            );
        }
        Ok(())
    }

    fn offsets_at(&self, partitions: &[Key], place: Offset) -> Result<HashMap<Key, i64>, KafkaError> {
        let mut list = TopicPartitionList::new();
        for (topic, partition) in partitions {
            list.add_partition_offset(topic, *partition, place)?;
        }
        // Kafka's ListOffsets: first and last offset are asked for in place of a time.
        Ok(by_partition(&self.asking.offsets_for_times(list, ANSWER)?))
    }
}

/// The offsets that were found; others are left out.
fn by_partition(list: &TopicPartitionList) -> HashMap<Key, i64> {
    let elements = list.elements();
    let found = elements.iter().filter(|element| element.error().is_ok());
    found
        .filter_map(|element| match element.offset() {
            Offset::Offset(offset) => Some(((Arc::from(element.topic()), element.partition()), offset)),
            _ => None,
        })
        .collect()
}
