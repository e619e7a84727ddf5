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
/// Changing how mentions are counted (alone), or counting by what mentions say (shared).
pub(super) const CHANGE_MENTIONS: LockName = LockName(4);

impl LockName {
    /// Waits until nobody has the lock alone, and keeps others from that until the transaction ends.
    pub(super) async fn share(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT pg_advisory_xact_lock_shared($1, $2)")
            .bind(FAMILY)
            .bind(self.0)
            .execute(connection)
            .await
            .map(drop)
    }

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

/// A session that waits for a lock: one connection, however often it tries.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) store: Store,
    name: LockName,
    doing: &'static str,
    waiting: Option<PgConnection>,
}

impl Candidate {
    /// Not yet connected.
    pub(super) fn new(store: &Store, name: LockName, doing: &'static str) -> Self {
        Self { store: store.clone(), name, doing, waiting: None }
    }

    /// The lock, unless another session has it. The connection becomes the lock's.
    pub(super) async fn try_lock(&mut self) -> Result<Option<SessionLock>, StoreError> {
        // Taken out: it comes back only if it is known to work and not to hold the lock.
        let mut connection = match self.waiting.take() {
            Some(connection) => connection,
            None => self.store.connection_of_its_own(self.doing).await?,
        };
        let taken: bool = self
            .store
            .within(self.doing, async {
                sqlx::query_scalar("SELECT pg_try_advisory_lock($1, $2)")
                    .bind(FAMILY)
                    .bind(self.name.0)
                    .fetch_one(&mut connection)
                    .await
            })
            .await?;
        if taken {
            return Ok(Some(SessionLock { connection }));
        }
        self.waiting = Some(connection);
        Ok(None)
    }
}

impl Store {
    /// Somebody who would send the outbox. Connects when it first tries.
    pub fn relay_candidate(&self) -> RelayCandidate {
        RelayCandidate(Candidate::new(self, RELAY, "take the relay's lock"))
    }
}

/// Waits for the right to send the outbox, which one process at a time has.
#[derive(Debug)]
pub struct RelayCandidate(Candidate);

impl RelayCandidate {
    /// The right, unless another process has it.
    ///
    /// # Errors
    /// Postgres refused or did not answer. The next try connects anew.
    pub async fn try_lock(&mut self) -> Result<Option<RelayLock>, StoreError> {
        let lock = self.0.try_lock().await?;
        Ok(lock.map(|lock| RelayLock { lock, store: self.0.store.clone() }))
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
