//! `overheard ingest`: feeds into a topic, beside the daemon.

use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use url::Url;

use super::{run, times};
use crate::config::{Setting, Settings};
use crate::domain::SecretString;
use crate::ingest::{
    File, FileOptions, IDLE, IngestError, Jetstream, JetstreamOptions, Mastodon, MastodonOptions, Outlet,
    Rss, RssOptions, Timeline,
};
use crate::telemetry;

/// The exit status where starting again changes nothing until a person has decided or mended something.
const NEEDS_A_PERSON: u8 = 3;

/// What `ingest` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Runs until it is stopped; a feed that fails is tried again. How far it was read is kept in the topic \
TOPIC.cursors, so a process that is started again goes on where the last one ended. Ends with status 3 \
where only a person can say how to go on, such as when the source no longer has what comes next.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    feed: Feed,
    /// The topic to write to [default: the one in kafka.topics with the feed's format]
    #[arg(long, global = true, value_name = "NAME")]
    topic: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Feed {
    /// Posts on Bluesky, by Jetstream
    Jetstream(JetstreamArguments),
    /// Posts that a Mastodon server knows
    Mastodon(MastodonArguments),
    /// Items of RSS and Atom feeds
    Rss(RssArguments),
    /// Lines of files, such as JSON
    File(FileArguments),
}

#[derive(Debug, Args)]
struct JetstreamArguments {
    #[arg(
        help = "The server: wss://HOST/subscribe, or wss://HOST/xrpc/network.bsky.jetstream.subscribeEvents"
    )]
    url: Url,
    /// Collections of records to ask for
    #[arg(long = "collection", value_name = "NSID", default_value = "app.bsky.feed.post")]
    collections: Vec<String>,
    /// Where to begin at the first start [default: now]
    #[arg(long, value_name = "TIME", value_parser = times::time)]
    since: Option<DateTime<Utc>>,
    /// Go on where the source no longer has all that comes next
    #[arg(long)]
    accept_gap: bool,
    /// The longest time between two events that is nothing unusual
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    silence: Duration,
    /// Connect anew after so long without a sign of life
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = idle)]
    idle: Duration,
    /// Ask for messages that are not compressed
    #[arg(long)]
    uncompressed: bool,
}

#[derive(Debug, Args)]
struct MastodonArguments {
    #[arg(help = "The server: https://HOST")]
    server: Url,
    /// Only posts of the server's own accounts
    #[arg(long, conflicts_with_all = ["remote", "tag"])]
    local: bool,
    /// Only posts of other servers
    #[arg(long, conflicts_with = "tag")]
    remote: bool,
    /// Only posts with this hashtag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    #[arg(
        long,
        value_name = "FILE",
        help = "A file with the access token; otherwise the variable MASTODON_TOKEN"
    )]
    token_file: Option<PathBuf>,
    /// Most pages of 40 posts that are caught up with after a break
    #[arg(long, value_name = "NUMBER", default_value = "100")]
    pages: u32,
    /// Connect anew after so long without a sign of life
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = idle)]
    idle: Duration,
}

#[derive(Debug, Args)]
struct RssArguments {
    /// Addresses of feeds
    feeds: Vec<Url>,
    /// A file with the address of a feed in each line; # begins a comment
    #[arg(long, value_name = "FILE", required_unless_present = "feeds")]
    list: Option<PathBuf>,
    /// How often to ask for each feed, at most; a feed may ask for longer
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = duration)]
    every: Duration,
}

#[derive(Debug, Args)]
struct FileArguments {
    /// Files, also .gz, .zst and .xz; - is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Most lines a second
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    rate: Option<f64>,
    /// Read files from their beginning, whatever was read of them before
    #[arg(long)]
    from_start: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    Duration::read(&toml::Value::String(text.to_owned()))
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "write a time with its unit, such as 30s, 10m or 2h".to_owned())
}

fn idle(text: &str) -> Result<Duration, String> {
    let idle = duration(text)?;
    if IDLE.contains(&idle) { Ok(idle) } else { Err("write a time from 1s to 1h".to_owned()) }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| *rate > 0.0 && rate.is_finite());
    rate.ok_or_else(|| "write a number above 0".to_owned())
}

impl Feed {
    /// The name of the format that its records are in; files may be in any.
    fn format(&self) -> Option<&'static str> {
        match self {
            Self::Jetstream(_) => Some("jetstream"),
            Self::Mastodon(_) => Some("mastodon"),
            Self::Rss(_) => Some("post"),
            Self::File(_) => None,
        }
    }
}

