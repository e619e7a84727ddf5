//! Times as arguments.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

/// A day of UTC, which is its first moment, or a time as RFC 3339.
pub(super) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.and_time(NaiveTime::MIN).and_utc());
    }
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.to_utc())
        .map_err(|_| "write a day (2026-03-01) or a time (2026-03-01T09:30:00Z)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_read() {
        assert_eq!(time("2026-03-01").unwrap(), time("2026-03-01T00:00:00Z").unwrap());
        assert_eq!(time("2026-03-01T02:00:00+02:00").unwrap(), time("2026-03-01").unwrap());
        for wrong in ["", "yesterday", "2026-02-30", "2026-03-01 10:00", "2026-03-01T10:00:00"] {
            assert!(time(wrong).unwrap_err().contains("2026-03-01"), "{wrong}");
        }
    }
}
