//! Bluesky's Jetstream, in both versions of its protocol.
//!
//! - `frame` reads as much of a message as is needed to pass it on.
//! - `compression` unpacks messages.
//!
//! Version 1 (`/subscribe`) has the time in microseconds as its cursor. A cursor that is too old is
//! moved to the oldest event without a word, so the first event's time is compared with it. Version 2
//! (`/xrpc/network.bsky.jetstream.subscribeEvents`) numbers its events and refuses a number that is too
//! old; a cursor of 10^15 or more is a time, which it moves and says so.

mod compression;
mod frame;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use self::compression::Compression;
use self::frame::{Event, Frame};
use super::backoff::{Backoff, keep_reading};
use super::{IngestError, Outlet};
use crate::feeds::{FeedError, HttpClient, Message, Socket, SocketOptions, Validators, host_of};

/// The path and the subprotocol of version 2.
const V2_PATH: &str = "/xrpc/network.bsky.jetstream.subscribeEvents";
const V2_PROTOCOL: &str = "xrpc.v1.json";
/// The path of version 1.
const V1_PATH: &str = "/subscribe";
/// How far version 1 steps back: its servers do not see events at the same moment.
const STEP_BACK: Duration = Duration::from_secs(5);

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct JetstreamOptions {
    /// The address; its path tells the version.
    pub url: Url,
    /// Collections of records, of which the events are asked for.
    pub collections: Vec<String>,
    /// Where to begin without a cursor; otherwise now.
    pub since: Option<DateTime<Utc>>,
    /// Goes on where events are missing.
    pub accept_gap: bool,
    /// The longest time that may pass between two events of this feed.
    pub silence: Duration,
    /// How long a server that sends nothing at all is waited for.
    pub idle: Duration,
    /// Asks for compressed messages.
    pub compress: bool,
}

/// How far it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    /// The last event's number; version 2 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// When it happened, in microseconds since 1970.
    time_us: i64,
}

impl Position {
    fn time(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.time_us)
    }
}

/// Reads Jetstream.
pub struct Jetstream {
    options: JetstreamOptions,
    is_v2: bool,
    http: HttpClient,
    host: String,
    key: Arc<str>,
    at: Option<Position>,
    /// The next session begins at the position's time, not at its number.
    by_time: bool,
    compression: Compression,
}

impl Jetstream {
    /// Checks the address.
    ///
    /// # Errors
    /// The address is not one of Jetstream's, or TLS can't be set up.
    pub fn new(options: JetstreamOptions) -> Result<Self, IngestError> {
        let wrong = |why| FeedError::Address(options.url.to_string(), why);
        if !matches!(options.url.scheme(), "ws" | "wss") || options.url.host_str().is_none() {
            return Err(wrong("write wss://HOST/subscribe, or wss://HOST with the path of version 2").into());
        }
        let is_v2 = match options.url.path() {
            V2_PATH => true,
            V1_PATH => false,
            _ => {
                return Err(wrong(
                    "its path must be /subscribe (version 1) or /xrpc/network.bsky.jetstream.subscribeEvents (version 2)",
                )
                .into());
            }
        };
        // Numbers mean something to one server only; times do to all.
        let host = host_of(&options.url);
        let key = if is_v2 { format!("jetstream {host}") } else { "jetstream".to_owned() };
        Ok(Self {
            http: HttpClient::new()?,
            is_v2,
            host,
            key: key.into(),
            at: None,
            by_time: false,
            compression: Compression::default(),
            options,
        })
    }

    /// Reads until it shall stop.
    ///
    /// # Errors
    /// What only a person can mend; what may pass is tried again.
    pub async fn run(&mut self, outlet: &mut Outlet) -> Result<(), IngestError> {
        self.at = outlet.cursor(&self.key).and_then(|cursor| serde_json::from_str(cursor).ok());
        if self.at.is_none() {
            self.at =
                self.options.since.map(|since| Position { seq: None, time_us: since.timestamp_micros() });
        }
        tracing::info!(
            feed.from = self.at.and_then(Position::time).map(|at| at.to_rfc3339()),
            "Reads {} by version {} of its protocol",
            self.host,
            if self.is_v2 { 2 } else { 1 }
        );
        keep_reading(outlet, async |outlet, backoff| self.session(outlet, backoff).await).await
    }

