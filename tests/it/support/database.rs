//! A database of its own for each test, on the server that `make services-up` starts.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::services::setting;
use overheard::domain::SecretString;
use overheard::store::{Options, PictureOptions, Store};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};

/// How pictures are listed in tests.
pub const PICTURES: PictureOptions = PictureOptions {
    per_post: 4,
    lease: Duration::from_mins(1),
    attempts: NonZeroU32::new(3).unwrap(),
    remember: Duration::from_hours(24 * 30),
};

const SERVER: &str = "OVERHEARD_TEST_POSTGRES";

/// A database that is dropped with the value.
pub struct TestDatabase {
    server: String,
    name: String,
    /// Its address, for programs under test.
    pub url: String,
}

impl TestDatabase {
    /// Makes an empty database.
    pub async fn create() -> Self {
        Self::create_with("").await
    }

    /// Makes an empty database with these words at the end of the statement.
    pub async fn create_with(words: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let server = setting(SERVER);
        let name = format!("overheard_test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        on_server(&server, format!("CREATE DATABASE {name} {words}")).await.expect("the test server answers");
        let mut url = url::Url::parse(&server).expect("the test server's address is one");
        url.set_path(&name);
        Self { server, name, url: url.into() }
    }

    /// Options for a store in this database.
    pub fn options(&self) -> Options {
        Options {
            url: SecretString::from(self.url.as_str()),
            password: None,
            max_connections: NonZeroUsize::new(8).unwrap(),
            connect_timeout: Duration::from_secs(20),
            statement_timeout: Duration::from_secs(20),
            lock_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(5),
            migrate: true,
            keep_text: true,
            keep_author: true,
            remember_removals: Duration::from_hours(24),
            partitions_ahead: 2,
            retention_posts: None,
            retention_counts: None,
            pictures: PICTURES,
        }
    }

    /// A store in this database, migrated.
    pub async fn store(&self) -> Store {
        let store = Store::connect_lazy(self.options()).expect("the options are right");
        store.migrate().await.expect("migrations apply");
        store
    }

    /// Connections for looking at what the program did.
    pub async fn pool(&self) -> PgPool {
        PgPool::connect(&self.url).await.expect("the test database answers")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let server = self.server.clone();
        // On a thread with a runtime of its own: this one is busy running the test.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime starts")
                .block_on(on_server(&server, statement))
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("The test database {} was left behind: {error}", self.name);
        }
    }
}

async fn on_server(server: &str, statement: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(server).await?;
    connection.execute(AssertSqlSafe(statement)).await?;
    connection.close().await
}
