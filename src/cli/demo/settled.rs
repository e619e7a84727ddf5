//! How much of what was played the daemon has settled, as its group's committed offsets tell.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::config::Settings;

const LOOK_AGAIN: Duration = Duration::from_millis(40);

/// Committed records, looked after by a thread until this is dropped.
pub(super) struct Settled {
    committed: Arc<Mutex<BTreeMap<String, usize>>>,
    dropped: Arc<AtomicBool>,
}

impl Settled {
    /// Starts looking.
    pub(super) fn watch(settings: &Settings) -> anyhow::Result<Self> {
        let mut config = ClientConfig::new();
        config.set("group.id", &settings.source.group);
        for (key, value) in &settings.source.client {
            config.set(key, value.expose());
        }
        // It asks about the group and never joins it.
        let group: BaseConsumer = config.create()?;
        let mut partitions = TopicPartitionList::new();
        for topic in &settings.source.topics {
            partitions.add_partition(topic, 0);
        }
        let this = Self { committed: Arc::default(), dropped: Arc::default() };
        let (committed, dropped) = (this.committed.clone(), this.dropped.clone());
        std::thread::Builder::new().name("demo-settled".to_owned()).spawn(move || {
            while !dropped.load(Ordering::Relaxed) {
                // An answer that does not come is asked for again: the hour stands still until then.
                if let Ok(offsets) = group.committed_offsets(partitions.clone(), Duration::from_secs(1)) {
                    let counts = offsets.elements().into_iter().map(|element| {
                        let offset =
                            element.offset().to_raw().and_then(|offset| usize::try_from(offset).ok());
                        (element.topic().to_owned(), offset.unwrap_or(0))
                    });
                    *committed.lock().unwrap_or_else(PoisonError::into_inner) = counts.collect();
                }
                std::thread::sleep(LOOK_AGAIN);
            }
        })?;
        Ok(this)
    }

    /// Settled records of each topic, counted from its first.
    pub(super) fn by_topic(&self) -> BTreeMap<String, usize> {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Settled records of all topics.
    pub(super) fn total(&self) -> usize {
        self.by_topic().values().sum()
    }
}

impl Drop for Settled {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Relaxed);
    }
}
