//! The evaluation of alert rules by one process at a time.
//!
//! Everything goes through the connection that holds the advisory lock, also the commit. So if the
//! lock is lost, with its connection, what was in progress is lost with it, and two processes can
//! never both write what they found.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::postgres::PgConnection;

use super::alerts::{self, PhaseChange};
use super::locks::{Candidate, EVALUATION, SessionLock};
use super::{Store, StoreError};
use crate::alerting::{
    Needs, Phase, Phases, Rule, Series, Transition, alert_id, evaluate, message_id, needs, unwatched,
};
use crate::domain::{Alert, AlertExample, AlertKind, AlertState, BrandId};

/// How many posts a message shows.
const EXAMPLES: u32 = 5;

/// The right to evaluate alert rules. After any error, drop it and take it anew.
#[derive(Debug)]
pub struct EvaluationLock {
    lock: SessionLock,
    store: Store,
}

/// Waits for the right to evaluate alert rules, which one process at a time has.
#[derive(Debug)]
pub struct EvaluationCandidate(Candidate);

impl Store {
    /// Somebody who would evaluate. Connects when it first tries.
    pub fn evaluation_candidate(&self) -> EvaluationCandidate {
        EvaluationCandidate(Candidate::new(self, EVALUATION, "take the evaluation's lock"))
    }
}

impl EvaluationCandidate {
    /// The right, unless another process has it.
    ///
    /// # Errors
    /// Postgres refused or did not answer. The next try connects anew.
    pub async fn try_lock(&mut self) -> Result<Option<EvaluationLock>, StoreError> {
        let lock = self.0.try_lock().await?;
        Ok(lock.map(|lock| EvaluationLock { lock, store: self.0.store.clone() }))
    }
}

impl EvaluationLock {
    /// Evaluates all rules on all brands at `now` and stores what changed: phases, alerts, and
    /// their messages in the outbox for `topic`. Returns the messages. An alert whose rule or brand
    /// has gone from the configuration is resolved.
    ///
    /// # Errors
    /// Nothing was stored, or, where the connection broke during the commit, all of it may have
    /// been. Evaluating again is right in both cases.
    pub async fn evaluate(
        &mut self,
        rules: &[Rule],
        brands: &[BrandId],
        now: DateTime<Utc>,
        topic: &str,
    ) -> Result<Vec<Alert>, StoreError> {
        // Rows keep microseconds; with whole seconds, rows and messages say the same.
        let now = now.duration_trunc(TimeDelta::seconds(1)).unwrap_or(now);
        let phases = self.phases().await?;
        let series = match needs(rules) {
            Some(needs) => self.series(brands, needs, now).await?,
            None => BTreeMap::new(),
        };
        let mut phase_changes = Vec::new();
        let mut alerts = Vec::new();
        for change in evaluate(rules, brands, &series, &phases, now) {
            let examples = match change.transition {
                Some(Transition::Fired { .. }) => {
                    let kind = change.rule.condition.kind();
                    self.examples(&change.brand, kind, change.rule.window, now).await?
                }
                _ => Vec::new(),
            };
            alerts.extend(change.alert(examples));
            phase_changes.push(PhaseChange {
                rule: change.rule.id.clone(),
                brand: change.brand,
                phase: change.phase,
            });
        }
        for (rule, brand, phase) in unwatched(rules, brands, &phases) {
            if let Phase::Firing { started_at, .. } = phase {
                alerts.extend(self.resolved_without_a_rule(&rule, &brand, started_at, now).await?);
            }
            phase_changes.push(PhaseChange { rule, brand, phase: Phase::Inactive });
        }
        self.save(&phase_changes, &alerts, topic).await?;
        Ok(alerts)
    }

    /// Where each rule stands with each brand.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn phases(&mut self) -> Result<Phases, StoreError> {
        let (connection, store) = self.parts();
        store.within("read the phases of alerts", alerts::phases(connection)).await
    }

    /// Counts of all brands, as the rules need them. A brand without counts has no series.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn series(
        &mut self,
        brands: &[BrandId],
        needs: Needs,
        now: DateTime<Utc>,
    ) -> Result<BTreeMap<BrandId, Series>, StoreError> {
        let (connection, store) = self.parts();
        store.within("read counts for alerts", alerts::series(connection, brands, needs, now)).await
    }

    /// Posts of the window that ends with the minute of `now` which show best what an alert of that
    /// kind is about.
    ///
    /// # Errors
    /// Postgres refused or did not answer.
    pub async fn examples(
        &mut self,
        brand: &BrandId,
        kind: AlertKind,
        window: Duration,
        now: DateTime<Utc>,
    ) -> Result<Vec<AlertExample>, StoreError> {
        let (connection, store) = self.parts();
        let query = alerts::examples(connection, brand, kind, window, now, EXAMPLES);
        store.within("read examples for an alert", query).await
    }

    /// Stores phases, alerts, and the alerts' messages for `topic`, in one transaction. A message
    /// that was stored before is not stored again.
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate).
    pub async fn save(
        &mut self,
        changes: &[PhaseChange],
        alerts: &[Alert],
        topic: &str,
    ) -> Result<(), StoreError> {
        if changes.is_empty() && alerts.is_empty() {
            return Ok(());
        }
        let (connection, store) = self.parts();
        store.within("store alerts", alerts::save(connection, changes, alerts, topic)).await
    }

    /// Lets another process evaluate.
    pub async fn release(self) {
        self.lock.release().await;
    }

    async fn resolved_without_a_rule(
        &mut self,
        rule: &str,
        brand: &BrandId,
        started_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<Alert>, StoreError> {
        let id = alert_id(rule, brand, started_at);
        let (connection, store) = self.parts();
        let open = store.within("read an open alert", alerts::open_alert(connection, &id)).await?;
        Ok(open.map(|open| Alert {
            message_id: message_id(&id, AlertState::Resolved),
            state: AlertState::Resolved,
            resolved_at: Some(now),
            ..open
        }))
    }

    fn parts(&mut self) -> (&mut PgConnection, &Store) {
        (&mut self.lock.connection, &self.store)
    }
}
