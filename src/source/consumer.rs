//! The consumer's thread: waits for its topics, consumes, drains, closes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::TopicPartitionList;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Options;
use super::group::{Group, Offsets};
use crate::clock::Clock;
use crate::domain::{Delivery, Epoch, Position, Record};
use crate::health::{Health, Part, Stage};
use crate::metrics;

/// Why consuming can't begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// librdkafka refuses the configuration.
    #[error("Kafka's client refuses its configuration: {0}; see [kafka] and [kafka.client]")]
    Configuration(KafkaError),
    /// The client can't go on.
    #[error("Kafka's client has failed for good: {0}")]
    Fatal(KafkaError),
    /// No broker answers.
    #[error("no broker of {brokers} answers: {error}")]
    Unreachable {
        /// `kafka.brokers`.
        brokers: String,
        /// What the client says.
        error: KafkaError,
    },
    /// The thread can't be made, or has panicked.
    #[error("The consumer's thread has failed: {0}")]
    Thread(String),
}

/// How long one poll waits. Also how quickly a stop is noticed.
const POLL: Duration = Duration::from_millis(100);
/// How long one poll waits while records wait for room in the channel.
const POLL_WHILE_FULL: Duration = Duration::from_millis(5);
/// A channel that stays full for longer than this pauses the partitions: pausing throws away what
/// librdkafka has fetched ahead, so a short burst shall not pause.
const PAUSE_AFTER: Duration = Duration::from_secs(1);
/// Records taken beyond what there is room for, above which partitions are paused at once.
const WAITING_LIMIT: usize = 64;
/// How often missing topics are looked for, and how often that is said.
const LOOK_FOR_TOPICS: Duration = Duration::from_secs(2);

/// A running consumer.
pub struct Source {
    deliveries: Option<mpsc::Receiver<Delivery>>,
    offsets: Offsets,
    stop: CancellationToken,
    finish: CancellationToken,
    thread: JoinHandle<Result<(), SourceError>>,
}

impl Source {
    /// Starts the consumer's thread. It waits for the broker and for its topics, says so, and
    /// then consumes until it is stopped.
    ///
    /// # Errors
    /// The configuration is refused.
    pub fn start(options: &Options, clock: Arc<dyn Clock>, health: Health) -> Result<Self, SourceError> {
        let group = Group::new(options.drain_timeout, health.clone());
        let consumer: BaseConsumer<Group> =
            options.client_config().create_with_context(group).map_err(SourceError::Configuration)?;
        let consumer = Arc::new(consumer);
        let (sender, deliveries) = mpsc::channel(options.queue.get());
        let stop = CancellationToken::new();
        let finish = CancellationToken::new();
        let worker = Worker {
            consumer: consumer.clone(),
            topics: options.topics.iter().map(|topic| Arc::from(topic.as_str())).collect(),
            produced: options.produced.clone(),
            clock,
            health,
            stop: stop.clone(),
            finish: finish.clone(),
            waiting: VecDeque::new(),
            full_since: None,
            in_flight_bytes: options.in_flight_bytes,
            paused: false,
        };
        let thread = std::thread::Builder::new()
            .name("kafka-consumer".to_owned())
            .spawn(move || worker.run(sender))
            .map_err(|error| SourceError::Thread(error.to_string()))?;
        Ok(Self { deliveries: Some(deliveries), offsets: Offsets(consumer), stop, finish, thread })
    }

    /// The records, once. The channel ends when the source is stopped.
    pub fn take_deliveries(&mut self) -> Option<mpsc::Receiver<Delivery>> {
        self.deliveries.take()
    }

    /// The handle that completes offsets.
    pub fn offsets(&self) -> Offsets {
        self.offsets.clone()
    }

    /// What is in flight will not be settled any more: a rebalance need not wait for it.
    pub fn abandon(&self) {
        self.offsets.0.context().stop_draining();
    }

