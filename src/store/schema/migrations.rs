//! Migrations: embedded in the program, applied under a lock, recorded in the schema itself.

use std::collections::BTreeSet;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};

use crate::store::advisory_lock;
use crate::store::client::Store;
use crate::store::error::StoreError;

const RECORDS: &str = "overheard.migrations";
const DOING: &str = "migrate the database";

/// How long a migration waits for a lock. All writers queue behind it meanwhile, so it is better to
/// fail and to be tried again.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '3s'";

/// How far a database is migrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationState {
    /// Migrations that the database has.
    pub applied: usize,
    /// Migrations that it still needs.
    pub pending: usize,
}

impl Store {
    /// Applies the migrations that the database still needs. Of several processes that do so at
    /// once, one applies them and the others wait.
    ///
    /// # Errors
    /// The database is newer than this program or not encoded in UTF-8, an applied migration differs
    /// from the program's, or Postgres refused. Where somebody held a table for more than seconds,
    /// such as by a long query, the error is transient, and [`StoreError::is_locked`].
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // The lock is held until the session ends, so that session is not one of the pool's. Waiting
        // for it may take as long as another's migration.
        let mut connection = self.connection_of_its_own(DOING).await?;
        connection.execute("SET statement_timeout = 0").await.map_err(refused)?;
        connection.execute("SET idle_in_transaction_session_timeout = 0").await.map_err(refused)?;
        connection.execute("SET lock_timeout = 0").await.map_err(refused)?;
        advisory_lock::hold_migrations(&mut connection).await.map_err(refused)?;
        connection.execute(LOCK_TIMEOUT).await.map_err(refused)?;
        let result = run(&mut connection).await;
        drop(connection.close().await);
        result
    }

    /// Which migrations the database has, and which it needs.
    ///
    /// # Errors
    /// The database is newer than this program or not encoded in UTF-8, or Postgres did not answer.
    pub async fn migration_state(&self) -> Result<MigrationState, StoreError> {
        let (encoding, applied) = self
            .within("read the state of migrations", async {
                let mut connection = self.pool.acquire().await?;
                Ok((encoding(&mut connection).await?, applied(&mut connection).await?))
            })
            .await?;
        refuse_other_encodings(encoding)?;
        let known: BTreeSet<i64> = migrator(false).iter().map(|migration| migration.version).collect();
        refuse_newer(&applied, &known)?;
        Ok(MigrationState { applied: applied.len(), pending: known.difference(&applied).count() })
    }
}

fn migrator(creates_schema: bool) -> Migrator {
    let mut migrator = sqlx::migrate!();
    migrator.dangerous_set_table_name(RECORDS);
    // It would wait no longer for its lock than for any other.
    migrator.set_locking(false);
    if creates_schema {
        migrator.create_schema("overheard");
    }
    migrator
}

fn refused(cause: sqlx::Error) -> StoreError {
    StoreError::Query { doing: DOING, cause }
}

async fn run(connection: &mut PgConnection) -> Result<(), StoreError> {
    refuse_other_encodings(encoding(connection).await.map_err(refused)?)?;
    // `CREATE SCHEMA IF NOT EXISTS` needs the privilege even where the schema exists, and an
    // administrator may have made the schema for a role without it.
    let exists: bool = sqlx::query_scalar("SELECT to_regnamespace('overheard') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await
        .map_err(refused)?;
    let migrator = migrator(!exists);
    migrator.run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(database) => StoreError::Newer { database, program: newest(&migrator) },
        other => StoreError::Migrate(other),
    })
}

fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|migration| migration.version).max().unwrap_or_default()
}

fn refuse_newer(applied: &BTreeSet<i64>, known: &BTreeSet<i64>) -> Result<(), StoreError> {
    match applied.difference(known).max() {
        Some(&database) => {
            Err(StoreError::Newer { database, program: known.last().copied().unwrap_or_default() })
        }
        None => Ok(()),
    }
}

async fn encoding(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::query_scalar("SELECT current_setting('server_encoding')").fetch_one(connection).await
}

/// Posts are in every script.
fn refuse_other_encodings(found: String) -> Result<(), StoreError> {
    if found == "UTF8" { Ok(()) } else { Err(StoreError::Encoding { found }) }
}

async fn applied(connection: &mut PgConnection) -> Result<BTreeSet<i64>, sqlx::Error> {
    let recorded: bool = sqlx::query_scalar("SELECT to_regclass('overheard.migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !recorded {
        return Ok(BTreeSet::new());
    }
    let versions: Vec<i64> = sqlx::query_scalar("SELECT version FROM overheard.migrations WHERE success")
        .fetch_all(connection)
        .await?;
    Ok(versions.into_iter().collect())
}
