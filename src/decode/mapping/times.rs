//! Times in the notation that a mapping names.

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::Value;

use crate::decode::times;

/// How a mapping's times are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// As RFC 3339 has it, and a little beyond.
    Rfc3339,
    /// A number of seconds since 1970, with or without a fraction.
    Seconds,
    /// A number of milliseconds since 1970.
    Milliseconds,
    /// By a pattern of `strftime`.
    Pattern(String),
}

impl TimeFormat {
    /// Reads the name of a notation, or a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(written: &str) -> Result<Self, String> {
        match written {
            "rfc3339" => Ok(Self::Rfc3339),
            "seconds" => Ok(Self::Seconds),
            "milliseconds" => Ok(Self::Milliseconds),
            pattern
                if !pattern.contains('%') || StrftimeItems::new(pattern).any(|item| item == Item::Error) =>
            {
                Err(format!(
                    "{pattern:?} is no notation of times; write \"rfc3339\", \"seconds\", \"milliseconds\" or a \
                     pattern of strftime such as \"%d.%m.%Y %H:%M:%S\""
                ))
            }
            pattern => Ok(Self::Pattern(pattern.to_owned())),
        }
    }

    /// Reads a time, and whether it had a zone.
    ///
    /// # Errors
    /// What is wrong, to be put behind the value.
    pub(super) fn read(&self, value: &Value) -> Result<times::Read, String> {
        let known = |at: DateTime<Utc>| times::in_range(at).map(|at| times::Read { at, has_zone: true });
        match self {
            Self::Rfc3339 => times::read(value.as_str().ok_or("not a text")?),
            Self::Seconds => known(since_1970(value, 1e6).ok_or("not a number of seconds since 1970")?),
            Self::Milliseconds => {
                known(since_1970(value, 1e3).ok_or("not a number of milliseconds since 1970")?)
            }
            Self::Pattern(pattern) => {
                let text = value.as_str().ok_or("not a text")?.trim();
                if let Ok(at) = DateTime::parse_from_str(text, pattern) {
                    return known(at.to_utc());
                }
                let at = NaiveDateTime::parse_from_str(text, pattern)
                    .or_else(|error| {
                        let date = NaiveDate::parse_from_str(text, pattern).map_err(|_| error)?;
                        Ok(date.and_time(chrono::NaiveTime::MIN))
                    })
                    .map_err(|error: chrono::ParseError| {
                        format!("not a time as {pattern:?} has it: {error}")
                    })?;
                times::in_range(at.and_utc()).map(|at| times::Read { at, has_zone: false })
            }
        }
    }
}

/// The time so many units after 1970, of which a unit is so many microseconds.
fn since_1970(value: &Value, micros: f64) -> Option<DateTime<Utc>> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "micros is 1e6 or 1e3")]
    if let Ok(whole) = text.parse::<i64>() {
        return DateTime::from_timestamp_micros(whole.checked_mul(micros as i64)?);
    }
    let since: f64 = text.parse::<f64>().ok()? * micros;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
    (since.abs() < 9e17).then(|| DateTime::from_timestamp_micros(since.round() as i64))?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_in_each_notation() {
        for (format, value, expected, has_zone) in [
            ("rfc3339", json!("2026-05-01 08:00:00"), "2026-05-01T08:00:00Z", false),
            ("seconds", json!(1_777_622_400), "2026-05-01T08:00:00Z", true),
            ("seconds", json!("1777622400.5"), "2026-05-01T08:00:00.5Z", true),
            ("milliseconds", json!(1_777_622_400_123_u64), "2026-05-01T08:00:00.123Z", true),
            ("%d.%m.%Y %H:%M", json!("01.05.2026 08:00"), "2026-05-01T08:00:00Z", false),
            ("%m/%d/%Y", json!("05/01/2026"), "2026-05-01T00:00:00Z", false),
            (
                "%a %b %d %H:%M:%S %z %Y",
                json!("Fri May 01 10:00:00 +0200 2026"),
                "2026-05-01T08:00:00Z",
                true,
            ),
        ] {
            let read = TimeFormat::parse(format).unwrap().read(&value).unwrap();
            assert_eq!(read, times::Read { at: expected.parse().unwrap(), has_zone }, "{format}");
        }
    }

    #[test]
    fn other_values_and_patterns_are_refused() {
        for format in ["", "iso", "%Q", "%"] {
            assert!(TimeFormat::parse(format).is_err(), "{format}");
        }
        for (format, value) in [
            ("rfc3339", json!(1_777_622_400)),
            ("seconds", json!("soon")),
            ("seconds", json!(1e300)),
            ("seconds", json!(i64::MAX)),
            ("seconds", json!([1])),
            ("milliseconds", json!(9_000_000_000_000_000_u64)),
            ("%d.%m.%Y", json!("2026-05-01")),
            ("%d.%m.%Y", json!(1)),
        ] {
            assert!(TimeFormat::parse(format).unwrap().read(&value).is_err(), "{format} {value}");
        }
    }
}
