//! A brand's counts over time, as rules look at them: by whole minutes, up to the end of a window.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::minute::{minute_number, time_of};
use super::past::Past;
use super::rule::minutes;
use crate::domain::Counts;

/// One brand's counts: the recent ones by minute, and its past, which is what is normal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    minutes: BTreeMap<i64, Counts>,
    since: Option<i64>,
    past: Arc<Past>,
    of_source: BTreeMap<String, Series>,
    /// The last minute before these in which a logo was seen.
    seen_before: Option<i64>,
}

impl Series {
    /// A series with that past and no recent counts.
    pub fn new(past: Arc<Past>) -> Self {
        Self { past, ..Self::default() }
    }

    /// Adds counts of the minute that the time belongs to.
    pub fn add(&mut self, minute: DateTime<Utc>, counts: Counts) {
        *self.minutes.entry(minute_number(minute)).or_default() += counts;
    }

    /// Sets since when the brand is known: when its first mention was received, whatever time that
    /// claims. Earlier windows don't exist; later ones without counts count as zero.
    pub fn begin(&mut self, since: DateTime<Utc>) {
        self.since = Some(minute_number(since));
    }

    /// Whether there are logos among the recent counts.
    pub fn has_sightings(&self) -> bool {
        self.minutes.values().any(|counts| counts.sightings > 0)
    }

    /// Sets the counts of one network by themselves.
    pub fn set_source(&mut self, source: &str, series: Series) {
        self.of_source.insert(source.to_owned(), series);
    }

    /// Sets when a logo was last seen before the counts begin.
    pub fn saw(&mut self, minute: DateTime<Utc>) {
        self.seen_before = Some(minute_number(minute));
    }

    /// The counts of that network, or of all together; none where the network is not known.
    pub(super) fn of_source(&self, source: Option<&str>) -> Option<&Self> {
        source.map_or(Some(self), |source| self.of_source.get(source))
    }

    /// Since when no logo was seen before that time, as far as the brand is known; none where it is
    /// not.
    pub(super) fn no_sighting_since(&self, before: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let before = minute_number(before);
        let seen = self.minutes.range(..before).rev().find(|(_, counts)| counts.sightings > 0);
        let last = seen.map(|(minute, _)| *minute).max(self.seen_before.filter(|minute| *minute < before));
        Some(time_of(self.since?.max(last.map_or(i64::MIN, |minute| minute + 1))))
    }

    /// The counts of the window of that length that ends with `end`, a full minute, exclusively.
    pub(super) fn window(&self, length: Duration, end: DateTime<Utc>) -> Counts {
        let end = minute_number(end);
        let mut sum = Counts::default();
        for counts in self.minutes.range(end - i64::from(minutes(length))..end).map(|(_, counts)| *counts) {
            sum += counts;
        }
        sum
    }

    /// Mentions in each earlier window within `baseline`, the latest first.
    pub(super) fn earlier(&self, length: Duration, end: DateTime<Utc>, baseline: Duration) -> Vec<f64> {
        self.since.map_or_else(Vec::new, |since| self.past.earlier(length, end, baseline, since))
    }

    /// Mentions in the windows around the same time of earlier days, and on how many days they are.
    pub(super) fn same_hour(&self, length: Duration, end: DateTime<Utc>) -> (Vec<f64>, usize) {
        self.since.map_or_else(Default::default, |since| self.past.same_hour(length, end, since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_holds_whole_minutes_and_not_the_one_that_begins_at_its_end() {
        let mut series = Series::default();
        for (minute, neutral) in
            [("12:10", 5000), ("12:09", 1), ("12:05", 10), ("12:04", 100), ("12:01", 1000)]
        {
            let counts = Counts { neutral, ..Counts::default() };
            series.add(at(&format!("2026-03-01T{minute}:30Z")), counts);
        }
        let five = Duration::from_mins(5);
        assert_eq!(series.window(five, at("2026-03-01T12:10:00Z")).mentions(), 11);
        assert_eq!(series.window(five, at("2026-03-01T12:05:00Z")).mentions(), 1100);
        assert_eq!(series.window(five, at("2026-03-01T12:00:00Z")).mentions(), 0);
    }
}
