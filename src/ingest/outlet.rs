//! The way out of every feed: records into the topic, and cursors behind them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::IngestError;
use crate::publish::{Acknowledgement, Cursors, Options, PublishError, TopicWriter};

/// Most records, and most bytes in them, that wait to be acknowledged.
const MOST_PENDING: usize = 20_000;
const MOST_BYTES: usize = 64 << 20;
/// How often cursors are saved while a feed is read.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// How often it is told how a feed goes.
const TELL_EVERY: Duration = Duration::from_mins(1);
/// How long acknowledgements are waited for before it is said, and at the end.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause before Kafka is asked again for what it does not have yet.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Writes a feed's records and saves how far it was read.
pub struct Outlet {
    writer: TopicWriter,
    cursors: Cursors,
    /// Those of earlier processes.
    known: BTreeMap<String, String>,
    pending: VecDeque<Pending>,
    pending_bytes: usize,
    /// Cursors that may be saved.
    due: BTreeMap<Arc<str>, String>,
    saving: Vec<Acknowledgement>,
    saved: Instant,
    stop: CancellationToken,
    told: Instant,
    since_told: u64,
    latest: Option<DateTime<Utc>>,
    /// Records written.
    pub written: u64,
    left_out: u64,
}

enum Pending {
    Record(Acknowledgement, usize),
    /// What may be saved once all before it is acknowledged.
    Cursor(Arc<str>, String),
}

impl Outlet {
    /// Waits for the topic and reads the cursors that were saved. Nothing where it shall stop before.
    ///
    /// # Errors
    /// The configuration is refused, or cursors can't be kept in Kafka.
    pub async fn open(
        options: &Options,
        group: &str,
        topic: &str,
        stop: CancellationToken,
    ) -> Result<Option<Self>, IngestError> {
        let writer = TopicWriter::new(options, topic)?;
        let mut told = String::new();
        let (cursors, known) = loop {
            let why = match writer.exists().await {
                Ok(false) => format!("The topic {topic} does not exist; create it"),
                Err(error) => error.to_string(),
                Ok(true) => match Cursors::open(options, group, &writer).await {
                    Ok(opened) => break opened,
                    Err(error) if error.is_transient() => error.to_string(),
                    Err(error) => return Err(error.into()),
                },
            };
            if why != told {
                tracing::warn!("Waiting for Kafka: {why}");
                told = why;
            }
            tokio::select! {
                () = tokio::time::sleep(ASK_AGAIN) => {}
                () = stop.cancelled() => return Ok(None),
            }
        };
        let now = Instant::now();
        Ok(Some(Self {
            writer,
            cursors,
            known,
            pending: VecDeque::new(),
            pending_bytes: 0,
            due: BTreeMap::new(),
            saving: Vec::new(),
            saved: now,
            stop,
            told: now,
            since_told: 0,
            latest: None,
            written: 0,
            left_out: 0,
        }))
    }

    /// The cursor that was saved under that key before this process began.
    pub fn cursor(&self, key: &str) -> Option<&str> {
        self.known.get(key).map(String::as_str)
    }

    /// Resolves when the process shall stop.
    pub(super) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Hands a record in. Waits while too many are under way.
    ///
    /// # Errors
    /// Kafka takes nothing any more.
    pub(super) async fn write(&mut self, key: Option<&str>, payload: &[u8]) -> Result<(), IngestError> {
        match self.writer.send(key.map(str::as_bytes), payload).await {
            Ok(sent) => {
                self.pending.push_back(Pending::Record(sent, payload.len()));
                self.pending_bytes += payload.len();
            }
            Err(error) => self.refused(error)?,
        }
        let stop = self.stop.clone();
        while self.pending.len() > MOST_PENDING || self.pending_bytes > MOST_BYTES {
            tokio::select! {
                settled = self.settle_oldest() => settled?,
                // Kafka may be away; `finish` waits as long as makes sense.
                () = stop.cancelled() => break,
            }
        }
        self.tick().await
    }

    /// The feed was read so far. Saved, within about a second, once all that was written before is
    /// acknowledged.
    pub(super) fn mark(&mut self, key: &Arc<str>, cursor: String) {
        match self.pending.back_mut() {
            None => drop(self.due.insert(key.clone(), cursor)),
            Some(Pending::Cursor(of, last)) if of == key => *last = cursor,
            Some(_) => self.pending.push_back(Pending::Cursor(key.clone(), cursor)),
        }
    }

    /// When the last event happened that was taken, to tell how far behind the feed is.
    pub(super) fn note_time(&mut self, at: DateTime<Utc>) {
        self.latest = Some(self.latest.map_or(at, |latest| latest.max(at)));
    }

    /// Something came that is not written.
    pub(super) fn leave_out(&mut self, why: &str) {
        self.left_out += 1;
        if self.left_out.is_power_of_two() {
            tracing::warn!(records.left_out = self.left_out, "Left out: {why}");
        }
    }

