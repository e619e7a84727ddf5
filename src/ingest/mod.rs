//! Feeds into a topic: Jetstream, Mastodon, RSS and Atom, and files of lines.
//!
//! Each feed has a file: what it asks for, how it goes on after a break, and what it calls an error
//! that only a person can mend. They write through an [`Outlet`], which keeps records in the order in
//! which they came and saves a cursor only once everything before it is acknowledged. So nothing is
//! lost when a process dies, and the records of about a second come twice.
//!
//! - `backoff` is how a feed is tried again.
//! - `keys` gives the records of one post one key.
//! - `outlet` writes, and saves how far a feed was read.

mod backoff;
mod file;
mod jetstream;
mod keys;
mod mastodon;
mod outlet;
mod rss;

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::feeds::FeedError;
use crate::publish::{CursorsError, PublishError};

pub use file::{File, FileOptions};
pub use jetstream::{Jetstream, JetstreamOptions};
pub use mastodon::{Mastodon, MastodonOptions, Timeline};
pub use outlet::Outlet;
pub use rss::{Rss, RssOptions};

/// Why a feed can't go on.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The topic.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The cursors.
    #[error(transparent)]
    Cursors(#[from] CursorsError),
    /// The source no longer has what comes after the cursor, and says so.
    #[error(
        "{host} no longer has what follows the cursor ({words}); the last event that was taken is of {}. What is missing can be had from an archive of the source; --accept-gap goes on with what there is",
        shown(*at)
    )]
    CursorTooOld {
        /// The source's host.
        host: String,
        /// What it said.
        words: String,
        /// When the last event happened that was taken.
        at: Option<DateTime<Utc>>,
    },
    /// The source goes on later than asked, without a word.
    #[error(
        "{host} goes on {} after the cursor: what it told from {} to {} is missing. --accept-gap goes on all the same; if the feed may be silent for so long, raise --silence",
        span(*until - *from), shown(Some(*from)), shown(Some(*until))
    )]
    Gap {
        /// The source's host.
        host: String,
        /// The last event that was taken.
        from: DateTime<Utc>,
        /// The first one that came.
        until: DateTime<Utc>,
    },
    /// The source numbers its events anew.
    #[error(
        "{host} was asked for events from number {asked} and sends number {found}: it numbers its events anew. --accept-gap goes on by the time of the last event"
    )]
    Renumbered {
        /// The source's host.
        host: String,
        /// The cursor.
        asked: u64,
        /// The first event.
        found: u64,
    },
    /// No feed of a list can be read.
    #[error("None of the feeds can be read; the last one: {0}")]
    NoFeed(String),
    /// A file can't be read.
    #[error("{} can't be read: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file is no longer what it was.
    #[error(
        "{} was read up to byte {at} before, and now begins differently or is shorter; if it is another file, --from-start reads it from its beginning",
        path.display()
    )]
    Replaced {
        /// The file.
        path: PathBuf,
        /// How far it was read.
        at: u64,
    },
    /// Not all was acknowledged in time.
    #[error(
        "{0} records were not acknowledged by Kafka when the process stopped; they come again at the next start"
    )]
    Unacknowledged(usize),
}

impl IngestError {
    /// Whether the same may succeed later.
    fn is_transient(&self) -> bool {
        match self {
            Self::Feed(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Whether starting again changes nothing until somebody has decided or mended something.
    pub fn needs_a_person(&self) -> bool {
        match self {
            Self::Feed(error) => !error.is_transient(),
            Self::CursorTooOld { .. }
            | Self::Gap { .. }
            | Self::Renumbered { .. }
            | Self::NoFeed(_)
            | Self::File { .. }
            | Self::Replaced { .. } => true,
            Self::Cursors(error) => !error.is_transient(),
            Self::Publish(_) | Self::Unacknowledged(_) => false,
        }
    }
}

fn shown(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "an unknown time".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn span(between: chrono::TimeDelta) -> String {
    let minutes = between.num_minutes();
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{} s", between.num_seconds()),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// How long a feed that sends nothing is waited for at least and at most, before it is asked anew.
pub const IDLE: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
