//! The consumer's thread: waits for its topics, consumes, drains, closes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::DateTime;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::TopicPartitionList;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Options;
use super::brokers::is_of_connection;
use super::error::SourceError;
use super::group::{Group, Offsets};
use super::progress::{self, Observation};
use crate::clock::Clock;
use crate::domain::{Delivery, Epoch, Position, Record};
use crate::health::{Health, Part, Stage};
use crate::metrics;

/// How long one poll waits, and so how quickly a stop is noticed.
const POLL: Duration = Duration::from_millis(100);
/// How long one poll waits while records wait for room in the channel.
const POLL_WHILE_FULL: Duration = Duration::from_millis(5);
/// How long the channel must be full before partitions are paused. Pausing discards what librdkafka
/// has fetched ahead, so a short burst should not pause them.
const PAUSE_AFTER: Duration = Duration::from_secs(1);
/// Records taken beyond what there is room for, above which partitions are paused at once.
const WAITING_LIMIT: usize = 64;
/// How long the last partitions may take to be given back when leaving, and the request to leave to
/// be sent.
const LEAVE_LIMIT: Duration = Duration::from_secs(1);
const LEAVE_REQUEST: Duration = Duration::from_millis(300);
/// What a record holds in memory besides its bytes: itself, its post's fields, and its token ids.
const BESIDES: usize = 4096;
/// How often missing topics are looked for, and how often that is logged.
const TOPICS_CHECK_EVERY: Duration = Duration::from_secs(2);

/// A running consumer.
pub struct Source {
    options: Options,
    clock: Arc<dyn Clock>,
    deliveries: Option<mpsc::Receiver<Delivery>>,
    offsets: Offsets,
    stop: CancellationToken,
    leave: CancellationToken,
    thread: JoinHandle<Result<(), SourceError>>,
}

impl Source {
    /// Starts the consumer's thread. It waits for the broker and its topics, logs that, and then
    /// consumes until it is stopped.
    ///
    /// # Errors
    /// The configuration is refused.
    pub fn start(options: &Options, clock: Arc<dyn Clock>, health: Health) -> Result<Self, SourceError> {
        for topic in &options.topics {
            ::metrics::counter!(metrics::RECORDS_RECEIVED, "topic" => topic.clone()).increment(0);
        }
        let group = Group::new(options.drain_timeout, health.clone());
        let mut config = options.client_config();
        if let Some(id) = &options.instance_id {
            config.set("group.instance.id", id);
        }
        let consumer: BaseConsumer<Group> =
            config.create_with_context(group).map_err(SourceError::Configuration)?;
        let consumer = Arc::new(consumer);
        let (sender, deliveries) = mpsc::channel(options.queue.get());
        let stop = CancellationToken::new();
        let leave = CancellationToken::new();
        let worker = Worker {
            consumer: consumer.clone(),
            topics: options.topics.iter().map(|topic| Arc::from(topic.as_str())).collect(),
            produced: options.produced.clone(),
            instance_id: options.instance_id.clone(),
            clock: clock.clone(),
            health,
            stop: stop.clone(),
            leave: leave.clone(),
            waiting: VecDeque::new(),
            full_since: None,
            in_flight_bytes: options.in_flight_bytes.get(),
            paused: false,
        };
        let thread = std::thread::Builder::new()
            .name("kafka-consumer".to_owned())
            .spawn(move || worker.run(sender))
            .map_err(|error| SourceError::Thread(error.to_string()))?;
        Ok(Self {
            options: options.clone(),
            clock,
            deliveries: Some(deliveries),
            offsets: Offsets(consumer),
            stop,
            leave,
            thread,
        })
    }

    /// The records, once. The channel ends when the source is stopped.
    pub fn take_deliveries(&mut self) -> Option<mpsc::Receiver<Delivery>> {
        self.deliveries.take()
    }

    /// The handle that completes offsets.
    pub fn offsets(&self) -> Offsets {
        self.offsets.clone()
    }

    /// Watches how far the assigned partitions are read, with a thread and a client of its own, until
    /// told to stop.
    ///
    /// # Errors
    /// The configuration is refused, or the thread can't be made.
    pub fn watch_progress(
        &self,
        every: Duration,
        stop: CancellationToken,
    ) -> Result<mpsc::Receiver<Observation>, SourceError> {
        let group = self.offsets.0.context().clone();
        progress::watch(&self.options, group, self.clock.clone(), every, stop)
    }

    /// Gives up what is in flight: a rebalance no longer waits for it.
    pub fn abandon(&self) {
        self.offsets.0.context().stop_draining();
    }

    /// Delivers no more records, but stays in the group, so that what is in flight can be settled.
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
    pub fn leave_group(self) -> Result<(), SourceError> {
        self.stop.cancel();
        self.leave.cancel();
        drop(self.deliveries);
        // The thread's handle must be the last one, so that the consumer is closed there.
        drop(self.offsets);
        self.thread.join().unwrap_or_else(|_| Err(SourceError::Thread("it panicked".to_owned())))
    }
}

