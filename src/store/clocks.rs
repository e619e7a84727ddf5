//! Two clocks: this machine's and Postgres's. What is decided by time is refused where they differ.
//!
//! A machine whose clock is years ahead would drop every day of posts and resolve every alert. The
//! database's clock is one for all processes, so days and retention go by it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::client::Store;
use super::error::StoreError;
use crate::clock::Clock;

/// The largest difference that is tolerated.
const TOLERATED: Duration = Duration::from_mins(2);

/// What the two clocks said at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockDifference {
    /// This machine's time.
    pub here: DateTime<Utc>,
    /// Postgres's time.
    pub database: DateTime<Utc>,
}

impl ClockDifference {
    /// How far this machine's clock is ahead.
    pub fn ahead(&self) -> TimeDelta {
        self.here - self.database
    }

    /// Refuses clocks that differ too much.
    ///
    /// # Errors
    /// They do; the error names both times.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.ahead().abs() <= TimeDelta::from_std(TOLERATED).unwrap_or(TimeDelta::MAX) {
            return Ok(());
        }
        Err(StoreError::Clocks { here: self.here, database: self.database, limit: TOLERATED })
    }
}

impl Store {
    /// Reads both clocks. How long the answer took doesn't count as a difference.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn clock_difference(&self, clock: &dyn Clock) -> Result<ClockDifference, StoreError> {
        let asked_at = clock.now();
        let database: DateTime<Utc> = self
            .within("read Postgres's clock", async {
                sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&self.pool).await
            })
            .await?;
        let answered_at = clock.now();
        // The database read its clock somewhere between the two; the nearest of them counts.
        let here = database.clamp(asked_at, answered_at.max(asked_at));
        Ok(ClockDifference { here, database })
    }

    /// The time to decide by: Postgres's, or a simulated clock's own.
    ///
    /// # Errors
    /// The clocks differ too much, or Postgres did not answer.
    pub async fn time_to_decide_by(&self, clock: &dyn Clock) -> Result<DateTime<Utc>, StoreError> {
        if clock.is_simulated() {
            return Ok(clock.now());
        }
        let difference = self.clock_difference(clock).await?;
        difference.check()?;
        Ok(difference.database)
    }
}
