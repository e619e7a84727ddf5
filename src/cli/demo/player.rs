//! Plays the sample records: at their simulated times, onto the topics of their formats.

use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rdkafka::message::OwnedHeaders;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::watch::Watch;
use super::{Hour, Show, say};
use crate::publish::Publisher;

const POSTS: &str = include_str!("posts.jsonl");
const JETSTREAM: &str = include_str!("jetstream.jsonl");
/// How often the clock moves while no record is due.
const TICK: Duration = Duration::from_millis(20);

/// A sample: an event with the second of the hour at which it happens. Inside the event,
/// `{{created_at}}` stands for that time in RFC 3339 and `"{{time_us}}"` for its microseconds.
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
    /// Reads the samples that the program carries.
    pub(super) fn load() -> anyhow::Result<Self> {
        let mut samples = Vec::new();
        for (topic, lines) in [("posts", POSTS), ("jetstream", JETSTREAM)] {
            for line in lines.lines() {
                let Line { at, event } = serde_json::from_str(line)
                    .with_context(|| format!("The demo's {topic} samples are broken"))?;
                samples.push(Sample { at, topic, event: event.get().to_owned() });
            }
        }
        samples.sort_by(|a, b| a.at.total_cmp(&b.at));
        Ok(Self(samples))
    }

    /// The number of samples.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Plays the hour, moving the clock along.
pub(super) async fn play(show: &Show<'_>, script: &Script, watch: &mut Watch) -> anyhow::Result<()> {
    let publisher = Publisher::new(&show.settings.publish)?;
    let Hour { start, clock, real_seconds } = &show.hour;
    let pace = 3600.0 / f64::from(*real_seconds);
    let began = Instant::now();
    let mut due = script.0.iter().peekable();
    let mut next_line = 600.0;
    loop {
        let second = (began.elapsed().as_secs_f64() * pace).min(3600.0);
        let now = *start + TimeDelta::milliseconds(millis(second));
        clock.set(now);
        while let Some(sample) = due.next_if(|sample| sample.at <= second) {
            let at = *start + TimeDelta::milliseconds(millis(sample.at));
            let payload = filled(&sample.event, at);
            publisher.send(sample.topic, None, Some(payload.as_bytes()), OwnedHeaders::new()).await?;
        }
        watch.new_alerts().iter().for_each(|line| say(line));
        if second >= next_line {
            next_line += 600.0;
            let mentions: i64 = show.store.brand_summary().await?.iter().map(|brand| brand.mentions).sum();
            say(&format!("  {}  {mentions} mentions so far", now.format("%H:%M")));
        }
        if second >= 3600.0 {
            return Ok(());
        }
        tokio::time::sleep(TICK).await;
    }
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
    use super::*;
    use crate::decode::{Decoded, Format, decode};
    use crate::domain::{Position, Record};

    /// What the demo promises on screen: three records that can't be used, everything else can.
    #[test]
    fn the_samples_are_what_they_are_meant_to_be() {
        let script = Script::load().unwrap();
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
        assert_eq!((posts, ignored, rejected), (306, 20, 3));
    }
}