    async fn session(&mut self, outlet: &mut Outlet, backoff: &mut Backoff) -> Result<(), IngestError> {
        if self.options.compress {
            self.compression.prepare(&self.http, &self.options.url, self.is_v2).await?;
        }
        let options = SocketOptions { protocol: self.is_v2.then_some(V2_PROTOCOL), idle: self.options.idle };
        let connected = Socket::connect(&self.address(), &options).await;
        let mut socket = match connected {
            Err(error) => {
                let error = self.in_full(error).await;
                return self.refused(error);
            }
            Ok(socket) => socket,
        };
        let mut check = self.at;
        let stop = outlet.stop();
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        loop {
            let message = tokio::select! {
                message = socket.next() => message?,
                _ = ticks.tick() => {
                    outlet.tick().await?;
                    continue;
                }
                () = stop.cancelled() => return Ok(()),
            };
            let bytes = match message {
                Message::Text(text) => text.into_bytes(),
                Message::Binary(bytes) => match self.compression.unpack(&bytes) {
                    Ok(bytes) => bytes,
                    Err(cause) => {
                        outlet.leave_out(&format!("a message of {} bytes: {cause}", bytes.len()));
                        continue;
                    }
                },
            };
            match frame::read(&bytes, self.is_v2) {
                Frame::Event(event) => {
                    if let Some(asked) = check.take() {
                        self.check(asked, &event)?;
                    }
                    backoff.reset();
                    self.pass_on(outlet, &event, &bytes).await?;
                }
                Frame::Info { name, message } if name == "OutdatedCursor" => {
                    self.outdated(message)?;
                    check = None;
                }
                Frame::Info { name, message } => tracing::info!("{}: {name}: {message}", self.host),
                Frame::Failure { error, message } => {
                    let reason = format!("{error}: {message}");
                    return Err(FeedError::Ended { host: self.host.clone(), reason }.into());
                }
                // The daemon keeps it as a dead letter, with the reason.
                Frame::Unreadable => outlet.write(None, &bytes).await?,
            }
        }
    }

    async fn pass_on(&mut self, outlet: &mut Outlet, event: &Event, bytes: &[u8]) -> Result<(), IngestError> {
        // Version 2 begins with the event of the cursor.
        if let (Some(seq), Some(Position { seq: Some(last), .. })) = (event.position.seq, self.at)
            && seq <= last
            && !self.by_time
        {
            return Ok(());
        }
        self.by_time = false;
        outlet.write(Some(&event.key), bytes).await?;
        self.at = Some(event.position);
        if let Some(time) = event.position.time() {
            outlet.note_time(time);
        }
        let cursor = serde_json::to_string(&event.position).unwrap_or_default();
        outlet.mark(&self.key, cursor);
        Ok(())
    }

    /// Whether the first event follows on the cursor.
    fn check(&mut self, asked: Position, first: &Event) -> Result<(), IngestError> {
        if let (Some(asked_seq), Some(found)) = (asked.seq, first.position.seq)
            && found < asked_seq
            && !self.by_time
        {
            let renumbered = IngestError::Renumbered { host: self.host.clone(), asked: asked_seq, found };
            self.accept(renumbered)?;
            self.by_time = true;
            let reason = "its events are numbered anew".to_owned();
            return Err(FeedError::Ended { host: self.host.clone(), reason }.into());
        }
        let (Some(from), Some(until)) = (asked.time(), first.position.time()) else { return Ok(()) };
        if until - from > TimeDelta::from_std(self.options.silence).unwrap_or(TimeDelta::MAX) {
            self.accept(IngestError::Gap { host: self.host.clone(), from, until })?;
        }
        Ok(())
    }

    /// A refusal with the server's words: these may come after the answer's head, and the handshake
    /// waits for the head only. The same question over plain HTTP is refused in the same way.
    async fn in_full(&self, error: FeedError) -> FeedError {
        match &error {
            FeedError::Status { status: 400, words, .. } if words.is_empty() => {
                let asked = self.http.get(&over_http(&self.address()), None, &Validators::default()).await;
                match asked {
                    Err(refused @ FeedError::Status { .. }) if refused.name().is_some() => refused,
                    _ => error,
                }
            }
            _ => error,
        }
    }