    /// Hands out no more records; stays in the group, so what is in flight can still be settled.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether the thread has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Commits what is settled, leaves the group, and waits for the thread. Blocks: call it off
    /// the async runtime.
    ///
    /// # Errors
    /// What ended the thread.
    pub fn finish(self) -> Result<(), SourceError> {
        self.stop.cancel();
        self.finish.cancel();
        drop(self.deliveries);
        // The thread's handle must be the last one, so that closing happens there.
        drop(self.offsets);
        self.thread.join().unwrap_or_else(|_| Err(SourceError::Thread("it panicked".to_owned())))
    }
}

struct Worker {
    consumer: Arc<BaseConsumer<Group>>,
    topics: Vec<Arc<str>>,
    produced: Vec<String>,
    clock: Arc<dyn Clock>,
    health: Health,
    stop: CancellationToken,
    finish: CancellationToken,
    /// Records taken from librdkafka that found no room, with the assignment they came through.
    waiting: VecDeque<(Record, Option<Epoch>)>,
    full_since: Option<Instant>,
    in_flight_bytes: usize,
    paused: bool,
}

impl Worker {
    fn run(mut self, sender: mpsc::Sender<Delivery>) -> Result<(), SourceError> {
        self.health.beat(Stage::Source);
        if self.wait_for_topics() {
            let topics: Vec<&str> = self.topics.iter().map(AsRef::as_ref).collect();
            self.consumer.subscribe(&topics).map_err(SourceError::Fatal)?;
            self.health.report(Part::Kafka, false, "joining the consumer group");
            self.consume(&sender)?;
        }
        drop(sender);
        self.drain()?;
        // Whatever is not settled by now never will be: leaving must not wait for it again.
        self.consumer.context().stop_draining();
        match self.consumer.commit_consumer_state(CommitMode::Sync) {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => {
                tracing::error!(error = %error, "Offsets can't be committed; records will come again");
            }
        }
        // The last handle: dropping it leaves the group.
        drop(self.consumer);
        self.health.rest(Stage::Source);
        tracing::info!("Left the consumer group");
        Ok(())
    }

    /// Waits until the broker answers and has all topics. False if stopped meanwhile.
    fn wait_for_topics(&self) -> bool {
        let mut said = String::new();
        while !self.stop.is_cancelled() {
            self.health.beat(Stage::Source);
            let wait = match self.missing_topics() {
                Ok(missing) if missing.is_empty() => return true,
                Ok(missing) => {
                    format!("waiting for the topic {}: create it, or correct [kafka]", missing.join(", "))
                }
                Err(error) => format!("waiting for the broker: {error}; see kafka.brokers"),
            };
            self.health.report(Part::Kafka, false, wait.as_str());
            if said != wait {
                tracing::warn!("Kafka is not ready, {wait}");
                said = wait;
            }
            let since = Instant::now();
            while since.elapsed() < LOOK_FOR_TOPICS && !self.stop.is_cancelled() {
                // Serves librdkafka's log and error callbacks.
                self.consumer.poll(POLL);
                std::thread::sleep(POLL);
            }
        }
        false
    }

    fn missing_topics(&self) -> Result<Vec<String>, KafkaError> {
        let metadata = self.consumer.fetch_metadata(None, LOOK_FOR_TOPICS)?;
        let there = |name: &str| {
            metadata.topics().iter().any(|topic| topic.name() == name && !topic.partitions().is_empty())
        };
        let needed = self.topics.iter().map(AsRef::as_ref).chain(self.produced.iter().map(String::as_str));
        Ok(needed.filter(|name| !there(name)).map(str::to_owned).collect())
    }

    fn consume(&mut self, sender: &mpsc::Sender<Delivery>) -> Result<(), SourceError> {
        while !self.stop.is_cancelled() {
            self.health.beat(Stage::Source);
            let consumer = self.consumer.clone();
            match consumer.poll(if self.waiting.is_empty() { POLL } else { POLL_WHILE_FULL }) {
                Some(Ok(message)) => self.receive(&message),
                Some(Err(error)) => self.complain(error)?,
                None => {}
            }
            if !self.hand_out(sender) {
                break;
            }
        }
        Ok(())
    }

