//! What the evaluation of alert rules reads and writes.
//!
//! Everything goes through the connection that holds the advisory lock, also the commit. If the
//! lock is lost with its connection, so is the transaction, and no two processes can both commit.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Connection;

use super::phases::PhaseChange;
use super::series::Pasts;
use super::{examples, incidents, phases, progress, series};
use crate::alerting::{ChangedMinutes, Incident, PastNeeds, Phases, Series, Unknown};
use crate::domain::{Alert, AlertExample, AlertKind, BrandId};
use crate::store::advisory_lock::{Evaluation, LeaderLock};
use crate::store::error::StoreError;

/// How many posts a message shows.
const EXAMPLES: u32 = 5;

/// What an evaluation has come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgements {
    /// Phases that have changed.
    pub phases: Vec<PhaseChange>,
    /// Alerts that fired or resolved.
    pub alerts: Vec<Alert>,
    /// Up to when time was judged, if further than before.
    pub judged_until: Option<DateTime<Utc>>,
    /// Marks of changed minutes that were taken up.
    pub taken_up: Vec<i64>,
}

/// After an error of Postgres, drop the lock and take it anew: its connection may be gone.
impl LeaderLock<Evaluation> {
    /// The phases of all rules and brands, and those that this program can't read.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn phases(&mut self) -> Result<(Phases, Unknown), StoreError> {
        let Self { connection, store, .. } = self;
        store.within("read the phases of alerts", phases::phases(connection)).await
    }

    /// The minutes whose counts have changed after they were judged, and the marks that say so.
    /// Counts that are read later hold what is marked.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn changed_minutes(&mut self) -> Result<(ChangedMinutes, Vec<i64>), StoreError> {
        let Self { connection, store, .. } = self;
        store.within("read which minutes have changed", progress::changed(connection)).await
    }

    /// The counts of each brand by minute, from the time that is named with it up to `until`: of all
    /// networks, or of one. A brand without mentions has none.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn series(
        &mut self,
        from: &BTreeMap<BrandId, DateTime<Utc>>,
        until: DateTime<Utc>,
        source: Option<&str>,
        past: &Pasts,
    ) -> Result<BTreeMap<BrandId, Series>, StoreError> {
        let Self { connection, store, .. } = self;
        let kept = store.options.retention_counts.and_then(|kept| TimeDelta::from_std(kept).ok());
        let kept_since = kept.map(|kept| until - kept);
        let query = series::series(connection, from, until, source, kept_since, past);
        store.within("read counts for alerts", query).await
    }

    /// When a logo of each of these brands was last seen before the time that is named with it, within
    /// `reach`.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn last_sightings(
        &mut self,
        before: &[(&BrandId, DateTime<Utc>)],
        reach: TimeDelta,
    ) -> Result<Vec<(BrandId, DateTime<Utc>)>, StoreError> {
        let Self { connection, store, .. } = self;
        let query = series::last_sightings(connection, before, reach);
        store.within("read when logos were last seen", query).await
    }

    /// What is normal for these brands, to judge windows that end between `first` and `last`: on all
    /// networks, or on one.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn pasts(
        &mut self,
        brands: &[BrandId],
        source: Option<&str>,
        needs: &PastNeeds,
        first: DateTime<Utc>,
        last: DateTime<Utc>,
    ) -> Result<Pasts, StoreError> {
        let Self { connection, store, .. } = self;
        let query = series::pasts(connection, brands, source, needs, first, last);
        store.within("read what is normal for brands", query).await
    }

    /// Incidents that are open, or that ended after that time.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn incidents(&mut self, ended_after: DateTime<Utc>) -> Result<Vec<Incident>, StoreError> {
        let Self { connection, store, .. } = self;
        store.within("read incidents", incidents::incidents(connection, ended_after)).await
    }

    /// The posts that best show what an alert of that kind is about, from the window that ends with
    /// `end`, exclusively.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn examples(
        &mut self,
        brand: &BrandId,
        kind: AlertKind,
        window: Duration,
        end: DateTime<Utc>,
    ) -> Result<Vec<AlertExample>, StoreError> {
        let Self { connection, store, .. } = self;
        let query = examples::examples(connection, brand, kind, window, end, EXAMPLES);
        store.within("read examples for an alert", query).await
    }

    /// An alert that is firing, with what was measured when it fired and without examples.
    ///
    /// # Errors
    /// Postgres refused or did not answer, or the alert is of a kind that this program does not know.
    pub async fn open_alert(&mut self, id: &str) -> Result<Option<Alert>, StoreError> {
        let Self { connection, store, .. } = self;
        store.within("read an open alert", incidents::open_alert(connection, id)).await
    }

    /// Stores what an evaluation has come to, with the alerts' messages, in one transaction. A
    /// message that was stored before is not stored again.
    ///
    /// # Errors
    /// Nothing was stored, or, where the connection broke during the commit, all of it may have
    /// been. Evaluating again is right in both cases.
    pub async fn commit(&mut self, judgements: &Judgements) -> Result<(), StoreError> {
        if *judgements == Judgements::default() {
            return Ok(());
        }
        let Self { connection, store, .. } = self;
        store
            .within("store alerts", async {
                let mut transaction = connection.begin().await?;
                for change in &judgements.phases {
                    phases::save_phase(&mut transaction, change).await?;
                }
                for alert in &judgements.alerts {
                    incidents::save_with_message(&mut transaction, alert).await?;
                }
                let Judgements { judged_until, taken_up, .. } = judgements;
                progress::save_progress(&mut transaction, *judged_until, taken_up).await?;
                transaction.commit().await
            })
            .await
    }
}
