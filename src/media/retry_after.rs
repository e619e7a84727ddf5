//! Retry pauses, and the header `Retry-After` (RFC 9110, 10.2.3).

use std::time::Duration;

use chrono::{DateTime, Utc};

/// The pause that the header's value asks for at time `now`. `None` if it can't be parsed; zero if
/// its date has passed.
pub(super) fn read(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that overflows is a very long pause.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))));
    }
    // Parses all three date formats of HTTP.
    let at = DateTime::<Utc>::from(httpdate::parse_http_date(text).ok()?);
    Some((at - now).to_std().unwrap_or(Duration::ZERO))
}

/// The pause before the next attempt: exponential backoff from `first`, at least what the host asks
/// for, and at most `most`.
pub(super) fn pause(
    earlier_attempts: u32,
    asked: Option<Duration>,
    first: Duration,
    most: Duration,
) -> Duration {
    let ours = first.saturating_mul(1_u32.checked_shl(earlier_attempts).unwrap_or(u32::MAX));
    ours.max(asked.unwrap_or_default()).min(most)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn noon() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
    }

    #[test]
    fn seconds_and_dates_are_read() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(read("120", noon()), seconds(120));
        assert_eq!(read(" 0 ", noon()), seconds(0));
        assert_eq!(read("Sun, 01 Mar 2026 12:01:00 GMT", noon()), seconds(60));
        assert_eq!(read("Sunday, 01-Mar-26 12:01:00 GMT", noon()), seconds(60));
        assert_eq!(read("Sun Mar  1 12:01:00 2026", noon()), seconds(60));
        assert_eq!(read("Sun, 01 Mar 2026 11:00:00 GMT", noon()), seconds(0));
        assert_eq!(read("99999999999999999999999", noon()), seconds(u64::from(u32::MAX)));
        for text in ["", "-5", "1.5", "soon", "2026-03-01T12:01:00Z"] {
            assert_eq!(read(text, noon()), None, "{text}");
        }
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_respect_the_host() {
        let pause = |attempts, asked: Option<u64>| {
            let (first, most) = (Duration::from_secs(30), Duration::from_hours(1));
            pause(attempts, asked.map(Duration::from_secs), first, most).as_secs()
        };
        assert_eq!([pause(0, None), pause(1, None), pause(2, None)], [30, 60, 120]);
        assert_eq!([pause(7, None), pause(31, None), pause(400, None)], [3600; 3]);
        assert_eq!([pause(0, Some(90)), pause(3, Some(90)), pause(0, Some(86_400))], [90, 240, 3600]);
    }

    proptest! {
        #[test]
        fn nothing_that_a_host_writes_stops_the_reader(text in ".{0,60}") {
            let _ = read(&text, noon());
        }
    }
}
