//! RSS and Atom: feeds are asked in turn, and what is new or changed in them becomes posts.
//!
//! `item` tells what is new in a document.

mod item;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::Instant;
use url::Url;

use self::item::{Item, Parsed};
use super::{IngestError, Outlet};
use crate::feeds::{Answer, Document, FeedError, HttpClient, Validators, host_of};

/// Feeds that are asked at once.
const AT_ONCE: usize = 8;
/// Between the first questions to two feeds.
const STAGGER: Duration = Duration::from_millis(200);
/// A feed that its server refuses is asked again after this long.
const REFUSED_PAUSE: Duration = Duration::from_hours(24);
/// The longest pause that a feed or its server can ask for.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);
/// Items that are remembered of a feed, beside those that are in it.
const REMEMBERED: usize = 1000;

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct RssOptions {
    /// The feeds' addresses.
    pub feeds: Vec<Url>,
    /// How often each is asked.
    pub every: Duration,
}

/// What is known of a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    #[serde(flatten)]
    validators: Validators,
    /// Items that were written, each with its version, the latest last.
    seen: VecDeque<(String, String)>,
}

struct Feed {
    url: Url,
    key: Arc<str>,
    state: State,
    /// When to ask next; nothing while it is being asked.
    due: Option<Instant>,
    failures: u32,
    is_refused: bool,
}

/// Reads feeds.
pub struct Rss {
    options: RssOptions,
    http: HttpClient,
    feeds: Vec<Feed>,
}

type Asked = (usize, Result<Answer, FeedError>);

impl Rss {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// An address is not one of HTTP, or TLS can't be set up.
    pub fn new(mut options: RssOptions) -> Result<Self, IngestError> {
        options.feeds.sort();
        options.feeds.dedup();
        for url in &options.feeds {
            if !matches!(url.scheme(), "http" | "https") {
                return Err(FeedError::Address(url.to_string(), "write https://...").into());
            }
        }
        Ok(Self { options, http: HttpClient::new()?, feeds: Vec::new() })
    }

    /// Reads until it shall stop.
    ///
    /// # Errors
    /// Kafka takes nothing any more, or all servers refuse.
    pub async fn run(&mut self, outlet: &mut Outlet) -> Result<(), IngestError> {
        let now = Instant::now();
        let feeds = self.options.feeds.iter().zip(0_u32..).map(|(url, number)| {
            let key = format!("rss {url}");
            let state = outlet.cursor(&key).and_then(|state| serde_json::from_str(state).ok());
            Feed {
                url: url.clone(),
                key: key.into(),
                state: state.unwrap_or_default(),
                due: Some(now + (STAGGER * number).min(self.options.every)),
                failures: 0,
                is_refused: false,
            }
        });
        self.feeds = feeds.collect();
        tracing::info!("Reads {} feeds, each every {:?}", self.feeds.len(), self.options.every);
        let mut asking: JoinSet<Asked> = JoinSet::new();
        let stop = outlet.stop();
        loop {
            self.ask(&mut asking);
            let next = self.feeds.iter().filter_map(|feed| feed.due).min();
            let second = Instant::now() + Duration::from_secs(1);
            let wake = next.filter(|_| asking.len() < AT_ONCE).map_or(second, |next| next.min(second));
            tokio::select! {
                Some(asked) = asking.join_next() => {
                    if let Ok((index, answer)) = asked {
                        self.take(outlet, index, answer).await?;
                    }
                }
                () = tokio::time::sleep_until(wake) => outlet.tick().await?,
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    /// Asks feeds that are due.
    fn ask(&mut self, asking: &mut JoinSet<Asked>) {
        let now = Instant::now();
        for (index, feed) in self.feeds.iter_mut().enumerate() {
            if asking.len() >= AT_ONCE {
                return;
            }
            if feed.due.is_some_and(|due| due <= now) {
                feed.due = None;
                let (http, url, known) = (self.http.clone(), feed.url.clone(), feed.state.validators.clone());
                asking.spawn(async move { (index, http.get(&url, None, &known).await) });
            }
        }
    }

    async fn take(
        &mut self,
        outlet: &mut Outlet,
        index: usize,
        answer: Result<Answer, FeedError>,
    ) -> Result<(), IngestError> {
        let every = self.options.every;
        let feed = &mut self.feeds[index];
        let taken = match answer {
            Ok(Answer::Unchanged) => Ok(None),
            Ok(Answer::Document(document)) => feed.read(outlet, document).await?,
            Err(error) => Err(error),
        };
        let pause = match taken {
            Ok(asked) => {
                feed.failures = 0;
                feed.is_refused = false;
                asked.unwrap_or_default().max(every)
            }
            Err(error) => {
                tracing::warn!(feed.url = %feed.url, "{error}");
                feed.failures = feed.failures.saturating_add(1);
                feed.is_refused = !error.is_transient();
                if self.feeds.iter().all(|feed| feed.is_refused) {
                    return Err(IngestError::NoFeed(error.to_string()));
                }
                let feed = &self.feeds[index];
                if feed.is_refused {
                    REFUSED_PAUSE
                } else {
                    let grown = every.saturating_mul(1 << (feed.failures - 1).min(10));
                    grown.max(error.retry_after().unwrap_or_default())
                }
            }
        };
        // Feeds that were asked together drift apart.
        let pause = pause.min(LONGEST_PAUSE).mul_f64(1.0 + fastrand::f64() / 10.0);
        self.feeds[index].due = Some(Instant::now() + pause);
        Ok(())
    }
}

impl Feed {
    /// Writes what is new or changed. How long the feed asks to be left alone, if it does; or what is
    /// wrong with it.
    async fn read(
        &mut self,
        outlet: &mut Outlet,
        document: Document,
    ) -> Result<Result<Option<Duration>, FeedError>, IngestError> {
        let Parsed { items, ttl } = match item::read(&document, &self.url, Utc::now()) {
            Ok(parsed) => parsed,
            Err(refused) => {
                let (host, cause) = (host_of(&self.url), refused.detail);
                return Ok(Err(FeedError::Protocol { host, cause }));
            }
        };
        let mut state = State { validators: document.validators, ..self.state.clone() };
        let most = REMEMBERED + items.len();
        let mut written = 0;
        for item in items {
            if self.take(outlet, &mut state, item).await? {
                written += 1;
            }
        }
        while state.seen.len() > most {
            state.seen.pop_front();
        }
        if written > 0 {
            tracing::debug!(feed.url = %self.url, items.written = written, "New or changed items");
        }
        if state != self.state {
            self.state = state;
            outlet.mark(&self.key, serde_json::to_string(&self.state).unwrap_or_default());
        }
        Ok(Ok(ttl))
    }

    /// Writes an item, unless it was written as it is. Whether it was.
    async fn take(&self, outlet: &mut Outlet, state: &mut State, item: Item) -> Result<bool, IngestError> {
        let known = state.seen.iter().position(|(id, _)| *id == item.id);
        let known = known.and_then(|at| state.seen.remove(at)).map(|(_, version)| version);
        state.seen.push_back((item.id.clone(), item.version.clone()));
        if known.as_ref() == Some(&item.version) {
            return Ok(false);
        }
        if let Some(at) = item.created_at {
            outlet.note_time(at);
        }
        let key = item.key.clone();
        let payload = item.post(known.is_some().then(Utc::now));
        outlet.write(Some(&key), payload.to_string().as_bytes()).await?;
        Ok(true)
    }
}
