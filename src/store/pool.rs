//! The pool of connections, which is replaced as a whole when the server behind it goes silent.
//!
//! After a fail-over without a TCP reset nothing tells the client that its connections are dead:
//! each would have to be waited for. So once the path is known to be silent, all connections are
//! given up together, with what waits on them, and the next call connects anew.

use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{Describe, Either, Error, Execute, Executor, SqlStr, Transaction};
use tokio_util::sync::CancellationToken;

/// A pool that can be replaced. Clones are handles to the same one.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    current: RwLock<Generation>,
    make: Box<dyn Fn() -> PgPool + Send + Sync>,
}

/// The pool of today, and what ends with it.
#[derive(Clone)]
struct Generation {
    pool: PgPool,
    given_up: CancellationToken,
}

impl Generation {
    fn of(pool: PgPool) -> Self {
        Self { pool, given_up: CancellationToken::new() }
    }
}

impl Pool {
    /// A pool that is made by this function, now and each time it is given up.
    pub(super) fn new(make: impl Fn() -> PgPool + Send + Sync + 'static) -> Self {
        let current = RwLock::new(Generation::of(make()));
        Self(Arc::new(Shared { current, make: Box::new(make) }))
    }

    fn current(&self) -> Generation {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A connection, once one is free.
    pub(super) async fn acquire(&self) -> Result<PoolConnection<Postgres>, Error> {
        self.current().pool.acquire().await
    }

    /// A transaction on a connection, once one is free.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Postgres>, Error> {
        self.current().pool.begin().await
    }

    /// Waits until all connections are free, and closes them.
    pub(super) async fn close(&self) {
        self.current().pool.close().await;
    }

    /// Tells when the connections of now are given up.
    pub(super) fn given_up(&self) -> CancellationToken {
        self.current().given_up
    }

    /// Gives up all connections that a token belongs to. Others may have done so already.
    pub(super) fn give_up(&self, generation: &CancellationToken) {
        let mut current = self.0.current.write().unwrap_or_else(PoisonError::into_inner);
        if generation.is_cancelled() {
            return;
        }
        // Its connections go when those who hold them let go; nobody waits for that.
        *current = Generation::of((self.0.make)());
        generation.cancel();
    }
}

/// Without how it is made: that knows the password.
impl std::fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.current().pool.fmt(formatter)
    }
}

/// Queries on any connection that is free, as with sqlx's own pool.
impl<'p> Executor<'p> for &'_ Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        self.current().pool.fetch_many(query)
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        self.current().pool.fetch_optional(query)
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        self.current().pool.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        self.current().pool.describe(sql)
    }
}
