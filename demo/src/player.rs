//! Plays the sample records: at their simulated times, onto the topics of their formats.

use std::time::{Duration, Instant};

use anyhow::bail;
use chrono::{DateTime, Utc};
use overheard::clock::{Clock, ManualClock};
use overheard::config::Settings;
use overheard::health::{Health, Stage};
use overheard::publish::Publisher;
use overheard::store::Store;

use crate::console::say;
use crate::output_topics::OutputTopics;
use crate::report;
use crate::samples::{Samples, milliseconds};

/// How often the clock moves while no record is due.
const TICK: Duration = Duration::from_millis(20);
/// How far the clock may be ahead of the oldest record that is not committed, and of the last
/// evaluation of the rules, in simulated seconds.
const AHEAD: f64 = 120.0;
/// After this long without any progress the hour is given up.
const STANDSTILL: Duration = Duration::from_mins(1);
/// How long the last pictures may take after the hour.
const PICTURES_LIMIT: Duration = Duration::from_secs(30);

/// Feeds a running daemon and shows what it makes of it.
pub(crate) struct Player<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) store: Store,
    pub(crate) health: Health,
    /// When the simulated hour starts.
    pub(crate) start: DateTime<Utc>,
    /// The daemon's clock, moved from here.
    pub(crate) clock: ManualClock,
    /// How long the hour takes.
    pub(crate) real_seconds: u32,
}

impl Player<'_> {
    /// Plays the hour and prints what came of it. Returns whether everything did.
    pub(crate) async fn play(&self, samples: &Samples, output: &mut OutputTopics) -> anyhow::Result<bool> {
        say("");
        say(&format!(
            "Playing {} sample records, one simulated hour from {} in {} s:",
            samples.len(),
            self.start.format("%H:%M"),
            self.real_seconds
        ));
        self.produce(samples, output).await?;
        let mut missing = output.until_complete(samples.len()).await;
        missing.extend(self.pictures_left().await?);
        say(&report::mentions_line(self.clock.now(), self.mentions().await?));
        report::print(&self.store, &samples.changes(), output, self.settings).await?;
        report::print_missing(&missing);
        Ok(missing.is_empty())
    }

    /// Produces each record when it is due, moving the clock along. It waits for the daemon where
    /// that is slower, so that what alert rules see at a simulated time does not depend on the
    /// machine.
    async fn produce(&self, samples: &Samples, output: &mut OutputTopics) -> anyhow::Result<()> {
        let publisher = Publisher::new(&self.settings.publish)?;
        let speed = 3600.0 / f64::from(self.real_seconds);
        let evaluator_limit = Duration::from_secs_f64(AHEAD / speed);
        let mut second = 0.0_f64;
        let mut due = samples.iter().peekable();
        let mut next_line = 600.0;
        let mut last_tick = Instant::now();
        let mut last_move = Instant::now();
        loop {
            let elapsed = last_tick.elapsed().as_secs_f64();
            last_tick = Instant::now();
            let mut until = samples.oldest_uncommitted(&output.committed.by_topic()) + AHEAD;
            if self.health.stalled(evaluator_limit).contains(&Stage::Evaluator) {
                until = second;
            }
            let moved = (second + elapsed * speed).min(until).clamp(second, 3600.0);
            if moved > second {
                last_move = Instant::now();
            } else if last_move.elapsed() > STANDSTILL {
                bail!(
                    "The daemon has committed nothing for {STANDSTILL:?}; OVERHEARD__LOG__FILTER=info shows more"
                );
            }
            second = moved;
            let now = self.start + milliseconds(second);
            self.clock.set(now);
            while let Some(sample) = due.next_if(|sample| sample.at <= second) {
                publisher.publish(sample.topic, sample.payload(self.start).as_bytes()).await?;
            }
            output.new_alerts().iter().for_each(|line| say(line));
            if second >= next_line && second < 3600.0 {
                next_line += 600.0;
                say(&report::mentions_line(now, self.mentions().await?));
            }
            if second >= 3600.0 {
                return Ok(());
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Waits until the queue of pictures is empty, but not for long; what is left then, in words.
    async fn pictures_left(&self) -> anyhow::Result<Option<String>> {
        let began = Instant::now();
        loop {
            let left = self.store.backlog().await?.pictures;
            if left == 0 {
                return Ok(None);
            }
            if began.elapsed() > PICTURES_LIMIT {
                return Ok(Some(format!("{left} pictures were not looked at")));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// After the hour, real time: shows what the daemon makes of a user's own posts, for as long as
    /// nobody interrupts.
    pub(crate) async fn follow(&self, output: &mut OutputTopics) -> anyhow::Result<()> {
        let mut shown = self.mentions().await?;
        loop {
            self.clock.set(Utc::now());
            output.new_alerts().iter().for_each(|line| say(line));
            let mentions = self.mentions().await?;
            if mentions != shown {
                shown = mentions;
                say(&report::mentions_line(Utc::now(), mentions));
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// All mentions that are stored.
    async fn mentions(&self) -> anyhow::Result<i64> {
        Ok(self.store.brand_summary().await?.iter().map(|brand| brand.counts.mentions()).sum())
    }
}