    /// The server refuses the connection.
    fn refused(&mut self, error: FeedError) -> Result<(), IngestError> {
        match error.name() {
            Some("CursorTooOld") => {
                self.outdated(error.to_string())?;
                self.by_time = true;
                Err(FeedError::Ended { host: self.host.clone(), reason: error.to_string() }.into())
            }
            Some("UnknownZstdDictionary") => {
                self.compression = Compression::default();
                Err(FeedError::Ended { host: self.host.clone(), reason: error.to_string() }.into())
            }
            _ => Err(error.into()),
        }
    }

    fn outdated(&self, words: String) -> Result<(), IngestError> {
        let at = self.at.and_then(Position::time);
        self.accept(IngestError::CursorTooOld { host: self.host.clone(), words, at })
    }

    /// Whether a gap is accepted.
    fn accept(&self, gap: IngestError) -> Result<(), IngestError> {
        if !self.options.accept_gap {
            return Err(gap);
        }
        tracing::warn!("Goes on with a gap: {gap}");
        Ok(())
    }

    fn address(&self) -> Url {
        let mut url = self.options.url.clone();
        let collections = if self.is_v2 { "collections" } else { "wantedCollections" };
        {
            let given: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
            let has = |name: &str| given.iter().any(|given| given == name);
            let mut query = url.query_pairs_mut();
            if !has(collections) {
                for collection in &self.options.collections {
                    query.append_pair(collections, collection);
                }
            }
            if self.is_v2 && !has("kinds") {
                // What a daemon does something with: posts, and accounts that go.
                query.append_pair("kinds", "commit").append_pair("kinds", "account");
            }
            if self.options.compress {
                match (self.is_v2, self.compression.dictionary()) {
                    (false, _) => drop(query.append_pair("compress", "true")),
                    (true, Some(id)) => drop(query.append_pair("zstdDictionary", &id.to_string())),
                    (true, None) => {}
                }
            }
            if let Some(cursor) = self.cursor() {
                query.append_pair("cursor", &cursor);
            }
        }
        url
    }

    fn cursor(&self) -> Option<String> {
        let at = self.at?;
        let step_back = i64::try_from(STEP_BACK.as_micros()).unwrap_or(0);
        let by_number = at.seq.filter(|_| self.is_v2 && !self.by_time);
        Some(
            by_number.map_or_else(
                || at.time_us.saturating_sub(step_back).max(0).to_string(),
                |seq| seq.to_string(),
            ),
        )
    }
}

/// The same address for HTTP.
fn over_http(url: &Url) -> Url {
    let mut address = url.clone();
    // The two pairs of schemes are alike, so this can't fail.
    let _ = address.set_scheme(if url.scheme() == "wss" { "https" } else { "http" });
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jetstream(url: &str, compress: bool) -> Result<Jetstream, IngestError> {
        Jetstream::new(JetstreamOptions {
            url: Url::parse(url).unwrap(),
            collections: vec!["app.bsky.feed.post".to_owned()],
            since: None,
            accept_gap: false,
            silence: Duration::from_mins(10),
            idle: Duration::from_mins(1),
            compress,
        })
    }

    #[test]
    fn the_path_tells_the_version_and_the_cursor_is_what_the_version_takes() {
        let at = Some(Position { seq: Some(42), time_us: 1_780_000_000_000_000 });
        let mut v1 = jetstream("wss://j.example/subscribe", true).unwrap();
        assert_eq!(
            v1.address().as_str(),
            "wss://j.example/subscribe?wantedCollections=app.bsky.feed.post&compress=true"
        );
        v1.at = at;
        assert!(v1.address().as_str().ends_with("&cursor=1779999995000000"), "five seconds before");
        let mut v2 = jetstream("wss://j.example/xrpc/network.bsky.jetstream.subscribeEvents", false).unwrap();
        v2.at = at;
        assert_eq!(
            v2.address().query(),
            Some("collections=app.bsky.feed.post&kinds=commit&kinds=account&cursor=42")
        );
        v2.by_time = true;
        assert!(
            v2.address().as_str().ends_with("&cursor=1779999995000000"),
            "a time, since it is that large"
        );
        for wrong in ["https://j.example/subscribe", "wss://j.example", "wss://j.example/firehose"] {
            assert!(jetstream(wrong, false).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_the_address_says_itself_is_kept() {
        let url = "wss://j.example/subscribe?wantedCollections=a.b.c&wantedDids=did:plc:a";
        let address = jetstream(url, false).unwrap().address();
        assert_eq!(address.as_str(), url);
    }
}
