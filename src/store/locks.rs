//! Advisory locks: what only one process at a time may do.

use sqlx::Connection;
use sqlx::postgres::PgConnection;

use super::{Store, StoreError};

/// The first half of every lock's key, so that other programs in the database are not in the way.
const FAMILY: i32 = 0x6f76_6572;

/// One of the program's locks.
#[derive(Clone, Copy, Debug)]
pub(super) struct LockName(i32);

/// Making and dropping partitions.
pub(super) const MAINTENANCE: LockName = LockName(1);
/// Evaluating alert rules.
pub(super) const EVALUATION: LockName = LockName(2);
/// Sending the outbox to Kafka.
pub(super) const RELAY: LockName = LockName(3);

impl LockName {
    /// Waits for the lock, which ends with the transaction.
    pub(super) async fn lock_transaction(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
            .bind(FAMILY)
            .bind(self.0)
            .execute(connection)
            .await
            .map(drop)
    }
}

/// A lock that lives exactly as long as its own connection, whoever or whatever ends that.
#[derive(Debug)]
pub(super) struct SessionLock {
    pub(super) connection: PgConnection,
}

impl SessionLock {
    /// Frees the lock and ends the session. Dropping does so too, a little later.
    pub(super) async fn release(mut self) {
        // Where these fail the session has ended, and the lock with it.
        drop(sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut self.connection).await);
        drop(self.connection.close().await);
    }
}

impl Store {
    /// The lock, unless another session has it.
    pub(super) async fn try_session_lock(
        &self,
        name: LockName,
        doing: &'static str,
    ) -> Result<Option<SessionLock>, StoreError> {
        let mut connection = self.connection_of_its_own(doing).await?;
        let taken: bool = self
            .within(doing, async {
                sqlx::query_scalar("SELECT pg_try_advisory_lock($1, $2)")
                    .bind(FAMILY)
                    .bind(name.0)
                    .fetch_one(&mut connection)
                    .await
            })
            .await?;
        if taken {
            return Ok(Some(SessionLock { connection }));
        }
        drop(connection.close().await);
        Ok(None)
    }

    /// Lets one process at a time send the outbox, in order; none while another one does.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn try_relay_lock(&self) -> Result<Option<RelayLock>, StoreError> {
        let lock = self.try_session_lock(RELAY, "take the relay's lock").await?;
        Ok(lock.map(|lock| RelayLock { lock, store: self.clone() }))
    }
}

/// The right to send the outbox.
#[derive(Debug)]
pub struct RelayLock {
    lock: SessionLock,
    store: Store,
}

impl RelayLock {
    /// Whether the lock is still held. It is lost with its connection.
    pub async fn is_held(&mut self) -> bool {
        let connection = &mut self.lock.connection;
        let ping = async { sqlx::query("SELECT 1").execute(connection).await };
        self.store.within("keep the relay's lock", ping).await.is_ok()
    }

    /// Lets another process send.
    pub async fn release(self) {
        self.lock.release().await;
    }
}
