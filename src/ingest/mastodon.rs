//! A Mastodon server's streams of statuses, and after a break its timelines.
//!
//! A stream has no memory: what happened while nobody listened is read from the timeline of the same
//! statuses, newer than the last one that was taken. Edits and deletions of that time are not told there.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use super::backoff::{Backoff, keep_reading};
use super::{IngestError, Outlet, keys};
use crate::domain::SecretString;
use crate::feeds::{Answer, FeedError, HttpClient, ServerEvent, Validators, host_of};

/// Statuses in a page of a timeline; servers give no more.
const PAGE: usize = 40;
/// Events that are about statuses.
const EVENTS: [&str; 3] = ["update", "status.update", "delete"];

/// Which statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timeline {
    /// All that the server knows.
    Public,
    /// Those of the server's own accounts.
    Local,
    /// Those of other servers.
    Remote,
    /// Those with a hashtag.
    Hashtag(String),
}

impl Timeline {
    fn stream(&self) -> &'static str {
        match self {
            Self::Public => "api/v1/streaming/public",
            Self::Local => "api/v1/streaming/public/local",
            Self::Remote => "api/v1/streaming/public/remote",
            Self::Hashtag(_) => "api/v1/streaming/hashtag",
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Public => "public".to_owned(),
            Self::Local => "local".to_owned(),
            Self::Remote => "remote".to_owned(),
            Self::Hashtag(tag) => format!("#{}", tag.to_lowercase()),
        }
    }
}

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct MastodonOptions {
    /// The server, such as `https://mastodon.example`.
    pub server: Url,
    /// Which statuses.
    pub timeline: Timeline,
    /// The access token.
    pub token: Option<SecretString>,
    /// Most pages of the timeline that are read after a break.
    pub pages: u32,
    /// How long a server that sends nothing at all is waited for; it sends heartbeats.
    pub idle: Duration,
}

/// How far it was read.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    /// The newest status.
    id: String,
}

/// Reads a server.
pub struct Mastodon {
    options: MastodonOptions,
    http: HttpClient,
    host: String,
    key: Arc<str>,
    last: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    id: String,
    created_at: Option<DateTime<Utc>>,
}

/// A timeline gives the newest first; ids of the same length are in the order of time.
fn is_newer(id: &str, than: &str) -> bool {
    (id.len(), id) > (than.len(), than)
}

impl Mastodon {
    /// Checks the address.
    ///
    /// # Errors
    /// The address is not a server's, or TLS can't be set up.
    pub fn new(mut options: MastodonOptions) -> Result<Self, IngestError> {
        let is_server = matches!(options.server.scheme(), "http" | "https")
            && options.server.path() == "/"
            && options.server.query().is_none();
        if !is_server {
            let address = options.server.to_string();
            return Err(FeedError::Address(address, "write only the server: https://mastodon.example").into());
        }
        if let Timeline::Hashtag(tag) = &mut options.timeline {
            *tag = tag.trim_start_matches('#').to_owned();
        }
        let host = host_of(&options.server);
        let key = format!("mastodon {host} {}", options.timeline.name()).into();
        Ok(Self { http: HttpClient::new()?, options, host, key, last: None })
    }

    /// Reads until it shall stop.
    ///
    /// # Errors
    /// What only a person can mend; what may pass is tried again.
    pub async fn run(&mut self, outlet: &mut Outlet) -> Result<(), IngestError> {
        let position = outlet.cursor(&self.key).and_then(|cursor| serde_json::from_str(cursor).ok());
        self.last = position.map(|Position { id }| id);
        tracing::info!(
            feed.from = self.last,
            "Reads the timeline {} of {}",
            self.options.timeline.name(),
            self.host
        );
        keep_reading(outlet, async |outlet, backoff| self.session(outlet, backoff).await).await
    }