struct Worker {
    consumer: Arc<BaseConsumer<Group>>,
    topics: Vec<Arc<str>>,
    produced: Vec<String>,
    instance_id: Option<String>,
    clock: Arc<dyn Clock>,
    health: Health,
    stop: CancellationToken,
    leave: CancellationToken,
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
        // What is not settled by now never will be, so leaving must not wait for it again.
        self.consumer.context().stop_draining();
        match self.consumer.commit_consumer_state(CommitMode::Sync) {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => {
                tracing::error!(error = %error, "Offsets can't be committed; records will come again");
            }
        }
        self.give_up_membership();
        // The last handle: dropping it leaves the group.
        drop(self.consumer);
        self.health.rest(Stage::Source);
        tracing::info!("Left the consumer group");
        Ok(())
    }

    /// A member with an instance id stays in the group when its consumer is closed, and nobody gets
    /// its partitions until the session times out. One that ends its subscription leaves at once.
    fn give_up_membership(&self) {
        if self.instance_id.is_none() {
            return;
        }
        self.consumer.unsubscribe();
        let since = Instant::now();
        while self.consumer.context().tracker().assigned().next().is_some() && since.elapsed() < LEAVE_LIMIT {
            self.consumer.poll(POLL);
        }
        // The client sends the request to leave from a thread of its own, after the last revocation.
        let since = Instant::now();
        while since.elapsed() < LEAVE_REQUEST {
            self.consumer.poll(POLL);
        }
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
                Err(error) => {
                    let reason = self.consumer.context().brokers.reason();
                    format!("waiting for the broker: {error} ({reason}); see kafka.brokers")
                }
            };
            self.health.report(Part::Kafka, false, wait.as_str());
            if said != wait {
                tracing::warn!("Kafka is not ready, {wait}");
                said = wait;
            }
            let since = Instant::now();
            while since.elapsed() < TOPICS_CHECK_EVERY && !self.stop.is_cancelled() {
                // Serves librdkafka's log and error callbacks.
                self.consumer.poll(POLL);
                std::thread::sleep(POLL);
            }
        }
        false
    }

    fn missing_topics(&self) -> Result<Vec<String>, KafkaError> {
        let metadata = self.consumer.fetch_metadata(None, TOPICS_CHECK_EVERY)?;
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
                Some(Err(error)) => self.report_error(error)?,
                None => {}
            }
            if !self.deliver(sender) {
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
            appended_at: message.timestamp().to_millis().and_then(DateTime::from_timestamp_millis),
            received_at: self.clock.now(),
        };
        self.waiting.push_back((record, epoch));
        if self.paused {
            // Its partition was assigned after the pause.
            self.set_paused(true);
        }
    }

    /// Delivers what waits, as far as there is room. False when the receiver has gone.
    fn deliver(&mut self, sender: &mpsc::Sender<Delivery>) -> bool {
        while let Some((record, epoch)) = self.waiting.pop_front() {
            let bytes = size_in_flight(&record);
            let permit = match sender.try_reserve() {
                Ok(permit) if self.has_room_for(bytes) => permit,
                Err(mpsc::error::TrySendError::Closed(())) => return false,
                Ok(_) | Err(mpsc::error::TrySendError::Full(())) => {
                    self.waiting.push_front((record, epoch));
                    self.wait_for_room();
                    return true;
                }
            };
            let mut tracker = self.consumer.context().tracker();
            // A record whose partition was revoked while it waited belongs to the next owner.
            let ours =
                epoch.is_some() && tracker.epoch(&record.position.topic, record.position.partition) == epoch;
            if ours && let Some(ack) = tracker.deliver(&record.position, bytes, record.appended_at()) {
                permit.send(Delivery { record: Arc::new(record), ack });
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

    fn wait_for_room(&mut self) {
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

    fn report_error(&self, error: KafkaError) -> Result<(), SourceError> {
        let fatal = self.consumer.client().fatal_error().map(|(code, _)| code);
        if let (Some(RDKafkaErrorCode::FencedInstanceId), Some(id)) = (fatal, &self.instance_id) {
            return Err(SourceError::Fenced(id.clone()));
        }
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
        if is_of_connection(error.rdkafka_error_code()) {
            tracing::debug!(error = %error, "Kafka's consumer reports an error");
            return Ok(());
        }
        tracing::warn!(error = %error, group.joined = self.consumer.context().joined(), "Kafka's consumer reports an error");
        Ok(())
    }

    /// Polls without taking records until the pipeline has settled what is in flight.
    fn drain(&mut self) -> Result<(), SourceError> {
        self.waiting.clear();
        let mut list = TopicPartitionList::new();
        for (topic, partition) in self.consumer.context().tracker().assigned() {
            list.add_partition(topic, *partition);
        }
        if list.count() > 0 {
            self.consumer.pause(&list).map_err(SourceError::Fatal)?;
        }
        while !self.leave.is_cancelled() {
            self.health.beat(Stage::Source);
            // What still comes was fetched before the pause; it has no ack and will be delivered again.
            if let Some(Err(error)) = self.consumer.poll(POLL) {
                self.report_error(error)?;
            }
        }
        Ok(())
    }
}

/// What a record counts for while it is in flight: key and payload, and the payload once more for the
/// post decoded from it, whose texts are never longer than what they were decoded from.
fn size_in_flight(record: &Record) -> usize {
    let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
    length(&record.key) + 2 * length(&record.payload) + BESIDES
}
