//! A brand's past: what its normal is taken from.
//!
//! Two pasts are compared with: the windows before (the last day, say), and the windows around the
//! same time of earlier days and weeks. Without the second a burst at three in the morning would
//! hide under what is usual at noon.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::minute::{minute_number, time_of};
use super::rule::{PastNeeds, minutes};

/// Days back from which the same time is looked at: a week, and three weeks before it.
const DAYS_BACK: [i64; 10] = [1, 2, 3, 4, 5, 6, 7, 14, 21, 28];
/// Windows longer than this hold too much of a day to have a time of day.
const LONGEST_OF_AN_HOUR: i64 = 6 * 60;
const DAY: i64 = 24 * 60;
/// Around the same time: so many minutes, in as many windows as they hold.
const AROUND: i64 = 60;

/// Mentions by grain: the sum over as many minutes, counted from 1970 on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    grain: i64,
    /// Grains from this one on are not complete.
    until: i64,
    grains: BTreeMap<i64, i64>,
}

impl Past {
    /// A past that is complete up to that time.
    pub fn new(grain_minutes: u32, until: DateTime<Utc>) -> Self {
        let grain = i64::from(grain_minutes.max(1));
        Self { grain, until: minute_number(until).div_euclid(grain), grains: BTreeMap::new() }
    }

    /// Adds mentions to the grain that the time belongs to. Later ones than the past's end are left
    /// out.
    pub fn add(&mut self, time: DateTime<Utc>, mentions: i64) {
        let grain = minute_number(time).div_euclid(self.grain.max(1));
        if grain < self.until {
            *self.grains.entry(grain).or_default() += mentions;
        }
    }

    fn sum(&self, from: i64, to: i64) -> f64 {
        let sum: i64 = self.grains.range(from..to).map(|(_, mentions)| mentions).sum();
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let sum = sum as f64;
        sum
    }

    /// Mentions in each window of that length before the one that ends with `end`, within `baseline`
    /// and not before `since`, the latest first.
    pub(super) fn earlier(
        &self,
        length: Duration,
        end: DateTime<Utc>,
        baseline: Duration,
        since: i64,
    ) -> Vec<f64> {
        let Some((size, grain)) = self.grains_in(length) else { return Vec::new() };
        let length = i64::from(minutes(length));
        let last = (minute_number(end) - length).div_euclid(grain).min(self.until);
        let exist = (last * grain - since).div_euclid(length);
        let windows = exist.min(i64::from(minutes(baseline)) / length);
        (0..windows).map(|back| self.sum(last - (back + 1) * size, last - back * size)).collect()
    }

    /// Mentions in the windows around the same time of earlier days that lie after `since`, and on
    /// how many days they are.
    pub(super) fn same_hour(&self, length: Duration, end: DateTime<Utc>, since: i64) -> (Vec<f64>, usize) {
        let Some((size, grain)) = self.grains_in(length) else { return Default::default() };
        let length = i64::from(minutes(length));
        if length > LONGEST_OF_AN_HOUR {
            return Default::default();
        }
        let windows = (AROUND / length).max(1);
        let (mut sums, mut days) = (Vec::new(), 0);
        for day in DAYS_BACK {
            let middle = minute_number(end) - length / 2 - day * DAY;
            let first = (middle - windows * length / 2).div_euclid(grain);
            if first * grain < since || first + windows * size > self.until {
                continue;
            }
            days += 1;
            let of_day = (0..windows).map(|number| first + number * size);
            sums.extend(of_day.map(|first| self.sum(first, first + size)));
        }
        (sums, days)
    }

    fn grains_in(&self, length: Duration) -> Option<(i64, i64)> {
        let grain = (self.grain > 0).then_some(self.grain)?;
        Some(((i64::from(minutes(length)) / grain).max(1), grain))
    }
}