    async fn session(&mut self, outlet: &mut Outlet, backoff: &mut Backoff) -> Result<(), IngestError> {
        let url = self.stream_address().await;
        // Listens first, so that nothing falls between timeline and stream.
        let mut stream = self.http.events(&url, self.options.token.as_ref(), self.options.idle).await?;
        if !self.catch_up(outlet).await? {
            return Ok(());
        }
        let stop = outlet.stop();
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                event = stream.next() => {
                    self.pass_on(outlet, &event?).await?;
                    backoff.reset();
                }
                _ = ticks.tick() => outlet.tick().await?,
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    async fn pass_on(&mut self, outlet: &mut Outlet, event: &ServerEvent) -> Result<(), IngestError> {
        if !EVENTS.contains(&event.event.as_str()) {
            tracing::debug!(event = event.event, "An event that is about no status");
            return Ok(());
        }
        if event.event == "delete" {
            let id = event.data.trim();
            let key = keys::of_mastodon(&self.host, id);
            let payload = serde_json::to_string(id).unwrap_or_default();
            return outlet.write(Some(&key), &self.envelope("delete", &payload)).await;
        }
        match serde_json::from_str::<&RawValue>(&event.data) {
            Ok(status) => self.pass_on_status(outlet, &event.event, status).await,
            // The daemon keeps it as a dead letter, with the reason.
            Err(_) => outlet.write(None, event.data.as_bytes()).await,
        }
    }

    async fn pass_on_status(
        &mut self,
        outlet: &mut Outlet,
        event: &str,
        raw: &RawValue,
    ) -> Result<(), IngestError> {
        let status: Option<Status> = serde_json::from_str(raw.get()).ok();
        let key = status.as_ref().map(|status| keys::of_mastodon(&self.host, &status.id));
        outlet.write(key.as_deref(), &self.envelope(event, raw.get())).await?;
        let Some(Status { id, created_at }) = status.filter(|_| event == "update") else { return Ok(()) };
        if let Some(at) = created_at {
            outlet.note_time(at);
        }
        if self.last.as_deref().is_none_or(|last| is_newer(&id, last)) {
            let cursor = serde_json::to_string(&Position { id: id.clone() }).unwrap_or_default();
            outlet.mark(&self.key, cursor);
            self.last = Some(id);
        }
        Ok(())
    }

    fn envelope(&self, event: &str, payload: &str) -> Vec<u8> {
        format!(r#"{{"event":"{event}","payload":{payload},"server":"{}"}}"#, self.host).into_bytes()
    }

    /// Reads what the timeline has that is newer than the last status taken. Whether to go on.
    async fn catch_up(&mut self, outlet: &mut Outlet) -> Result<bool, IngestError> {
        let stop = outlet.stop();
        let mut taken = 0_usize;
        for page in 0.. {
            let Some(last) = self.last.clone() else { break };
            if page == self.options.pages {
                tracing::warn!(
                    statuses.taken = taken,
                    "The break was longer than {} pages of the timeline (--pages); statuses between {last} and now are missing",
                    self.options.pages
                );
                break;
            }
            let url = self.page_address(&last);
            let (credentials, any) = (self.options.token.as_ref(), Validators::default());
            let asked = tokio::select! {
                asked = self.http.get(&url, credentials, &any) => asked,
                () = stop.cancelled() => return Ok(false),
            };
            let document = match asked {
                Ok(Answer::Document(document)) => document,
                Ok(Answer::Unchanged) => break,
                // The stream may be read where the timeline may not.
                Err(error) if !error.is_transient() => {
                    tracing::warn!("What was told since status {last} can't be caught up: {error}");
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            let statuses: Vec<&RawValue> = serde_json::from_slice(&document.bytes)
                .map_err(|error| FeedError::Protocol { host: self.host.clone(), cause: error.to_string() })?;
            if statuses.is_empty() {
                break;
            }
            taken += statuses.len();
            for status in statuses.into_iter().rev() {
                self.pass_on_status(outlet, "update", status).await?;
            }
            if document.newer.is_none() || self.last.as_deref() == Some(&last) {
                break;
            }
        }
        if taken > 0 {
            tracing::info!(statuses.taken = taken, "Caught up from the timeline");
        }
        Ok(true)
    }

    fn page_address(&self, last: &str) -> Url {
        let path = match &self.options.timeline {
            Timeline::Hashtag(tag) => format!("/api/v1/timelines/tag/{tag}"),
            _ => "/api/v1/timelines/public".to_owned(),
        };
        let mut url = self.options.server.clone();
        url.set_path(&path);
        let mut query = url.query_pairs_mut();
        query.append_pair("limit", &PAGE.to_string()).append_pair("min_id", last);
        match self.options.timeline {
            Timeline::Local => drop(query.append_pair("local", "true")),
            Timeline::Remote => drop(query.append_pair("remote", "true")),
            Timeline::Public | Timeline::Hashtag(_) => {}
        }
        drop(query);
        url
    }

    /// Large servers stream from a host of their own, and say so.
    async fn stream_address(&self) -> Url {
        let mut url = self.streaming_server().await.unwrap_or_else(|| self.options.server.clone());
        url.set_path(self.options.timeline.stream());
        if let Timeline::Hashtag(tag) = &self.options.timeline {
            url.query_pairs_mut().append_pair("tag", tag);
        }
        url
    }

    async fn streaming_server(&self) -> Option<Url> {
        #[derive(Deserialize)]
        struct Instance {
            configuration: Configuration,
        }
        #[derive(Deserialize)]
        struct Configuration {
            urls: Urls,
        }
        #[derive(Deserialize)]
        struct Urls {
            streaming: String,
        }
        let mut url = self.options.server.clone();
        url.set_path("/api/v2/instance");
        let Ok(Answer::Document(document)) = self.http.get(&url, None, &Validators::default()).await else {
            return None;
        };
        let instance: Instance = serde_json::from_slice(&document.bytes).ok()?;
        let address = instance.configuration.urls.streaming;
        // It is told as a WebSocket's.
        let address = address.replacen("ws", "http", usize::from(address.starts_with("ws")));
        Url::parse(&address).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mastodon(server: &str, timeline: Timeline) -> Result<Mastodon, IngestError> {
        Mastodon::new(MastodonOptions {
            server: Url::parse(server).unwrap(),
            timeline,
            token: None,
            pages: 3,
            idle: Duration::from_mins(1),
        })
    }

    #[test]
    fn timelines_are_those_of_the_streams() {
        let page = |timeline| mastodon("https://m.example", timeline).unwrap().page_address("7").to_string();
        assert_eq!(page(Timeline::Public), "https://m.example/api/v1/timelines/public?limit=40&min_id=7");
        assert_eq!(
            page(Timeline::Local),
            "https://m.example/api/v1/timelines/public?limit=40&min_id=7&local=true"
        );
        assert_eq!(
            page(Timeline::Hashtag("#kaffee".to_owned())),
            "https://m.example/api/v1/timelines/tag/kaffee?limit=40&min_id=7"
        );
        for wrong in ["https://m.example/api/v1/streaming", "wss://m.example", "https://m.example/?a=b"] {
            assert!(mastodon(wrong, Timeline::Public).is_err(), "{wrong}");
        }
    }

    #[test]
    fn longer_ids_are_newer() {
        assert!(is_newer("10", "9") && is_newer("12", "11"));
        assert!(!is_newer("9", "10") && !is_newer("11", "11"));
    }
}
