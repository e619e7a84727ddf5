//! What can go wrong with Postgres, and whose fault it is.

use std::time::Duration;

use sqlx::migrate::MigrateError;

/// Why Postgres did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is none.
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
    /// No connection of the pool was to be had.
    #[error(
        "Could not {doing}: no connection within {limit:?}; Postgres is away, or all connections are busy"
    )]
    NoConnection {
        /// What was tried.
        doing: &'static str,
        /// How long it was waited for.
        limit: Duration,
    },
    /// No answer, not even the server's own time-out.
    #[error("Could not {doing}: Postgres did not answer within {limit:?}")]
    Silent {
        /// What was tried.
        doing: &'static str,
        /// How long it was waited for.
        limit: Duration,
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
    /// The migrations did not run to their end.
    #[error("Could not migrate the database: {0}")]
    Migrate(MigrateError),
}

impl StoreError {
    /// Whether the same call may succeed later without a change of what is written: connections,
    /// time-outs, overload, fail-over, deadlocks, and also what an operator can put right (a
    /// password, a missing schema or privilege, a full disk). What is left is the fault of the
    /// values themselves: SQLSTATE classes 22 (data) and 23 (constraints), 54 (limits such as the
    /// size of an index row), and values that have no form in Postgres.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoConnection { .. } | Self::Silent { .. } => true,
            Self::Query { cause, .. } | Self::Migrate(MigrateError::Execute(cause)) => is_transient(cause),
            Self::Migrate(_) | Self::Address(_) | Self::Newer { .. } => false,
        }
    }
}

fn is_transient(cause: &sqlx::Error) -> bool {
    match cause {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            // A check that has no name is a partition's own. It fails when a day partition was
            // attached between a row's way to the default partition and its arrival there.
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
