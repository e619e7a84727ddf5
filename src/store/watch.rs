//! The watch over Postgres: a connection that is asked at intervals, and stands for all others.

use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::PgConnection;
use tokio_util::sync::CancellationToken;

use super::client::Store;
use super::error::StoreError;

const DOING: &str = "reach Postgres";

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A connection of its own. It was opened to the same server as the pool's, so when it goes silent
/// and a new one answers, theirs have gone silent too.
#[derive(Debug)]
pub struct Watch {
    store: Store,
    connection: Option<PgConnection>,
    /// The connections that went silent together with this one, until a new one answers.
    silent: Option<CancellationToken>,
}

impl Store {
    /// A watch, which connects when it first asks.
    pub fn watch(&self) -> Watch {
        Watch { store: self.clone(), connection: None, silent: None }
    }
}

impl Watch {
    /// Asks Postgres for a sign of life. Where only a new connection gives one, all older
    /// connections are given up, and what waits on them ends with an error that is transient.
    ///
    /// # Errors
    /// Postgres did not answer, or not in time.
    pub async fn ask(&mut self) -> Result<(), StoreError> {
        if let Some(mut connection) = self.connection.take() {
            let asked = sqlx::query("SELECT 1").execute(&mut connection);
            match tokio::time::timeout(ANSWER_LIMIT, asked).await {
                Ok(Ok(_)) => {
                    self.connection = Some(connection);
                    return Ok(());
                }
                // It was ended. Others were, too, or not: they will notice by themselves.
                Ok(Err(_)) => {}
                Err(_) => self.silent = Some(self.store.pool.given_up()),
            }
        }
        let connecting = self.store.connection_of_its_own(DOING);
        let connection = tokio::time::timeout(ANSWER_LIMIT, connecting)
            .await
            .map_err(|_| StoreError::Silent { doing: DOING, limit: ANSWER_LIMIT })??;
        if let Some(silent) = self.silent.take() {
            tracing::warn!("Postgres answers on new connections only: the older ones are given up");
            self.store.pool.give_up(&silent);
        }
        self.connection = Some(connection);
        Ok(())
    }

    /// Ends the session.
    pub async fn close(self) {
        if let Some(connection) = self.connection {
            drop(tokio::time::timeout(ANSWER_LIMIT, connection.close()).await);
        }
    }
}
