//! The connections to Postgres, and how long anything may take on them.

use std::num::{NonZeroU32, NonZeroUsize};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};

use super::error::StoreError;
use super::mute_rules::KnownMutes;
use super::pool::Pool;
use crate::domain::{ExposeSecret, SecretString};

/// How to connect to Postgres, and what is kept there.
#[derive(Clone, Debug)]
pub struct Options {
    /// `postgres://user@host:port/database`, with TLS settings as parameters (`sslmode`,
    /// `sslrootcert`, ...). It may hold a password.
    pub url: SecretString,
    /// The password, where the address holds none.
    pub password: Option<SecretString>,
    /// Most connections in the pool. The leaders' locks take up to two more, and the watch one.
    pub max_connections: NonZeroUsize,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long one statement may take on the server, and a whole transaction as this side sees it.
    pub statement_timeout: Duration,
    /// How long one statement may wait for a lock.
    pub lock_timeout: Duration,
    /// How long a transaction may stand still between two statements before the server ends its
    /// session. Its locks hold others up for so long where a process is frozen.
    pub idle_in_transaction_timeout: Duration,
    /// Whether the daemon applies migrations when it starts.
    pub migrate: bool,
    /// Whether the texts of posts are stored.
    pub keep_text: bool,
    /// Whether the authors of posts are stored.
    pub keep_author: bool,
    /// How long a removal is remembered.
    pub remember_removals: Duration,
    /// How many days ahead day partitions are made.
    pub partitions_ahead: u32,
    /// How long posts and mentions are kept; for ever without.
    pub retention_posts: Option<Duration>,
    /// How long counts are kept; for ever without.
    pub retention_counts: Option<Duration>,
    /// How pictures are queued, leased and remembered.
    pub pictures: PictureOptions,
}

/// How pictures are queued, leased and remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureOptions {
    /// How many pictures of a post are queued, the first ones; 0 where pictures are not looked at.
    pub per_post: u32,
    /// How long a process may look at a picture before another one may take it.
    pub lease: Duration,
    /// How often a picture is leased before it counts as failed.
    pub attempts: NonZeroU32,
    /// How long the result of looking at a picture is reused.
    pub remember: Duration,
}

impl Options {
    /// Parses the address. Connects to nothing.
    ///
    /// # Errors
    /// What is wrong with the address, without the address itself.
    pub fn check(&self) -> Result<(), StoreError> {
        connect_options(self).map(drop)
    }
}

/// The connections to Postgres. Clones share them.
#[derive(Clone)]
pub struct Store {
    pub(super) pool: Pool,
    connect: PgConnectOptions,
    pub(super) options: Arc<Options>,
    /// The consumer group whose watermarks its batches move, if any.
    pub(super) group: Option<Arc<str>>,
    pub(super) known_mutes: Arc<KnownMutes>,
}

/// Without how it connects: that holds the password.
impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Store {
    /// A store that connects when it is first used. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// The address can't be read.
    pub fn connect_lazy(options: Options) -> Result<Self, StoreError> {
        let connect = connect_options(&options)?;
        let pooled = PgPoolOptions::new()
            .max_connections(u32::try_from(options.max_connections.get()).unwrap_or(u32::MAX))
            .acquire_timeout(options.connect_timeout);
        let to = connect.clone();
        let pool = Pool::new(move || pooled.clone().connect_lazy_with(to.clone()));
        Ok(Self { pool, connect, options: Arc::new(options), group: None, known_mutes: Arc::default() })
    }

    /// The options that it was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The server's version, such as `18.6`.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn server_version(&self) -> Result<String, StoreError> {
        self.within("read the server's version", async {
            sqlx::query_scalar("SELECT current_setting('server_version')").fetch_one(&self.pool).await
        })
        .await
    }

    /// Waits until all connections are free, and closes them.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Runs statements that the server cancels after the statement timeout, with a time-out on this
    /// side as well: a server that has vanished cancels nothing. Ends at once when the connections
    /// are given up.
    pub(super) async fn within<T>(
        &self,
        doing: &'static str,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        // Waiting for a connection, then the statements, and a moment for the server to cancel one.
        let limit = self.options.connect_timeout + self.options.statement_timeout + TO_CANCEL;
        let given_up = self.pool.given_up();
        let ended = tokio::select! {
            ended = tokio::time::timeout(limit, work) => ended,
            () = given_up.cancelled() => return Err(StoreError::GivenUp { doing }),
        };
        match ended {
            Ok(Err(sqlx::Error::PoolTimedOut)) => {
                Err(StoreError::NoConnection { doing, limit: self.options.connect_timeout })
            }
            Ok(result) => result.map_err(|cause| StoreError::Query { doing, cause }),
            Err(_) => {
                self.pool.give_up(&given_up);
                Err(StoreError::Silent { doing, limit })
            }
        }
    }

    /// A connection outside the pool: a session that holds a lock must end with its connection.
    pub(super) async fn connection_of_its_own(
        &self,
        doing: &'static str,
    ) -> Result<PgConnection, StoreError> {
        let limit = self.options.connect_timeout;
        match tokio::time::timeout(limit, PgConnection::connect_with(&self.connect)).await {
            Ok(result) => result.map_err(|cause| StoreError::Query { doing, cause }),
            Err(_) => Err(StoreError::Silent { doing, limit }),
        }
    }
}

/// How long the server may take to cancel a statement and to say so.
const TO_CANCEL: Duration = Duration::from_secs(5);

fn connect_options(options: &Options) -> Result<PgConnectOptions, StoreError> {
    let url = options.url.expose_secret();
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(StoreError::Address("it does not begin with postgres://".to_owned()));
    }
    let parsed = PgConnectOptions::from_str(url).map_err(|error| StoreError::Address(error.to_string()))?;
    let named =
        if parsed.get_application_name().is_some() { parsed } else { parsed.application_name("overheard") };
    let with_password = match &options.password {
        Some(password) => named.password(password.expose_secret()),
        None => named,
    };
    let milliseconds = |timeout: Duration| format!("{}ms", timeout.as_millis());
    let statement_timeout = milliseconds(options.statement_timeout);
    let lock_timeout = milliseconds(options.lock_timeout);
    let idle_timeout = milliseconds(options.idle_in_transaction_timeout);
    // With keepalives the server notices within about a minute that a client's machine is gone, and
    // releases the locks of its session.
    let settings = [
        ("statement_timeout", statement_timeout.as_str()),
        ("lock_timeout", lock_timeout.as_str()),
        ("idle_in_transaction_session_timeout", idle_timeout.as_str()),
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
    ];
    Ok(with_password.options(settings))
}