    fn receive(&mut self, message: &BorrowedMessage<'_>) {
        // Shares one allocation per topic among all positions.
        let topic = self.topics.iter().find(|topic| topic.as_ref() == message.topic()).cloned();
        let position = Position {
            topic: topic.unwrap_or_else(|| Arc::from(message.topic())),
            partition: message.partition(),
            offset: message.offset(),
        };
        ::metrics::counter!(metrics::RECORDS_RECEIVED, "topic" => position.topic.clone()).increment(1);
        let epoch = self.consumer.context().tracker().receive(&position);
        let record = Record {
            position,
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().map(<[u8]>::to_vec),
            received_at: self.clock.now(),
        };
        self.waiting.push_back((record, epoch));
        if self.paused {
            // Its partition was assigned after the pause.
            self.set_paused(true);
        }
    }

    /// Hands out what waits, as far as there is room. False when nobody takes records any more.
    fn hand_out(&mut self, sender: &mpsc::Sender<Delivery>) -> bool {
        while let Some((record, epoch)) = self.waiting.pop_front() {
            let bytes = record.payload.as_ref().map_or(0, Vec::len);
            let permit = match sender.try_reserve() {
                Ok(permit) if self.has_room_for(bytes) => permit,
                Err(mpsc::error::TrySendError::Closed(())) => return false,
                Ok(_) | Err(mpsc::error::TrySendError::Full(())) => {
                    self.waiting.push_front((record, epoch));
                    self.hold();
                    return true;
                }
            };
            let mut tracker = self.consumer.context().tracker();
            // A record whose partition was taken away while it waited belongs to the next owner.
            let ours =
                epoch.is_some() && tracker.epoch(&record.position.topic, record.position.partition) == epoch;
            if ours && let Some(ack) = tracker.deliver(&record.position, bytes) {
                permit.send(Delivery { record, ack });
            }
        }
        self.full_since = None;
        if self.paused {
            self.set_paused(false);
        }
        true
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        let in_flight = self.consumer.context().tracker().bytes_in_flight();
        in_flight == 0 || in_flight + bytes <= self.in_flight_bytes
    }

    fn hold(&mut self) {
        let since = *self.full_since.get_or_insert_with(Instant::now);
        if !self.paused && (since.elapsed() > PAUSE_AFTER || self.waiting.len() > WAITING_LIMIT) {
            self.set_paused(true);
        } else if !self.paused {
            // A short wait for room; each turn takes one more record at most.
            std::thread::sleep(POLL_WHILE_FULL);
        }
    }

    fn set_paused(&mut self, pause: bool) {
        let mut list = TopicPartitionList::new();
        for (topic, partition) in self.consumer.context().tracker().assigned() {
            list.add_partition(topic, *partition);
        }
        let result = if pause { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        match result {
            Ok(()) => {
                self.paused = pause;
                ::metrics::gauge!(metrics::CONSUMER_PAUSED).set(if pause { 1.0 } else { 0.0 });
                tracing::debug!(consumer.paused = pause, "Back-pressure");
            }
            Err(error) => tracing::warn!(error = %error, "Partitions can't be paused or resumed"),
        }
    }

    fn complain(&self, error: KafkaError) -> Result<(), SourceError> {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::Fatal) => return Err(SourceError::Fatal(error)),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition) => {
                self.health.report(Part::Kafka, false, format!("a topic has gone: {error}"));
            }
            _ => {}
        }
        if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
            return Err(SourceError::Fatal(error));
        }
        tracing::warn!(error = %error, group.joined = self.consumer.context().joined(), "Kafka's consumer reports an error");
        Ok(())
    }

    /// Goes on polling, without taking records, until the pipeline has settled what is in flight.
    fn drain(&mut self) -> Result<(), SourceError> {
        self.waiting.clear();
        let mut list = TopicPartitionList::new();
        for (topic, partition) in self.consumer.context().tracker().assigned() {
            list.add_partition(topic, *partition);
        }
        if list.count() > 0 {
            self.consumer.pause(&list).map_err(SourceError::Fatal)?;
        }
        while !self.finish.is_cancelled() {
            self.health.beat(Stage::Source);
            // What still comes was fetched before the pause: it has no ack and will come again.
            if let Some(Err(error)) = self.consumer.poll(POLL) {
                self.complain(error)?;
            }
        }
        Ok(())
    }
}
