//! A range of a topic, read once and to its end by a client that joins no group and commits nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::metadata::MetadataPartition;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::error::SourceError;
use super::{Options, probe};
use crate::clock::Clock;
use crate::domain::{Delivery, Position, Record};

/// How long the broker may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How long one poll waits.
const POLL: Duration = Duration::from_millis(100);
/// After so long without a record or an end of a partition, reading is given up.
const SILENCE: Duration = Duration::from_mins(1);

/// What a partition holds of a range of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Partition number.
    pub partition: i32,
    /// The offset of the first record of the range.
    pub first: i64,
    /// One past the offset of its last.
    pub end: i64,
    /// When the oldest record was appended that the partition still holds; none where it is empty.
    pub oldest: Option<DateTime<Utc>>,
}

/// A part of a partition, by offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Partition number.
    pub partition: i32,
    /// Where to begin.
    pub next: i64,
    /// Where to stop: one past the last offset.
    pub end: i64,
}

/// Asks the broker what a topic holds of the records that were appended in this time. Blocks: call it
/// off the async runtime.
///
/// # Errors
/// The configuration is refused, no broker answers, or there is no such topic.
pub fn extents(
    options: &Options,
    topic: &str,
    since: Option<DateTime<Utc>>,
    until: DateTime<Utc>,
) -> Result<Vec<Extent>, SourceError> {
    let client: BaseConsumer = probe::client_config(options).create().map_err(SourceError::Configuration)?;
    let metadata = client.fetch_metadata(Some(topic), ANSWER).map_err(SourceError::Range)?;
    let partitions =
        metadata.topics().iter().flat_map(|found| found.partitions().iter().map(MetadataPartition::id));
    let mut extents = Vec::new();
    for partition in partitions {
        let (low, high) = client.fetch_watermarks(topic, partition, ANSWER).map_err(SourceError::Range)?;
        let at = |time| offset_at(&client, topic, partition, time).map_err(SourceError::Range);
        let first = since.map_or(Ok(None), at)?.unwrap_or(if since.is_some() { high } else { low });
        let end = at(until)?.unwrap_or(high);
        let oldest = if low < high { appended_at(&client, topic, partition, low) } else { None };
        extents.push(Extent { partition, first: first.max(low), end: end.max(first), oldest });
    }
    if extents.is_empty() {
        return Err(SourceError::Range(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition)));
    }
    Ok(extents)
}

/// The first offset of a record that was appended then or later; none where there is none.
fn offset_at(
    client: &BaseConsumer,
    topic: &str,
    partition: i32,
    time: DateTime<Utc>,
) -> Result<Option<i64>, KafkaError> {
    let mut asked = TopicPartitionList::new();
    asked.add_partition_offset(topic, partition, Offset::Offset(time.timestamp_millis().max(0)))?;
    let found = client.offsets_for_times(asked, ANSWER)?;
    Ok(found.elements().first().and_then(|element| match element.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }))
}

/// When the first record at this offset or behind it was appended; none where that can't be found out.
fn appended_at(client: &BaseConsumer, topic: &str, partition: i32, offset: i64) -> Option<DateTime<Utc>> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset)).ok()?;
    client.assign(&list).ok()?;
    let began = Instant::now();
    let mut found = None;
    while found.is_none() && began.elapsed() < ANSWER {
        match client.poll(POLL) {
            Some(Ok(message)) => found = Some(time_of(&message)),
            Some(Err(KafkaError::PartitionEOF(_))) => break,
            Some(Err(_)) | None => {}
        }
    }
    drop(client.unassign());
    found.flatten()
}

fn time_of(message: &BorrowedMessage<'_>) -> Option<DateTime<Utc>> {
    message.timestamp().to_millis().and_then(DateTime::from_timestamp_millis)
}

/// Reads stretches of a topic.
pub struct TopicRange {
    consumer: BaseConsumer,
    topic: Arc<str>,
    /// Partition -> where to stop, for those that are not at their end.
    ends: BTreeMap<i32, i64>,
}

impl TopicRange {
    /// Begins to fetch.
    ///
    /// # Errors
    /// The configuration is refused.
    pub fn open(options: &Options, topic: &str, stretches: &[Stretch]) -> Result<Self, SourceError> {
        let consumer: BaseConsumer =
            probe::client_config(options).create().map_err(SourceError::Configuration)?;
        let mut list = TopicPartitionList::new();
        let mut ends = BTreeMap::new();
        for stretch in stretches.iter().filter(|stretch| stretch.next < stretch.end) {
            list.add_partition_offset(topic, stretch.partition, Offset::Offset(stretch.next))
                .map_err(SourceError::Range)?;
            ends.insert(stretch.partition, stretch.end);
        }
        consumer.assign(&list).map_err(SourceError::Range)?;
        Ok(Self { consumer, topic: Arc::from(topic), ends })
    }

    /// The next records, `most` of them or about so many bytes; none at the end. The records of a
    /// partition come in their order. Blocks.
    ///
    /// # Errors
    /// The client has failed for good, or the broker has sent nothing for a minute.
    pub fn next(
        &mut self,
        most: usize,
        most_bytes: usize,
        clock: &dyn Clock,
    ) -> Result<Vec<Delivery>, SourceError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut heard = Instant::now();
        while !self.ends.is_empty() && batch.len() < most && bytes < most_bytes {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    heard = Instant::now();
                    let (partition, offset) = (message.partition(), message.offset());
                    let Some(end) = self.ends.get(&partition).copied() else { continue };
                    if offset + 1 >= end {
                        self.ends.remove(&partition);
                    }
                    if offset < end {
                        bytes += message.payload_len();
                        batch.push(self.delivery(&message, clock.now()));
                    }
                }
                // What lies between the last record and the end holds none.
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    heard = Instant::now();
                    self.ends.remove(&partition);
                }
                Some(Err(error)) if self.consumer.client().fatal_error().is_some() => {
                    return Err(SourceError::Fatal(error));
                }
                Some(Err(error)) if heard.elapsed() > SILENCE => return Err(SourceError::Range(error)),
                None if heard.elapsed() > SILENCE => {
                    return Err(SourceError::Range(KafkaError::MessageConsumption(
                        RDKafkaErrorCode::OperationTimedOut,
                    )));
                }
                Some(Err(_)) | None => {}
            }
        }
        Ok(batch)
    }

    fn delivery(&self, message: &BorrowedMessage<'_>, received_at: DateTime<Utc>) -> Delivery {
        let position =
            Position { topic: self.topic.clone(), partition: message.partition(), offset: message.offset() };
        Delivery::without_group(Record {
            position,
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().map(<[u8]>::to_vec),
            appended_at: time_of(message),
            received_at,
        })
    }
}
