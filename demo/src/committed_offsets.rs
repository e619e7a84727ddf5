//! How many of the produced records the daemon has committed, from its group's offsets.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use overheard::config::Settings;
use overheard::domain::ExposeSecret;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::TopicPartitionList;

const POLL_EVERY: Duration = Duration::from_millis(40);

/// Committed records by topic, polled by a thread until this is dropped.
pub(crate) struct CommittedOffsets {
    committed: Arc<Mutex<BTreeMap<String, usize>>>,
    dropped: Arc<AtomicBool>,
}

impl CommittedOffsets {
    /// Starts polling.
    pub(crate) fn poll(settings: &Settings) -> anyhow::Result<Self> {
        let mut config = ClientConfig::new();
        config.set("group.id", &settings.source.group);
        for (key, value) in &settings.source.client {
            config.set(key, value.expose_secret());
        }
        // It asks for the group's offsets and never joins the group.
        let group: BaseConsumer = config.create()?;
        let mut partitions = TopicPartitionList::new();
        for topic in &settings.source.topics {
            partitions.add_partition(topic, 0);
        }
        let this = Self { committed: Arc::default(), dropped: Arc::default() };
        let (committed, dropped) = (this.committed.clone(), this.dropped.clone());
        std::thread::Builder::new().name("demo-offsets".to_owned()).spawn(move || {
            while !dropped.load(Ordering::Relaxed) {
                // Without an answer it asks again; the hour stands still until then.
                if let Ok(offsets) = group.committed_offsets(partitions.clone(), Duration::from_secs(1)) {
                    let counts = offsets.elements().into_iter().map(|element| {
                        let offset =
                            element.offset().to_raw().and_then(|offset| usize::try_from(offset).ok());
                        (element.topic().to_owned(), offset.unwrap_or(0))
                    });
                    *committed.lock().unwrap_or_else(PoisonError::into_inner) = counts.collect();
                }
                std::thread::sleep(POLL_EVERY);
            }
        })?;
        Ok(this)
    }

    /// Committed records of each topic, counted from its first.
    pub(crate) fn by_topic(&self) -> BTreeMap<String, usize> {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Committed records of all topics.
    pub(crate) fn total(&self) -> usize {
        self.by_topic().values().sum()
    }
}

impl Drop for CommittedOffsets {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Relaxed);
    }
}
