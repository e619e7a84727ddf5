//! What goes wrong with a feed.

use std::error::Error;
use std::time::{Duration, SystemTime};

/// The most that is shown of what a server says.
const SHOWN: usize = 300;

/// Why a feed can't be read.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The machine's certificate authorities can't be loaded.
    #[error(
        "TLS can't be set up: {0}; install the machine's certificate authorities (the package ca-certificates)"
    )]
    Tls(String),
    /// The address can't be asked.
    #[error("{0:?} is not an address of this kind of feed; {1}")]
    Address(String, &'static str),
    /// No connection, or one that broke.
    #[error("The connection to {host} failed: {cause}")]
    Connection {
        /// Host and port.
        host: String,
        /// Why.
        cause: String,
    },
    /// Nothing came for too long.
    #[error("{host} sent nothing for {limit:?}")]
    Silent {
        /// Host and port.
        host: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The server ended the stream.
    #[error("{host} ended the stream{}", said(reason))]
    Ended {
        /// Host and port.
        host: String,
        /// What it said, if anything.
        reason: String,
    },
    /// The server refused.
    #[error("{host} answers {status}{}{}", said(words), way_out(*status))]
    Status {
        /// Host and port.
        host: String,
        /// The status of HTTP.
        status: u16,
        /// The name of the error, where the answer is JSON that names one.
        name: Option<String>,
        /// The answer's words, cut.
        words: String,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// What came is not what the protocol says.
    #[error("{host} sends what can't be read: {cause}")]
    Protocol {
        /// Host and port.
        host: String,
        /// What is wrong with it.
        cause: String,
    },
}

fn said(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

fn way_out(status: u16) -> &'static str {
    match status {
        401 => "; give an access token, or a new one",
        403 => "; the access token may not read this, or the server lets nobody read it",
        404 | 410 => "; correct the address",
        _ => "",
    }
}

impl FeedError {
    /// An answer that is neither what was asked for nor a redirect.
    pub(super) fn status(host: String, status: u16, retry_after: Option<&str>, body: &[u8]) -> Self {
        #[derive(serde::Deserialize)]
        struct Named {
            error: String,
            #[serde(default)]
            message: String,
        }
        let named: Option<Named> = serde_json::from_slice(body).ok();
        let (name, words) = match named {
            Some(Named { error, message }) if message.is_empty() => (Some(error.clone()), error),
            Some(Named { error, message }) => {
                let words = format!("{error}: {message}");
                (Some(error), words)
            }
            // A page for people says nothing in a line.
            None if body.trim_ascii_start().starts_with(b"<") => (None, String::new()),
            None => (None, String::from_utf8_lossy(body).trim().to_owned()),
        };
        Self::Status {
            host,
            status,
            name,
            words: beginning(&words),
            retry_after: retry_after.and_then(|text| pause(text, SystemTime::now())),
        }
    }

    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Tls(_) | Self::Address(..) => false,
            Self::Connection { .. } | Self::Silent { .. } | Self::Ended { .. } | Self::Protocol { .. } => {
                true
            }
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
        }
    }

    /// How long the server asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Status { retry_after, .. } = self { *retry_after } else { None }
    }

    /// The name of the error in the server's answer.
    pub fn name(&self) -> Option<&str> {
        if let Self::Status { name, .. } = self { name.as_deref() } else { None }
    }
}

/// As much of foreign words as belongs in a log line.
pub(super) fn beginning(words: &str) -> String {
    let mut shown: String = words.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if words.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// The innermost cause: the outer errors only name the address and say that something failed.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source()).last().unwrap_or(error).to_string()
}

/// What `Retry-After` asks for: seconds or a date.
fn pause(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> FeedError {
        FeedError::status("feed.example".to_owned(), status, Some("7"), body.as_bytes())
    }

    #[test]
    fn what_may_mend_is_told_from_what_will_not() {
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert!(answer(status, "").is_transient(), "{status}");
        }
        for status in [400, 401, 403, 404, 410] {
            assert!(!answer(status, "").is_transient(), "{status}");
        }
        assert_eq!(answer(429, "").retry_after(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn the_servers_words_are_shown_and_the_name_of_its_error_is_known() {
        let error = answer(400, r#"{"error":"CursorTooOld","message":"floor is 90"}"#);
        assert_eq!(error.name(), Some("CursorTooOld"));
        assert_eq!(error.to_string(), "feed.example answers 400: CursorTooOld: floor is 90");
        let page = answer(404, "<!doctype html><title>Not found</title>");
        assert_eq!(page.to_string(), "feed.example answers 404; correct the address");
        assert!(answer(400, &"long ".repeat(1000)).to_string().len() < 400);
    }

    #[test]
    fn pauses_are_seconds_or_dates() {
        let now = httpdate::parse_http_date("Sun, 01 Mar 2026 12:00:00 GMT").unwrap();
        assert_eq!(pause(" 90 ", now), Some(Duration::from_secs(90)));
        assert_eq!(pause("Sun, 01 Mar 2026 12:01:00 GMT", now), Some(Duration::from_mins(1)));
        assert_eq!(pause("Sun, 01 Mar 2026 11:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(pause("soon", now), None);
    }
}
