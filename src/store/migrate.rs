//! Migrations: embedded in the program, applied under a lock, recorded in the schema itself.

use std::collections::BTreeSet;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};

use super::{Store, StoreError};

const RECORDS: &str = "overheard.migrations";
const DOING: &str = "migrate the database";

/// How far a database has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationState {
    /// Migrations that the database has.
    pub applied: usize,
    /// Migrations that it still needs.
    pub pending: usize,
}

impl Store {
    /// Applies the migrations that the database still needs. Of several processes that do so at
    /// once, one works and the others wait for it.
    ///
    /// # Errors
    /// The database is newer than this program, an applied migration differs from the program's,
    /// or Postgres refused.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // A migration that fails leaves sqlx's advisory lock with its session, so that session is
        // not one of the pool's. Waiting for the lock may take as long as another's migration.
        let mut connection = self.connection_of_its_own(DOING).await?;
        connection.execute("SET statement_timeout = 0").await.map_err(refused)?;
        connection.execute("SET idle_in_transaction_session_timeout = 0").await.map_err(refused)?;
        let result = run(&mut connection).await;
        drop(connection.close().await);
        result
    }

    /// Which migrations the database has, and which it needs.
    ///
    /// # Errors
    /// The database is newer than this program, or Postgres did not answer.
    pub async fn migration_state(&self) -> Result<MigrationState, StoreError> {
        let applied = self
            .within("read the state of migrations", async {
                let mut connection = self.pool.acquire().await?;
                applied(&mut connection).await
            })
            .await?;
        let known: BTreeSet<i64> = migrator(false).iter().map(|migration| migration.version).collect();
        refuse_newer(&applied, &known)?;
        Ok(MigrationState { applied: applied.len(), pending: known.difference(&applied).count() })
    }
}

fn migrator(creates_schema: bool) -> Migrator {
    let mut migrator = sqlx::migrate!();
    migrator.dangerous_set_table_name(RECORDS);
    if creates_schema {
        migrator.create_schema("overheard");
    }
    migrator
}

fn refused(cause: sqlx::Error) -> StoreError {
    StoreError::Query { doing: DOING, cause }
}

async fn run(connection: &mut PgConnection) -> Result<(), StoreError> {
    // `CREATE SCHEMA IF NOT EXISTS` asks for the privilege even where the schema exists, and an
    // administrator may have made the schema for a role that has it not.
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