/// Reads the feed until it ends, a signal comes, or only a person can go on.
pub(super) async fn run(settings: Settings, arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&settings.log);
    let topic = match arguments.topic {
        Some(topic) => topic,
        None => configured_topic(&settings, arguments.feed.format())?,
    };
    let mut reader = Reader::new(arguments.feed)?;
    let stop = run::stop_on_signals()?;
    let outlet = Outlet::open(&settings.publish, &settings.source.group, &topic, stop).await;
    let ended = match outlet {
        Ok(None) => return Ok(ExitCode::SUCCESS),
        Ok(Some(mut outlet)) => {
            let read = reader.run(&mut outlet).await;
            // What was read is acknowledged and remembered, however it ended.
            let finished = outlet.finish().await;
            read.and(finished)
        }
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => {
            tracing::info!("Stopped in good order");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            tracing::error!("{error}");
            Ok(if error.needs_a_person() { ExitCode::from(NEEDS_A_PERSON) } else { ExitCode::FAILURE })
        }
    }
}

enum Reader {
    Jetstream(Jetstream),
    Mastodon(Mastodon),
    Rss(Rss),
    File(File),
}

impl Reader {
    fn new(feed: Feed) -> anyhow::Result<Self> {
        Ok(match feed {
            Feed::Jetstream(given) => Self::Jetstream(Jetstream::new(JetstreamOptions {
                url: given.url,
                collections: given.collections,
                since: given.since,
                accept_gap: given.accept_gap,
                silence: given.silence,
                idle: given.idle,
                compress: !given.uncompressed,
            })?),
            Feed::Mastodon(given) => Self::Mastodon(Mastodon::new(MastodonOptions {
                token: token(given.token_file)?,
                timeline: match (given.local, given.remote, given.tag) {
                    (true, ..) => Timeline::Local,
                    (_, true, _) => Timeline::Remote,
                    (.., Some(tag)) => Timeline::Hashtag(tag),
                    (.., None) => Timeline::Public,
                },
                server: given.server,
                pages: given.pages,
                idle: given.idle,
            })?),
            Feed::Rss(given) => {
                let mut feeds = given.feeds;
                if let Some(list) = given.list {
                    feeds.extend(listed(&list)?);
                }
                Self::Rss(Rss::new(RssOptions { feeds, every: given.every })?)
            }
            Feed::File(given) => Self::File(File::new(FileOptions {
                paths: given.files,
                rate: given.rate,
                from_start: given.from_start,
            })),
        })
    }

    async fn run(&mut self, outlet: &mut Outlet) -> Result<(), IngestError> {
        match self {
            Self::Jetstream(jetstream) => jetstream.run(outlet).await,
            Self::Mastodon(mastodon) => mastodon.run(outlet).await,
            Self::Rss(rss) => rss.run(outlet).await,
            Self::File(file) => file.run(outlet).await,
        }
    }
}

fn configured_topic(settings: &Settings, format: Option<&str>) -> anyhow::Result<String> {
    let Some(format) = format else {
        bail!("Name the topic that the lines are to be written to: --topic NAME")
    };
    let topics = settings.pipeline.wires.iter().filter(|(_, wire)| wire.format.as_str() == format);
    let mut topics: Vec<&String> = topics.map(|(topic, _)| topic).collect();
    topics.sort();
    match topics[..] {
        [topic] => Ok(topic.clone()),
        [] => bail!(
            "kafka.topics has no topic with the format {format:?}; add one, or name the topic: --topic NAME"
        ),
        _ => bail!("kafka.topics has several topics with the format {format:?}; name one: --topic NAME"),
    }
}

fn token(file: Option<PathBuf>) -> anyhow::Result<Option<SecretString>> {
    let text = match file {
        Some(file) => {
            std::fs::read_to_string(&file).with_context(|| format!("{} can't be read", file.display()))?
        }
        None => std::env::var("MASTODON_TOKEN").unwrap_or_default(),
    };
    let token = text.trim();
    Ok((!token.is_empty()).then(|| SecretString::from(token)))
}

fn listed(list: &PathBuf) -> anyhow::Result<Vec<Url>> {
    let file = std::fs::File::open(list).with_context(|| format!("{} can't be read", list.display()))?;
    let mut feeds = Vec::new();
    for (number, line) in std::io::BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("{} can't be read", list.display()))?;
        let address = line.split(" #").next().unwrap_or_default().trim();
        if address.is_empty() || address.starts_with('#') {
            continue;
        }
        let url = Url::parse(address).with_context(|| {
            format!("{}, line {}: {address:?} is not an address", list.display(), number + 1)
        })?;
        feeds.push(url);
    }
    if feeds.is_empty() {
        bail!("{} lists no feed", list.display());
    }
    Ok(feeds)
}
