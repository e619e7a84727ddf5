//! A brand's counts over time, as rules look at them: backwards from now.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::rule::minutes;
use crate::domain::AlertCounts;

/// Mentions within some minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Those labelled negative.
    pub negative: u64,
    /// Those labelled neutral.
    pub neutral: u64,
    /// Those labelled positive.
    pub positive: u64,
    /// Those that no model scored.
    pub unscored: u64,
    /// Sum of the polarities of those scored.
    pub polarity_sum: f64,
    /// Logos seen in the pictures of these posts.
    pub sightings: u64,
}

impl Counts {
    /// All mentions.
    pub fn mentions(&self) -> u64 {
        self.scored() + self.unscored
    }

    /// Mentions that a model scored.
    pub fn scored(&self) -> u64 {
        self.negative + self.neutral + self.positive
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.negative += other.negative;
        self.neutral += other.neutral;
        self.positive += other.positive;
        self.unscored += other.unscored;
        self.polarity_sum += other.polarity_sum;
        self.sightings += other.sightings;
    }
}

impl From<Counts> for AlertCounts {
    fn from(counts: Counts) -> Self {
        let scored = counts.scored();
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let mean = counts.polarity_sum / scored as f64;
        Self {
            mentions: counts.mentions(),
            negative: counts.negative,
            neutral: counts.neutral,
            positive: counts.positive,
            unscored: counts.unscored,
            // Rounding in the sum must not lead outside the range.
            polarity: (scored > 0).then(|| mean.clamp(-1.0, 1.0)),
            sightings: counts.sightings,
        }
    }
}

/// The minute that a time belongs to.
pub fn minute_of(time: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = time.timestamp().div_euclid(60) * 60;
    DateTime::from_timestamp(seconds, 0).unwrap_or(time)
}

/// One brand's counts, added up in buckets of equal length that end with the current minute.
/// Bucket 0 holds the latest `grain` minutes, bucket 1 those before it, and so on.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    end: DateTime<Utc>,
    grain_minutes: u32,
    buckets: BTreeMap<u32, Counts>,
    first: Option<DateTime<Utc>>,
}

impl Series {
    /// A series without counts that ends with the minute of `now`.
    pub fn new(now: DateTime<Utc>, grain_minutes: u32) -> Self {
        Self {
            end: minute_of(now),
            grain_minutes: grain_minutes.max(1),
            buckets: BTreeMap::new(),
            first: None,
        }
    }

    /// Adds counts to the bucket of that age.
    pub fn add(&mut self, age: u32, counts: Counts) {
        *self.buckets.entry(age).or_default() += counts;
    }

    /// Notes the minute in which the brand was first heard of: when a mention came in, not what it
    /// claimed. Windows before it don't exist; later ones without counts are silence.
    pub fn begin(&mut self, first: DateTime<Utc>) {
        self.first = Some(self.first.map_or(first, |known| known.min(first)));
    }

    /// Adds the counts of one minute, and begins with it if none was earlier. Minutes that are yet
    /// to come don't count.
    pub fn add_minute(&mut self, minute: DateTime<Utc>, counts: Counts) {
        let ago = (self.end - minute_of(minute)).num_minutes();
        let Ok(ago) = u32::try_from(ago) else { return };
        self.begin(minute_of(minute));
        self.add(ago / self.grain_minutes, counts);
    }

    /// The sum over the window of that length that ended `index` windows ago.
    pub(super) fn window(&self, length: Duration, index: u32) -> Counts {
        let size = (minutes(length) / self.grain_minutes).max(1);
        let from = index.saturating_mul(size);
        let mut sum = Counts::default();
        for counts in self.buckets.range(from..from.saturating_add(size)).map(|(_, counts)| *counts) {
            sum += counts;
        }
        sum
    }

    /// How many windows of that length lie before the current one, within `baseline` and not
    /// before the brand was first heard of.
    pub(super) fn earlier_windows(&self, length: Duration, baseline: Duration) -> u32 {
        let Some(first) = self.first else { return 0 };
        // The end of a minute is exclusive: the current one ends a minute after it began.
        let age = self.end + TimeDelta::minutes(1) - first;
        let windows = age.num_minutes() / i64::from(minutes(length)) - 1;
        u32::try_from(windows).unwrap_or(0).min(minutes(baseline) / minutes(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn neutral(neutral: u64) -> Counts {
        Counts { neutral, ..Counts::default() }
    }

    #[test]
    fn a_window_holds_whole_minutes_and_the_current_one() {
        let mut series = Series::new(at("2026-03-01T12:10:59Z"), 1);
        for (minute, count) in [("12:10", 1), ("12:06", 10), ("12:05", 100), ("12:01", 1000), ("12:11", 5000)]
        {
            series.add_minute(at(&format!("2026-03-01T{minute}:30Z")), neutral(count));
        }
        let five = Duration::from_mins(5);
        assert_eq!(series.window(five, 0).mentions(), 11);
        assert_eq!(series.window(five, 1).mentions(), 1100);
        assert_eq!(series.window(five, 2).mentions(), 0);
    }

    #[test]
    fn windows_before_the_brand_was_heard_of_do_not_exist() {
        let day = Duration::from_hours(24);
        let five = Duration::from_mins(5);
        let mut series = Series::new(at("2026-03-01T12:14:00Z"), 5);
        assert_eq!(series.earlier_windows(five, day), 0);
        series.begin(at("2026-03-01T12:01:00Z"));
        assert_eq!(series.earlier_windows(five, day), 1);
        series.begin(at("2026-03-01T12:00:00Z"));
        assert_eq!(series.earlier_windows(five, day), 2);
        series.begin(at("2026-02-01T12:00:00Z"));
        assert_eq!(series.earlier_windows(five, day), 288);
    }
}
