//! Server-sent events: lines of `event:` and `data:`, ended by an empty line.

use std::time::Duration;

use reqwest::Response;
use tokio::time::Instant;

use super::error::innermost;
use super::{FeedError, LARGEST};

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerEvent {
    /// Its kind; empty where none is given.
    pub event: String,
    /// Its lines of data.
    pub data: String,
}

/// A stream that is open.
pub struct EventStream {
    response: Response,
    host: String,
    idle: Duration,
    heard: Instant,
    parser: Parser,
}

impl EventStream {
    pub(super) fn new(response: Response, host: String, idle: Duration) -> Self {
        Self { response, host, idle, heard: Instant::now(), parser: Parser::default() }
    }

    /// The next event. A call that is dropped loses nothing.
    ///
    /// # Errors
    /// The stream ended, broke or fell silent, or holds an event that is too large.
    pub async fn next(&mut self) -> Result<ServerEvent, FeedError> {
        loop {
            if let Some(event) = self.parser.next() {
                return Ok(event);
            }
            if self.parser.held() > LARGEST {
                let cause = format!("an event is larger than {LARGEST} bytes");
                return Err(FeedError::Protocol { host: self.host.clone(), cause });
            }
            let chunk = tokio::time::timeout_at(self.heard + self.idle, self.response.chunk()).await;
            let chunk = chunk.map_err(|_| FeedError::Silent { host: self.host.clone(), limit: self.idle })?;
            match chunk {
                Ok(Some(bytes)) => {
                    self.heard = Instant::now();
                    self.parser.push(&bytes);
                }
                Ok(None) => {
                    return Err(FeedError::Ended { host: self.host.clone(), reason: String::new() });
                }
                Err(error) => {
                    let cause = innermost(&error);
                    return Err(FeedError::Connection { host: self.host.clone(), cause });
                }
            }
        }
    }
}

/// Cuts bytes into events. An event that is not ended by an empty line is never given out.
#[derive(Default)]
struct Parser {
    bytes: Vec<u8>,
    /// How much of `bytes` is read.
    read: usize,
    event: ServerEvent,
    has_data: bool,
}

impl Parser {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes of what is not given out yet.
    fn held(&self) -> usize {
        self.bytes.len() - self.read + self.event.data.len()
    }

    fn next(&mut self) -> Option<ServerEvent> {
        while let Some((line, length)) = line(&self.bytes[self.read..]) {
            let text = String::from_utf8_lossy(line).into_owned();
            self.read += length;
            if text.is_empty() {
                let event = std::mem::take(&mut self.event);
                if std::mem::take(&mut self.has_data) {
                    return Some(event);
                }
                continue;
            }
            let (field, value) = text.split_once(':').unwrap_or((&text, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut self.event.event),
                "data" => {
                    if self.has_data {
                        self.event.data.push('\n');
                    }
                    self.has_data = true;
                    self.event.data.push_str(value);
                }
                // An empty field is a comment, such as a heartbeat.
                _ => {}
            }
        }
        None
    }
}

/// The first line and its length with its end. A carriage return at the end may be half of one.
fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    match (bytes[end], bytes.get(end + 1)) {
        (b'\r', None) => None,
        (b'\r', Some(b'\n')) => Some((&bytes[..end], end + 2)),
        _ => Some((&bytes[..end], end + 1)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(chunks: &[&[u8]]) -> Vec<(String, String)> {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        for chunk in chunks {
            parser.push(chunk);
            while let Some(ServerEvent { event, data }) = parser.next() {
                events.push((event, data));
            }
        }
        events
    }

    fn event(event: &str, data: &str) -> (String, String) {
        (event.to_owned(), data.to_owned())
    }

    #[test]
    fn events_are_cut_where_lines_are_empty() {
        let text = b":thump\nevent: update\ndata: {\"id\":\"1\"}\n\nevent: delete\r\ndata: 1\r\n\r\n:\n\ndata:a\ndata: b\rid: 4\r\r\ndata: half";
        let expected = [event("update", r#"{"id":"1"}"#), event("delete", "1"), event("", "a\nb")];
        assert_eq!(events(&[text]), expected);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_network_cuts(
            text in "(event: [a-z]{0,4}|data: [a-zü]{0,9}|:x|)(\r\n|\n|\r)(.|\r|\n){0,60}",
            cuts in prop::collection::vec(0_usize..100, 0..6),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            prop_assert_eq!(events(&chunks), events(&[bytes]));
        }
    }
}
