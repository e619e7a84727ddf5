//! Plays the sample records: at their simulated times, onto the topics of their formats.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::watch::Watch;
use super::{Hour, Show, say};
use crate::health::Stage;
use crate::publish::Publisher;
use crate::store::Store;

const POSTS: &str = include_str!("posts.jsonl");
const JETSTREAM: &str = include_str!("jetstream.jsonl");
/// How often the clock moves while no record is due.
const TICK: Duration = Duration::from_millis(20);
/// How far the clock may be ahead of the oldest record that is not settled, and of the last
/// evaluation of the rules, in simulated seconds.
const AHEAD: f64 = 120.0;
/// After this long without any progress the hour is given up.
const STANDSTILL: Duration = Duration::from_mins(1);

/// A sample: an event with the second of the hour at which it happens. Inside the event,
/// `{{created_at}}` stands for that time in RFC 3339, `"{{time_us}}"` for its microseconds, and
/// `{{pictures}}` for the address of the demo's own pictures.
#[derive(Deserialize)]
struct Line {
    at: f64,
    event: Box<RawValue>,
}

struct Sample {
    at: f64,
    topic: &'static str,
    event: String,
}

/// All samples in order of time.
pub(super) struct Script(Vec<Sample>);

impl Script {
    /// Reads the samples that the program carries. Their pictures are at `pictures`.
    pub(super) fn load(pictures: &str) -> anyhow::Result<Self> {
        let mut samples = Vec::new();
        for (topic, lines) in [("posts", POSTS), ("jetstream", JETSTREAM)] {
            for line in lines.lines() {
                let Line { at, event } = serde_json::from_str(line)
                    .with_context(|| format!("The demo's {topic} samples are broken"))?;
                let event = event.get().replace("{{pictures}}", pictures);
                samples.push(Sample { at, topic, event });
            }
        }
        samples.sort_by(|a, b| a.at.total_cmp(&b.at));
        Ok(Self(samples))
    }

    /// The second of the oldest sample that is not settled, given the settled ones of each topic.
    fn oldest_unsettled(&self, settled: &BTreeMap<String, usize>) -> f64 {
        let mut seen = BTreeMap::new();
        let oldest = self.0.iter().find(|sample| {
            let place = seen.entry(sample.topic).or_insert(0);
            *place += 1;
            *place > settled.get(sample.topic).copied().unwrap_or(0)
        });
        oldest.map_or(f64::INFINITY, |sample| sample.at)
    }

    /// The number of samples.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Plays the hour, moving the clock along. It waits for the daemon where that is slower, so that
/// what alert rules see at a simulated time does not depend on the machine.
pub(super) async fn play(show: &Show<'_>, script: &Script, watch: &mut Watch) -> anyhow::Result<()> {
    let publisher = Publisher::new(&show.settings.publish)?;
    let Hour { start, clock, real_seconds } = &show.hour;
    let pace = 3600.0 / f64::from(*real_seconds);
    let evaluator_limit = Duration::from_secs_f64(AHEAD / pace);
    let mut second = 0.0_f64;
    let mut due = script.0.iter().peekable();
    let mut next_line = 600.0;
    let mut last_tick = Instant::now();
    let mut last_move = Instant::now();
    loop {
        let elapsed = last_tick.elapsed().as_secs_f64();
        last_tick = Instant::now();
        let mut until = script.oldest_unsettled(&watch.settled.by_topic()) + AHEAD;
        if show.health.stalled(evaluator_limit).contains(&Stage::Evaluator) {
            until = second;
        }
        let moved = (second + elapsed * pace).min(until).clamp(second, 3600.0);
        if moved > second {
            last_move = Instant::now();
        } else if last_move.elapsed() > STANDSTILL {
            bail!(
                "The daemon has settled nothing for {STANDSTILL:?}; OVERHEARD__LOG__FILTER=info shows more"
            );
        }
        second = moved;
        let now = *start + TimeDelta::milliseconds(millis(second));
        clock.set(now);
        while let Some(sample) = due.next_if(|sample| sample.at <= second) {
            let at = *start + TimeDelta::milliseconds(millis(sample.at));
            let payload = filled(&sample.event, at);
            publisher.publish(sample.topic, payload.as_bytes()).await?;
        }
        watch.new_alerts().iter().for_each(|line| say(line));
        if second >= next_line && second < 3600.0 {
            next_line += 600.0;
            say(&mentions_line(now, mentions(&show.store).await?));
        }
        if second >= 3600.0 {
            return Ok(());
        }
        tokio::time::sleep(TICK).await;
    }
}

/// All mentions that are stored.
pub(super) async fn mentions(store: &Store) -> anyhow::Result<i64> {
    Ok(store.brand_summary().await?.iter().map(|brand| brand.mentions).sum())
}

/// How many there are at a time.
pub(super) fn mentions_line(now: DateTime<Utc>, mentions: i64) -> String {
    format!("  {}  {mentions:>4} mentions so far", now.format("%H:%M"))
}

#[expect(clippy::cast_possible_truncation, reason = "within an hour")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}

fn filled(event: &str, at: DateTime<Utc>) -> String {
    event
        .replace("\"{{time_us}}\"", &at.timestamp_micros().to_string())
        .replace("{{created_at}}", &at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;
    use crate::decode::{Decoded, Format, decode};
    use crate::domain::{Position, Record};

    /// What the demo promises on screen: three records that can't be used, everything else can.
    #[test]
    fn the_samples_are_what_they_are_meant_to_be() {
        let script = Script::load("http://127.0.0.1:1").unwrap();
        let (mut posts, mut ignored, mut rejected) = (0, 0, 0);
        for sample in &script.0 {
            assert!((0.0..3600.0).contains(&sample.at));
            let format = if sample.topic == "posts" { Format::Post } else { Format::Jetstream };
            let record = Record {
                position: Position { topic: sample.topic.into(), partition: 0, offset: 0 },
                key: None,
                payload: Some(filled(&sample.event, DateTime::UNIX_EPOCH).into_bytes()),
                received_at: DateTime::UNIX_EPOCH,
            };
            match decode(format, &record) {
                Ok(Decoded::Post(_)) => posts += 1,
                Ok(Decoded::Ignored(_)) => ignored += 1,
                Err(_) => rejected += 1,
            }
        }
        assert_eq!((posts, ignored, rejected), (308, 20, 3));
    }

    #[test]
    fn the_clock_waits_for_the_oldest_record_of_any_topic() {
        let sample = |at, topic| Sample { at, topic, event: String::new() };
        let script = Script(vec![sample(1.0, "posts"), sample(2.0, "jetstream"), sample(3.0, "posts")]);
        let oldest = |posts, jetstream| {
            let settled = [("posts".to_owned(), posts), ("jetstream".to_owned(), jetstream)];
            script.oldest_unsettled(&settled.into())
        };
        let is = |found: f64, expected: f64| assert_eq!(found.total_cmp(&expected), Ordering::Equal);
        is(script.oldest_unsettled(&BTreeMap::new()), 1.0);
        is(oldest(2, 0), 2.0);
        is(oldest(1, 1), 3.0);
        is(oldest(2, 1), f64::INFINITY);
    }
}