    /// Looks after acknowledgements and cursors, and tells how it goes. To be called about every second.
    ///
    /// # Errors
    /// Kafka takes nothing any more.
    pub(super) async fn tick(&mut self) -> Result<(), IngestError> {
        while let Some(first) = self.pending.front_mut() {
            let result = match first {
                Pending::Record(sent, _) => match sent.now_or_never() {
                    Some(result) => result,
                    None => break,
                },
                Pending::Cursor(..) => Ok(()),
            };
            self.settle(result)?;
        }
        if self.saved.elapsed() >= SAVE_EVERY {
            self.save().await?;
        }
        if self.told.elapsed() >= TELL_EVERY {
            self.tell();
        }
        Ok(())
    }

    /// Rests for so long, looking after everything meanwhile. Whether it is to go on afterwards.
    ///
    /// # Errors
    /// Kafka takes nothing any more.
    pub(super) async fn rest(&mut self, pause: Duration) -> Result<bool, IngestError> {
        let end = tokio::time::Instant::now() + pause;
        loop {
            self.tick().await?;
            let next = end.min(tokio::time::Instant::now() + SAVE_EVERY);
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = self.stop.cancelled() => return Ok(false),
            }
            if next == end {
                return Ok(true);
            }
        }
    }

    /// Waits until all is acknowledged, and saves the cursors.
    ///
    /// # Errors
    /// Kafka did not take everything in time; the cursors of what it did take are saved.
    pub async fn finish(&mut self) -> Result<(), IngestError> {
        let all = async {
            while !self.pending.is_empty() {
                self.settle_oldest().await?;
            }
            self.save().await?;
            for saved in std::mem::take(&mut self.saving) {
                saved.await?;
            }
            Ok::<(), IngestError>(())
        };
        let result = tokio::time::timeout(PATIENCE, all).await;
        self.tell();
        result.unwrap_or_else(|_| Err(IngestError::Unacknowledged(self.records_pending().max(1))))
    }

    async fn settle_oldest(&mut self) -> Result<(), IngestError> {
        let result = match self.pending.front_mut() {
            Some(Pending::Record(sent, _)) => loop {
                if let Ok(result) = tokio::time::timeout(PATIENCE, &mut *sent).await {
                    break result;
                }
                tracing::warn!(
                    topic = self.writer.topic(),
                    "Waiting for Kafka: it acknowledges nothing, so the feed is not read"
                );
            },
            Some(Pending::Cursor(..)) | None => Ok(()),
        };
        self.settle(result)
    }

    /// The oldest is acknowledged, or never will be.
    fn settle(&mut self, result: Result<(), PublishError>) -> Result<(), IngestError> {
        match self.pending.pop_front() {
            Some(Pending::Record(_, bytes)) => {
                self.pending_bytes -= bytes;
                match result {
                    Ok(()) => {
                        self.written += 1;
                        self.since_told += 1;
                    }
                    Err(error) => self.refused(error)?,
                }
            }
            Some(Pending::Cursor(key, cursor)) => drop(self.due.insert(key, cursor)),
            None => {}
        }
        Ok(())
    }

    /// A record that is too large is left out; anything else would happen to the next one as well.
    fn refused(&mut self, error: PublishError) -> Result<(), IngestError> {
        if error.is_too_large() {
            self.leave_out(&format!("{error}; raise the topic's max.message.bytes"));
            return Ok(());
        }
        Err(error.into())
    }

    async fn save(&mut self) -> Result<(), IngestError> {
        self.saved = Instant::now();
        let (mut waiting, mut failed) = (Vec::new(), None);
        for mut saved in std::mem::take(&mut self.saving) {
            match (&mut saved).now_or_never() {
                Some(Ok(())) => {}
                Some(Err(error)) => failed = Some(error),
                None => waiting.push(saved),
            }
        }
        self.saving = waiting;
        if let Some(error) = failed {
            return Err(error.into());
        }
        for (key, cursor) in std::mem::take(&mut self.due) {
            self.saving.push(self.cursors.save(&key, &cursor).await?);
            self.known.insert(key.to_string(), cursor);
        }
        Ok(())
    }

    fn records_pending(&self) -> usize {
        self.pending.iter().filter(|pending| matches!(pending, Pending::Record(..))).count()
    }

    fn tell(&mut self) {
        let seconds = self.told.elapsed().as_secs_f64();
        self.told = Instant::now();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = (std::mem::take(&mut self.since_told) as f64 / seconds * 10.0).round() / 10.0;
        let lag = self.latest.map(|latest| (Utc::now() - latest).num_seconds().max(0));
        tracing::info!(
            records.written = self.written,
            records.per_second = rate,
            records.waiting = self.records_pending(),
            records.left_out = self.left_out,
            lag.seconds = lag,
            "The feed is written to {}",
            self.writer.topic()
        );
    }
}
