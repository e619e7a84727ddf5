//! Times as sources write them: RFC 3339 and what is commonly taken for it.
//!
//! A space or `_` may stand for `T`, letters may be small, seconds may be left out, a comma may begin
//! the fraction, and the offset may lack its colon or minutes. Without any zone a time is UTC. An
//! offset of a day or more is refused: it would move the post by days.

use chrono::{DateTime, Datelike, Utc};

/// A time, and whether it said its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// The time, in whole microseconds.
    pub(super) at: DateTime<Utc>,
    /// Whether it had a zone; else it was taken as UTC.
    pub(super) has_zone: bool,
}

/// Reads a time.
///
/// # Errors
/// What is wrong, to be put behind the time itself.
pub(super) fn read(text: &str) -> Result<Read, String> {
    let (normal, has_zone) = normal(text.trim()).ok_or("not a time as RFC 3339 writes it")?;
    let parsed = DateTime::parse_from_rfc3339(&normal)
        .map_err(|error| format!("not a time as RFC 3339 writes it: {error}"))?;
    in_range(parsed.to_utc()).map(|at| Read { at, has_zone })
}

/// The time in whole microseconds, which is what Postgres keeps.
///
/// # Errors
/// It is outside the years that Postgres and everybody else can write down.
pub(super) fn in_range(time: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    // The conversion also turns a leap second into a time that Postgres can represent.
    DateTime::from_timestamp_micros(time.timestamp_micros())
        .filter(|time| (1..=9999).contains(&time.year()))
        .ok_or_else(|| "outside the years 1 to 9999".to_owned())
}

/// A time as RFC 3339 writes it, and whether it has a zone of its own.
fn normal(text: &str) -> Option<(String, bool)> {
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let clock = rest.strip_prefix(['T', 't', ' ', '_'])?;
    let zone_at = clock.find(|c: char| c.is_ascii_alphabetic() || c == '+' || c == '-');
    let (clock, zone) = clock.split_at(zone_at.unwrap_or(clock.len()));
    let mut clock = clock.trim_end().replace(',', ".");
    if clock.len() == 5 {
        clock.push_str(":00");
    }
    Some((format!("{date}T{clock}{}", offset(zone)?), !zone.is_empty()))
}

/// An offset as RFC 3339 writes it.
fn offset(zone: &str) -> Option<String> {
    if ["", "z", "utc", "gmt"].iter().any(|name| zone.eq_ignore_ascii_case(name)) {
        return Some("Z".to_owned());
    }
    let sign = zone.chars().next().filter(|sign| ['+', '-'].contains(sign))?;
    let digits = zone[1..].replacen(':', "", 1);
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "00"),
        4 => digits.split_at_checked(2)?,
        _ => return None,
    };
    let below = |digits: &str, limit: u8| digits.parse::<u8>().is_ok_and(|number| number < limit);
    (below(hours, 24) && below(minutes, 60)).then(|| format!("{sign}{hours}:{minutes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_commonly_taken_for_rfc_3339_is_read() {
        for (written, expected) in [
            ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
            ("2026-11-20t10:00:00z", "2026-11-20T10:00:00Z"),
            ("2026-11-20 10:00:00 +0100", "2026-11-20T09:00:00Z"),
            ("2026-11-20T10:00:00,25+01", "2026-11-20T09:00:00.25Z"),
            ("2026-11-20T10:00-00:00", "2026-11-20T10:00:00Z"),
            ("2026-11-20 10:00:00 UTC", "2026-11-20T10:00:00Z"),
            (" 2026-11-20T10:00:00.1234567890123+23:59\n", "2026-11-19T10:01:00.123456Z"),
            ("2026-11-20T23:59:60Z", "2026-11-21T00:00:00Z"),
        ] {
            let read = read(written).unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(read, Read { at: expected.parse().unwrap(), has_zone: true }, "{written}");
        }
        for written in ["2026-11-20T10:00:00.123", "2026-11-20 10:00"] {
            assert!(!read(written).unwrap().has_zone, "{written}");
        }
    }

    #[test]
    fn what_is_no_time_or_a_day_away_is_refused() {
        for written in [
            "",
            "now",
            "2026-11-20",
            "2026-11-20T",
            "2026-11-20T10",
            "20.11.2026 10:00",
            "2026-02-30T10:00:00Z",
            "2026-11-20T10:00:00+24:00",
            "2026-11-20T10:00:00-2400",
            "2026-11-20T10:00:00+01:60",
            "2026-11-20T10:00:00 Mars",
            "2026-11-20T10:00:00++1",
            "2026-11-20T10:00:00+1é",
            "0000-06-01T00:00:00Z",
        ] {
            assert!(read(written).is_err(), "{written}");
        }
    }
}
