//! A client that asks the broker and never joins the group.

use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::Options;

/// How long a look for a record may take.
const LOOK: Duration = Duration::from_secs(2);

/// The client's properties. It never subscribes; the group's name is for its committed offsets.
pub(super) fn client_config(options: &Options) -> ClientConfig {
    let mut config = options.client_config();
    config
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("statistics.interval.ms", "0");
    config
}

/// Whether there is no record at that offset and behind it, up to the partition's end. False where
/// that can't be said.
pub(super) fn holds_no_record(client: &BaseConsumer, topic: &str, partition: i32, offset: i64) -> bool {
    let mut list = TopicPartitionList::new();
    let assigned = list.add_partition_offset(topic, partition, Offset::Offset(offset));
    if assigned.and_then(|()| client.assign(&list)).is_err() {
        return false;
    }
    let began = Instant::now();
    let mut nothing = false;
    while began.elapsed() < LOOK {
        match client.poll(Duration::from_millis(200)) {
            Some(Ok(_)) => break,
            Some(Err(KafkaError::PartitionEOF(_))) => {
                nothing = true;
                break;
            }
            Some(Err(_)) | None => {}
        }
    }
    drop(client.unassign());
    nothing
}
