//! The store: what Postgres keeps, and the only proof that it does.
//!
//! - [`Store::write`] takes a batch of posts with their mentions in one transaction: rows, roll-up
//!   counts of the rows really inserted, nothing else. Every row is keyed by what the post itself
//!   says, so the same batch again changes nothing. Only after `COMMIT` does it attest
//!   [`Durable`](crate::domain::Durable).
//! - The same transaction lists the posts' pictures. [`Store::lease_pictures`] hands them out, and
//!   [`Store::finish_pictures`] writes what they show; what was seen once is remembered.
//! - [`Store::stale_mentions`] and [`Store::rescore`] let newer models judge what is stored.
//! - Rows live in day partitions that [`Store::ensure_partitions`] makes ahead, and in a default
//!   partition for times that nobody foresaw.
//! - [`EvaluationLock`] lets one process at a time evaluate alerts, through the very connection
//!   that holds the lock; messages leave through the outbox.
//!
//! Nothing here retries: [`StoreError::is_transient`] says what is worth it.

mod alerts;
mod error;
mod evaluation;
mod evidence;
mod finish;
mod listing;
mod locks;
mod memory;
mod migrate;
mod outbox;
mod partitions;
mod read;
mod rescore;
mod retention;
mod sightings;
mod work;
mod write;

use std::num::{NonZeroU32, NonZeroUsize};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};

use crate::domain::Secret;

pub use alerts::PhaseChange;
pub use error::StoreError;
pub use evaluation::{EvaluationCandidate, EvaluationLock};
pub use finish::{FinishedCounts, FinishedPicture};
pub use locks::{RelayCandidate, RelayLock};
pub use memory::{Detection, Likeness, MediaOutcome, Seen};
pub use migrate::MigrationState;
pub use outbox::OutboxMessage;
pub use partitions::PartitionsMade;
pub use read::{BrandSummary, RecentSighting};
pub use rescore::{RescoreRange, StaleMention};
pub use retention::Removed;
pub use work::{Backlog, PictureWork, Wanted};
pub use write::{StoredPost, Written};

/// How the store reaches Postgres, and what it keeps.
#[derive(Clone, Debug)]
pub struct Options {
    /// `postgres://user@host:port/database`, with TLS settings as parameters (`sslmode`,
    /// `sslrootcert`, ...). It may hold a password.
    pub url: Secret,
    /// The password, where the address holds none.
    pub password: Option<Secret>,
    /// Most connections in the pool. Locks use up to two more of their own.
    pub max_connections: NonZeroUsize,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long one statement may take on the server.
    pub statement_timeout: Duration,
    /// Whether the daemon applies migrations when it starts.
    pub migrate: bool,
    /// Whether what posts say is kept.
    pub keep_text: bool,
    /// Whether who posted is kept.
    pub keep_author: bool,
    /// How many days ahead day partitions are made.
    pub partitions_ahead: u32,
    /// How long posts and mentions are kept; for ever without.
    pub retention_posts: Option<Duration>,
    /// How long counts are kept; for ever without.
    pub retention_counts: Option<Duration>,
    /// How pictures are listed, leased and remembered.
    pub pictures: PictureOptions,
}

/// How pictures are listed, leased and remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureOptions {
    /// How many pictures of a post are listed, the first ones; 0 where pictures are not looked at.
    pub per_post: u32,
    /// How long a process may look at a picture before another one may take it.
    pub lease: Duration,
    /// How often a picture is taken before it counts as failed.
    pub attempts: NonZeroU32,
    /// How long it is remembered what a picture showed.
    pub remember: Duration,
}

impl Options {
    /// Whether the address can be read. Reaches out to nothing.
    ///
    /// # Errors
    /// What is wrong with it, without the address itself.
    pub fn check(&self) -> Result<(), StoreError> {
        connect_options(self).map(drop)
    }
}

/// Postgres, as the rest of the program sees it. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    connect: PgConnectOptions,
    options: Arc<Options>,
}

impl Store {
    /// A store that connects when it is first used. Needs a Tokio runtime around it.
    ///
    /// # Errors
    /// The address can't be read.
    pub fn connect_lazy(options: Options) -> Result<Self, StoreError> {
        let connect = connect_options(&options)?;
        let pool = PgPoolOptions::new()
            .max_connections(u32::try_from(options.max_connections.get()).unwrap_or(u32::MAX))
            .acquire_timeout(options.connect_timeout)
            .connect_lazy_with(connect.clone());
        Ok(Self { pool, connect, options: Arc::new(options) })
    }

    /// The options that it was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Asks Postgres for a sign of life.
    ///
    /// # Errors
    /// It gave none in time.
    pub async fn ping(&self) -> Result<(), StoreError> {
        const DOING: &str = "reach Postgres";
        // While Postgres is away the pool tries again and again and then says that time is up. A
        // connection of its own says why.
        let Some(mut idle) = self.pool.try_acquire() else {
            let connection = self.connection_of_its_own(DOING).await?;
            drop(connection.close().await);
            return Ok(());
        };
        self.within(DOING, async { sqlx::query("SELECT 1").execute(&mut *idle).await.map(drop) }).await
    }

    /// Closes all connections, once they are free.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Runs something that the server would end after the statement timeout, and gives it up when
    /// not even that comes: a server that vanished says nothing at all.
    async fn within<T>(
        &self,
        doing: &'static str,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        // A few statements, each within its own limit, after waiting for a connection.
        let limit = self.options.connect_timeout + self.options.statement_timeout * 4;
        match tokio::time::timeout(limit, work).await {
            Ok(Err(sqlx::Error::PoolTimedOut)) => {
                Err(StoreError::NoConnection { doing, limit: self.options.connect_timeout })
            }
            Ok(result) => result.map_err(|cause| StoreError::Query { doing, cause }),
            Err(_) => Err(StoreError::Silent { doing, limit }),
        }
    }

    /// A connection outside the pool: a session that holds a lock must end with its connection.
    async fn connection_of_its_own(&self, doing: &'static str) -> Result<PgConnection, StoreError> {
        let limit = self.options.connect_timeout;
        match tokio::time::timeout(limit, PgConnection::connect_with(&self.connect)).await {
            Ok(result) => result.map_err(|cause| StoreError::Query { doing, cause }),
            Err(_) => Err(StoreError::Silent { doing, limit }),
        }
    }
}

fn connect_options(options: &Options) -> Result<PgConnectOptions, StoreError> {
    let url = options.url.expose();
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(StoreError::Address("it does not begin with postgres://".to_owned()));
    }
    let parsed = PgConnectOptions::from_str(url).map_err(|error| StoreError::Address(error.to_string()))?;
    let named =
        if parsed.get_application_name().is_some() { parsed } else { parsed.application_name("overheard") };
    let with_password = match &options.password {
        Some(password) => named.password(password.expose()),
        None => named,
    };
    let statement_timeout = format!("{}ms", options.statement_timeout.as_millis());
    // The keepalives make the server notice within a minute or so that a client's machine has
    // gone, so that the locks of its session are free again.
    let settings = [
        ("statement_timeout", statement_timeout.as_str()),
        ("idle_in_transaction_session_timeout", statement_timeout.as_str()),
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
    ];
    Ok(with_password.options(settings))
}