/// Which times a past is read from, to judge windows that end between `first` and `last`: ranges
/// that don't overlap, in order, each without its end.
pub fn past_ranges(
    needs: &PastNeeds,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let (first, last) = (minute_number(first), minute_number(last));
    let grain = i64::from(needs.grain_minutes.max(1));
    let mut ranges = vec![(first - i64::from(needs.reach_minutes) - grain, last)];
    let margin = AROUND / 2 + i64::from(needs.longest_minutes).min(LONGEST_OF_AN_HOUR) + grain;
    ranges.extend(DAYS_BACK.map(|day| (first - day * DAY - margin, last - day * DAY + margin)));
    ranges.sort_unstable();
    let mut apart: Vec<(i64, i64)> = Vec::new();
    for (from, to) in ranges {
        // A grain that is cut would count for too little.
        let from = from.div_euclid(grain) * grain;
        match apart.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => apart.push((from, to)),
        }
    }
    apart.into_iter().map(|(from, to)| (time_of(from), time_of(to.min(last)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: Duration = Duration::from_mins(5);

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn earlier_windows_end_before_the_one_that_is_judged_and_begin_after_the_first_mention() {
        let mut past = Past::new(5, at("2026-03-01T12:13:00Z"));
        for (minute, mentions) in [("12:09", 1), ("12:04", 10), ("12:03", 5), ("11:57", 100), ("12:11", 9000)]
        {
            past.add(at(&format!("2026-03-01T{minute}:00Z")), mentions);
        }
        let day = Duration::from_hours(24);
        let since = |text| minute_number(at(text));
        let end = at("2026-03-01T12:13:00Z");
        // The judged window begins at 12:08, so the latest whole grain before it ends at 12:05.
        assert_eq!(past.earlier(FIVE, end, day, since("2026-03-01T11:55:00Z")), [15.0, 100.0]);
        assert_eq!(past.earlier(FIVE, end, day, since("2026-03-01T11:56:00Z")), [15.0]);
        assert_eq!(past.earlier(FIVE, end, day, since("2026-03-01T12:04:00Z")), [0.0; 0]);
        assert_eq!(past.earlier(FIVE, end, day, since("2026-02-01T00:00:00Z")).len(), 288);
        assert_eq!(past.earlier(FIVE, end, FIVE, since("2026-02-01T00:00:00Z")), [15.0]);
    }

    #[test]
    fn the_same_hour_is_that_of_the_last_seven_days_and_of_three_weeks_before() {
        let end = at("2026-03-29T03:05:00Z");
        let mut past = Past::new(5, end);
        for day in 1..=28 {
            past.add(end - chrono::TimeDelta::days(day) - chrono::TimeDelta::minutes(5), day);
            past.add(end - chrono::TimeDelta::days(day) + chrono::TimeDelta::hours(9), 1000);
        }
        let (windows, days) = past.same_hour(FIVE, end, 0);
        assert_eq!((windows.len(), days), (120, 10));
        assert!((windows.iter().sum::<f64>() - f64::from((1..=7).sum::<i32>() + 14 + 21 + 28)).abs() < 1e-9);
        let a_week = minute_number(end) - 8 * DAY;
        assert_eq!(past.same_hour(FIVE, end, a_week).1, 7);
        assert_eq!(past.same_hour(Duration::from_hours(7), end, 0), (Vec::new(), 0));
    }

    #[test]
    fn the_ranges_to_be_read_hold_every_window_and_don_t_overlap() {
        let needs = PastNeeds { grain_minutes: 5, reach_minutes: 2 * 24 * 60, longest_minutes: 60 };
        let (first, last) = (at("2026-03-29T02:00:00Z"), at("2026-03-29T03:00:00Z"));
        let ranges = past_ranges(&needs, first, last);
        assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0), "{ranges:?}");
        let holds = |time: DateTime<Utc>| ranges.iter().any(|(from, to)| *from <= time && time < *to);
        for (time, read) in [
            ("2026-03-27T00:55:00Z", true),
            ("2026-03-28T12:00:00Z", true),
            ("2026-03-29T02:59:00Z", true),
            ("2026-03-29T03:00:00Z", false),
            ("2026-03-25T02:20:00Z", true),
            ("2026-03-25T12:00:00Z", false),
            ("2026-03-01T02:20:00Z", true),
        ] {
            assert_eq!(holds(at(time)), read, "{time} in {ranges:?}");
        }
    }
}
