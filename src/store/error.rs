//! Errors of Postgres, and which of them a retry may heal.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::migrate::MigrateError;

/// An error of Postgres.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address can't be parsed.
    #[error("The address of Postgres can't be read: {0}")]
    Address(String),
    /// A statement or a connection failed.
    #[error("Could not {doing}: {cause}")]
    Query {
        /// What was tried, to complete "could not ...".
        doing: &'static str,
        /// Why it failed.
        cause: sqlx::Error,
    },
    /// No connection of the pool was free in time.
    #[error(
        "Could not {doing}: no connection within {limit:?}; Postgres is down, or all connections are busy"
    )]
    NoConnection {
        /// What was tried.
        doing: &'static str,
        /// How long the wait was.
        limit: Duration,
    },
    /// No answer, not even that the statement timed out.
    #[error("Could not {doing}: Postgres did not answer within {limit:?}")]
    Silent {
        /// What was tried.
        doing: &'static str,
        /// How long the wait was.
        limit: Duration,
    },
    /// The server went silent, and its connections were given up.
    #[error("Could not {doing}: Postgres went silent, and its connections were given up")]
    GivenUp {
        /// What was tried.
        doing: &'static str,
    },
    /// The clocks of this machine and of Postgres differ too much to decide anything by time.
    #[error(
        "This machine's clock says {here} and Postgres's says {database}: they differ by more than {limit:?}, so nothing is decided by time; set the wrong one right"
    )]
    Clocks {
        /// This machine's time.
        here: DateTime<Utc>,
        /// Postgres's time.
        database: DateTime<Utc>,
        /// What is tolerated.
        limit: Duration,
    },
    /// The database can't hold every character.
    #[error(
        "The database is encoded in {found}, which can't hold every post: make it anew with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
    )]
    Encoding {
        /// Its encoding.
        found: String,
    },
    /// The schema was migrated by a newer program.
    #[error(
        "The database was migrated to version {database} by a newer program, and this one knows {program}: run the newer program"
    )]
    Newer {
        /// The newest migration in the database.
        database: i64,
        /// The newest migration in the program.
        program: i64,
    },
    /// A migration failed.
    #[error("Could not migrate the database: {0}")]
    Migrate(MigrateError),
}

impl StoreError {
    /// Whether a lock was not granted in time.
    pub fn is_locked(&self) -> bool {
        let (Self::Query { cause, .. }
        | Self::Migrate(MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _))) = self
        else {
            return false;
        };
        match cause {
            sqlx::Error::Database(error) => error.code().is_some_and(|code| code == "55P03"),
            _ => false,
        }
    }

    /// Whether the same call may succeed later: connections, time-outs, overload, fail-over,
    /// deadlocks, and whatever an operator can fix (a password, a missing schema or privilege, a
    /// full disk, a clock). What is not transient is the fault of the values: SQLSTATE classes 22 (data),
    /// 23 (constraints) and 54 (limits such as the size of an index row), values that Postgres
    /// can't represent, and rows that the program can't parse.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoConnection { .. } | Self::Silent { .. } | Self::GivenUp { .. } | Self::Clocks { .. } => {
                true
            }
            Self::Query { cause, .. }
            | Self::Migrate(MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) => {
                is_transient(cause)
            }
            Self::Migrate(_) | Self::Address(_) | Self::Encoding { .. } | Self::Newer { .. } => false,
        }
    }
}

fn is_transient(cause: &sqlx::Error) -> bool {
    match cause {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            // A check without a name is a partition's bounds. It fails when a day partition was
            // attached while a row of that day was on its way to the default partition.
            if code == "23514" && error.constraint().is_none() {
                return true;
            }
            !["22", "23", "54"].iter().any(|class| code.starts_with(class))
        }
        sqlx::Error::Configuration(_)
        | sqlx::Error::InvalidArgument(_)
        | sqlx::Error::Encode(_)
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::RowNotFound
        | sqlx::Error::Migrate(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(cause: sqlx::Error) -> StoreError {
        StoreError::Query { doing: "write posts", cause }
    }

    #[test]
    fn what_time_or_an_operator_can_heal_is_transient() {
        let limit = Duration::from_secs(1);
        assert!(StoreError::NoConnection { doing: "write posts", limit }.is_transient());
        assert!(failed(sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())).is_transient());
        assert!(StoreError::Silent { doing: "write posts", limit }.is_transient());
    }

    #[test]
    fn what_is_wrong_with_the_values_or_the_program_is_not() {
        assert!(!failed(sqlx::Error::Encode("out of range".into())).is_transient());
        assert!(!StoreError::Address("empty".to_owned()).is_transient());
        assert!(!StoreError::Newer { database: 2, program: 1 }.is_transient());
    }
}
