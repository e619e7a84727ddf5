//! Advisory locks: what only one process at a time may do.

use std::marker::PhantomData;

use sqlx::Connection;
use sqlx::postgres::PgConnection;

use super::client::Store;
use super::error::StoreError;

/// The first half of every lock's key, so that other programs in the database are not in the way.
const FAMILY: i32 = 0x6f76_6572;

/// A lock that a transaction takes and its end releases.
#[derive(Clone, Copy, Debug)]
pub(super) struct TransactionLock(i32);

/// Making and dropping partitions.
pub(super) const MAINTENANCE: TransactionLock = TransactionLock(1);
/// Changing what mentions are counted under (exclusive), or counting by it (shared).
pub(super) const CHANGE_MENTIONS: TransactionLock = TransactionLock(4);
/// Announcing up to where time is judged (exclusive), or changing counts (shared).
pub(super) const JUDGING: TransactionLock = TransactionLock(5);

/// Migrating.
const MIGRATE: i32 = 5;

/// Waits for the lock on migrating, which a session holds to its end.
pub(super) async fn hold_migrations(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let lock = sqlx::query("SELECT pg_advisory_lock($1, $2)").bind(FAMILY).bind(MIGRATE);
    lock.execute(connection).await.map(drop)
}

impl TransactionLock {
    /// Waits until nobody holds the lock exclusively, and shares it until the transaction ends.
    pub(super) async fn share(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT pg_advisory_xact_lock_shared($1, $2)")
            .bind(FAMILY)
            .bind(self.0)
            .execute(connection)
            .await
            .map(drop)
    }

    /// Waits for the lock, and holds it exclusively until the transaction ends.
    pub(super) async fn lock(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
            .bind(FAMILY)
            .bind(self.0)
            .execute(connection)
            .await
            .map(drop)
    }
}

/// Something that one process at a time does: the leader, which holds this lock.
pub trait Duty: Send + Sync + 'static {
    /// The second half of the lock's key.
    const KEY: i32;
    /// What an error says was tried, to complete "could not ...".
    const DOING: &'static str;
    /// How long the leader may do nothing on the lock's connection before the server ends it, so
    /// that a frozen process does not stay leader. One that takes a turn less often takes the lock
    /// anew at its next one.
    const LONGEST_IDLE: &'static str;
}

/// Evaluating alert rules.
#[derive(Debug)]
pub enum Evaluation {}

impl Duty for Evaluation {
    const KEY: i32 = 2;
    const DOING: &'static str = "take the evaluation's lock";
    const LONGEST_IDLE: &'static str = "30s";
}

/// Publishing the outbox.
#[derive(Debug)]
pub enum Relay {}

impl Duty for Relay {
    const KEY: i32 = 3;
    const DOING: &'static str = "take the relay's lock";
    /// Its turns wait for Kafka, not for Postgres.
    const LONGEST_IDLE: &'static str = "3min";
}

/// The leader's lock. It lives exactly as long as its own connection, whatever ends that.
#[derive(Debug)]
pub struct LeaderLock<D> {
    pub(super) connection: PgConnection,
    pub(super) store: Store,
    duty: PhantomData<D>,
}

impl<D: Duty> LeaderLock<D> {
    /// Whether the lock is still held: it is lost with its connection.
    pub async fn is_held(&mut self) -> bool {
        let ping = async { sqlx::query("SELECT 1").execute(&mut self.connection).await };
        self.store.within("keep a leader's lock", ping).await.is_ok()
    }

    /// Releases the lock and ends the session. Dropping does so too, a little later.
    pub async fn release(mut self) {
        // Where these fail the session has ended, and the lock with it.
        drop(sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut self.connection).await);
        drop(self.connection.close().await);
    }
}

/// A process that would be leader: one connection, however often it tries.
#[derive(Debug)]
pub struct Candidate<D> {
    store: Store,
    waiting: Option<PgConnection>,
    duty: PhantomData<D>,
}

impl Store {
    /// A candidate, which connects when it first tries.
    pub fn candidate<D: Duty>(&self) -> Candidate<D> {
        Candidate { store: self.clone(), waiting: None, duty: PhantomData }
    }
}

impl<D: Duty> Candidate<D> {
    /// Takes the lock, unless another session has it. The candidate's connection becomes the lock's.
    ///
    /// # Errors
    /// Postgres refused or did not answer. The next try connects anew.
    pub async fn try_lock(&mut self) -> Result<Option<LeaderLock<D>>, StoreError> {
        // Taken out: it comes back only if it is known to work and not to hold the lock.
        let mut connection = match self.waiting.take() {
            Some(connection) => connection,
            None => self.store.connection_of_its_own(D::DOING).await?,
        };
        let taken: bool = self
            .store
            .within(D::DOING, async {
                let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, $2)")
                    .bind(FAMILY)
                    .bind(D::KEY)
                    .fetch_one(&mut connection)
                    .await?;
                if taken {
                    sqlx::query("SELECT set_config('idle_session_timeout', $1, false)")
                        .bind(D::LONGEST_IDLE)
                        .execute(&mut connection)
                        .await?;
                }
                Ok(taken)
            })
            .await?;
        if taken {
            return Ok(Some(LeaderLock { connection, store: self.store.clone(), duty: PhantomData }));
        }
        self.waiting = Some(connection);
        Ok(None)
    }
}
