//! Minutes: the unit of counts.

use chrono::{DateTime, Utc};

/// The minute that a time belongs to.
pub fn minute_of(time: DateTime<Utc>) -> DateTime<Utc> {
    time_of(minute_number(time))
}

/// Minutes since 1970, rounded down.
pub(super) fn minute_number(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(60)
}

/// When a minute begins.
pub(super) fn time_of(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(minute.saturating_mul(60), 0).unwrap_or(DateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_before_1970_are_rounded_down_as_well() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(minute_of(at("1969-12-31T23:59:59Z")), at("1969-12-31T23:59:00Z"));
    }
}
