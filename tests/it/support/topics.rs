//! Topics of its own for each test, on the broker that `make services-up` starts.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::services::setting;

/// A record as a consumer of a topic sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub key: Option<String>,
    pub payload: Vec<u8>,
    pub headers: Vec<(String, String)>,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.payload).expect("the payload is JSON")
    }
}

/// Topics with names of their own: posts, jetstream, alerts and dead letters, and a group.
pub struct TestTopics {
    pub brokers: String,
    pub prefix: String,
    pub partitions: i32,
}

impl TestTopics {
    pub async fn create(partitions: i32) -> Self {
        let topics = Self::names_only(partitions);
        topics.make(&["posts", "jetstream", "alerts", "dead-letters"]).await;
        topics
    }

    /// Names without topics behind them, for tests of what happens then.
    pub fn names_only(partitions: i32) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("test-{}-{number}", std::process::id());
        Self { brokers: setting("OVERHEARD_TEST_KAFKA"), prefix, partitions }
    }

    pub fn name(&self, topic: &str) -> String {
        format!("{}.{topic}", self.prefix)
    }

    pub fn group(&self) -> String {
        format!("{}.group", self.prefix)
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config
    }

    fn partitions_of(&self, topic: &str) -> i32 {
        if topic.ends_with("posts") { self.partitions } else { 1 }
    }

    pub async fn make(&self, topics: &[&str]) {
        let admin: AdminClient<DefaultClientContext> = self.client().create().unwrap();
        let names: Vec<String> = topics.iter().map(|topic| self.name(topic)).collect();
        let wanted: Vec<NewTopic<'_>> = names
            .iter()
            .map(|name| NewTopic::new(name, self.partitions_of(name), TopicReplication::Fixed(1)))
            .collect();
        for made in admin.create_topics(&wanted, &AdminOptions::new()).await.expect("the test broker answers")
        {
            made.expect("the topic is new");
        }
    }

    /// Deletes a topic, as somebody might while the daemon runs.
    pub async fn delete(&self, topic: &str) {
        let admin: AdminClient<DefaultClientContext> = self.client().create().unwrap();
        let name = self.name(topic);
        for deleted in admin.delete_topics(&[&name], &AdminOptions::new()).await.unwrap() {
            deleted.expect("the topic is there");
        }
    }

    /// Produces records, spread over the partitions in turn.
    pub async fn produce(&self, topic: &str, payloads: &[Vec<u8>]) {
        self.produce_at(topic, payloads, Utc::now()).await;
    }

    /// The same, with a time at which they claim to be appended.
    pub async fn produce_at(&self, topic: &str, payloads: &[Vec<u8>], at: DateTime<Utc>) {
        let producer: FutureProducer = self.client().create().unwrap();
        let name = self.name(topic);
        let partitions = self.partitions_of(topic);
        let sends = payloads.iter().enumerate().map(|(index, payload)| {
            let partition = i32::try_from(index).unwrap() % partitions;
            let record = FutureRecord::<(), [u8]>::to(&name).payload(payload).partition(partition);
            let record = record.timestamp(at.timestamp_millis());
            producer.send_result(record).map_err(|(error, _)| error).expect("the producer's queue has room")
        });
        for sent in sends.collect::<Vec<_>>() {
            sent.await.expect("the producer lives").expect("the broker takes the record");
        }
    }

    /// Reads a topic from its beginning until it has given `count` records and a moment passes
    /// without another, or the limit is over.
    pub fn read(&self, topic: &str, count: usize, limit: Duration) -> Vec<Seen> {
        let mut config = self.client();
        config.set("group.id", format!("{}.reader", self.prefix));
        let consumer: BaseConsumer = config.create().unwrap();
        let mut list = TopicPartitionList::new();
        for partition in 0..self.partitions_of(topic) {
            list.add_partition_offset(&self.name(topic), partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let deadline = Instant::now() + limit;
        let mut seen = Vec::new();
        while Instant::now() < deadline {
            match consumer.poll(Duration::from_millis(500)) {
                Some(message) => seen.push(look(&message.expect("the topic can be read"))),
                None if seen.len() >= count => break,
                None => {}
            }
        }
        seen
    }

    /// The sum of the offsets that the daemon's group has committed in a topic.
    pub fn committed(&self, topic: &str) -> i64 {
        let mut config = self.client();
        config.set("group.id", self.group());
        let consumer: BaseConsumer = config.create().unwrap();
        let mut list = TopicPartitionList::new();
        for partition in 0..self.partitions_of(topic) {
            list.add_partition(&self.name(topic), partition);
        }
        let offsets = consumer.committed_offsets(list, Duration::from_secs(10)).expect("offsets can be read");
        offsets.elements().iter().filter_map(|e| e.offset().to_raw()).filter(|offset| *offset > 0).sum()
    }

    /// Waits until the daemon's group has committed as many records.
    pub async fn until_committed(&self, topic: &str, count: i64) {
        let began = Instant::now();
        loop {
            let committed = self.committed(topic);
            if committed == count {
                return;
            }
            assert!(committed < count, "{committed} committed, only {count} produced");
            assert!(
                began.elapsed() < Duration::from_secs(90),
                "only {committed} of {count} were committed in time"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

fn look(message: &rdkafka::message::BorrowedMessage<'_>) -> Seen {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), text(header.value.unwrap_or_default()))).collect()
    });
    Seen { key: message.key().map(text), payload: message.payload().unwrap_or_default().to_vec(), headers }
}
