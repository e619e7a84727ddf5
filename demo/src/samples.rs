//! The sample records: events of one hour, with the second at which each of them happens.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use overheard::decode::{Contents, Decoded, Format, decode};
use overheard::domain::{Position, Record, Rejection, Removed};
use serde::Deserialize;
use serde_json::value::RawValue;

const POSTS: &str = include_str!("../data/posts.jsonl");
const JETSTREAM: &str = include_str!("../data/jetstream.jsonl");

/// A line of a sample file. Inside the event, `{{created_at}}` stands for the time at which it
/// happens in RFC 3339, `"{{time_us}}"` for its microseconds, and `{{pictures}}` for the address of
/// the demo's picture server.
#[derive(Deserialize)]
struct Line {
    at: f64,
    event: Box<RawValue>,
}

/// One record.
pub(crate) struct Sample {
    /// Seconds from the start of the hour.
    pub(crate) at: f64,
    /// The topic it goes to.
    pub(crate) topic: &'static str,
    event: String,
}

impl Sample {
    /// The time at which it happens, in an hour that starts then.
    fn time(&self, start: DateTime<Utc>) -> DateTime<Utc> {
        start + milliseconds(self.at)
    }

    /// What the daemon decodes it to, in an hour that starts then.
    fn decoded(&self, start: DateTime<Utc>) -> Result<Decoded, Rejection> {
        let format = if self.topic == "posts" { Format::Post } else { Format::Jetstream };
        let record = Record {
            position: Position { topic: self.topic.into(), partition: 0, offset: 0 },
            key: None,
            payload: Some(self.payload(start).into_bytes()),
            appended_at: None,
            received_at: self.time(start),
        };
        let Contents { mut items, rejection, .. } = decode(&format.into(), &record);
        rejection.map_or_else(|| Ok(items.remove(0)), Err)
    }

    /// The record's payload, in an hour that starts then.
    pub(crate) fn payload(&self, start: DateTime<Utc>) -> String {
        let time = self.time(start);
        self.event
            .replace("\"{{time_us}}\"", &time.timestamp_micros().to_string())
            .replace("{{created_at}}", &time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// A post that its author took back or wrote anew during the hour.
pub(crate) struct Change {
    /// Its network.
    pub(crate) source: String,
    /// Its identifier there.
    pub(crate) id: String,
    /// What it said.
    pub(crate) before: String,
    /// What it says now, unless it was deleted.
    pub(crate) after: Option<String>,
}

/// All samples in order of time.
pub(crate) struct Samples(Vec<Sample>);

impl Samples {
    /// Reads the samples that the program carries. Their pictures are served at `pictures`.
    pub(crate) fn load(pictures: &str) -> anyhow::Result<Self> {
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

    /// Oldest first.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Sample> {
        self.0.iter()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The posts that are edited or deleted, in the order in which that happens.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let mut texts = BTreeMap::new();
        let mut changes = Vec::new();
        for decoded in self.iter().filter_map(|sample| sample.decoded(DateTime::UNIX_EPOCH).ok()) {
            let (key, after) = match decoded {
                Decoded::Post(post) if post.is_edit => ((post.key.source, post.key.id), Some(post.text)),
                Decoded::Post(post) => {
                    texts.insert((post.key.source, post.key.id), post.text);
                    continue;
                }
                Decoded::Removal(removal) => match removal.of {
                    Removed::Post(id) => ((removal.source, id), None),
                    Removed::Account(_) => continue,
                },
                Decoded::Ignored(_) => continue,
            };
            if let Some(before) = texts.get(&key).cloned() {
                changes.push(Change { source: key.0, id: key.1, before, after });
            }
        }
        changes
    }

    /// The second of the oldest sample that is not committed, given how many of each topic are.
    pub(crate) fn oldest_uncommitted(&self, committed: &BTreeMap<String, usize>) -> f64 {
        let mut seen = BTreeMap::new();
        let oldest = self.0.iter().find(|sample| {
            let count = seen.entry(sample.topic).or_insert(0);
            *count += 1;
            *count > committed.get(sample.topic).copied().unwrap_or(0)
        });
        oldest.map_or(f64::INFINITY, |sample| sample.at)
    }
}

/// Seconds of the hour as a duration, to the millisecond.
#[expect(clippy::cast_possible_truncation, reason = "within an hour")]
pub(crate) fn milliseconds(seconds: f64) -> TimeDelta {
    TimeDelta::milliseconds((seconds * 1000.0) as i64)
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    /// What the demo promises on screen: three records that can't be used, everything else can.
    #[test]
    fn the_samples_are_what_they_are_meant_to_be() {
        let samples = Samples::load("http://127.0.0.1:1").unwrap();
        let (mut posts, mut ignored, mut rejected) = (0, 0, 0);
        for sample in samples.iter() {
            assert!((0.0..3600.0).contains(&sample.at));
            match sample.decoded(DateTime::UNIX_EPOCH) {
                Ok(Decoded::Post(_)) => posts += 1,
                Ok(Decoded::Ignored(_) | Decoded::Removal(_)) => ignored += 1,
                Err(_) => rejected += 1,
            }
        }
        assert_eq!((posts, ignored, rejected), (309, 20, 3));
        let deleted = samples.changes().iter().map(|change| change.after.is_none()).collect::<Vec<_>>();
        assert_eq!(deleted, [true, false, true]);
    }

    #[test]
    fn the_clock_waits_for_the_oldest_record_of_any_topic() {
        let sample = |at, topic| Sample { at, topic, event: String::new() };
        let samples = Samples(vec![sample(1.0, "posts"), sample(2.0, "jetstream"), sample(3.0, "posts")]);
        let oldest = |posts, jetstream| {
            let committed = [("posts".to_owned(), posts), ("jetstream".to_owned(), jetstream)];
            samples.oldest_uncommitted(&committed.into())
        };
        let is = |found: f64, expected: f64| assert_eq!(found.total_cmp(&expected), Ordering::Equal);
        is(samples.oldest_uncommitted(&BTreeMap::new()), 1.0);
        is(oldest(2, 0), 2.0);
        is(oldest(1, 1), 3.0);
        is(oldest(2, 1), f64::INFINITY);
    }
}
