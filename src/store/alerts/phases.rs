//! Phases of rules as rows.

use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

use crate::alerting::{Phase, Phases, Unknown};
use crate::domain::BrandId;
use crate::store::parse::{brand, unknown_value};

/// A phase to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseChange {
    /// The rule's id.
    pub rule: String,
    /// The brand.
    pub brand: BrandId,
    /// The rule's new phase for that brand.
    pub phase: Phase,
}

/// The phases, and those that can't be read: what they are is not known, so nothing may be made of
/// it. A row whose brand can't be read is of no configured brand.
pub(super) async fn phases(connection: &mut PgConnection) -> Result<(Phases, Unknown), sqlx::Error> {
    let rows = sqlx::query(
        "SELECT rule, brand, phase, started_at, fired_at, below_since, until FROM overheard.alert_states",
    )
    .fetch_all(connection)
    .await?;
    let (mut phases, mut unknown) = (Phases::new(), Unknown::new());
    for row in rows {
        let (rule, brand): (String, BrandId) = match (row.try_get("rule"), brand(&row)) {
            (Ok(rule), Ok(brand)) => (rule, brand),
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(error = %error, "A phase of an alert rule can't be read and is left alone");
                continue;
            }
        };
        match phase(&row) {
            Ok(phase) => drop(phases.insert((rule, brand), phase)),
            Err(error) => {
                tracing::error!(
                    alert.rule = rule, alert.brand = %brand, error = %error,
                    "The phase of this rule and brand can't be read: nothing is judged of them; mend or delete the row of overheard.alert_states"
                );
                unknown.insert((rule, brand));
            }
        }
    }
    Ok((phases, unknown))
}

fn phase(row: &PgRow) -> Result<Phase, sqlx::Error> {
    Ok(match row.try_get("phase")? {
        "pending" => Phase::Pending { started_at: row.try_get("started_at")? },
        "firing" => Phase::Firing {
            started_at: row.try_get("started_at")?,
            fired_at: row.try_get("fired_at")?,
            below_since: row.try_get("below_since")?,
        },
        "cooling" => Phase::Cooling { until: row.try_get("until")? },
        unknown => return Err(unknown_value("alert_states.phase", unknown)),
    })
}

pub(super) async fn save_phase(
    connection: &mut PgConnection,
    change: &PhaseChange,
) -> Result<(), sqlx::Error> {
    let (name, started_at, fired_at, below_since, until) = match change.phase {
        Phase::Inactive => {
            return sqlx::query("DELETE FROM overheard.alert_states WHERE rule = $1 AND brand = $2")
                .bind(&change.rule)
                .bind(change.brand.as_str())
                .execute(connection)
                .await
                .map(drop);
        }
        Phase::Pending { started_at } => ("pending", Some(started_at), None, None, None),
        Phase::Firing { started_at, fired_at, below_since } => {
            ("firing", Some(started_at), Some(fired_at), below_since, None)
        }
        Phase::Cooling { until } => ("cooling", None, None, None, Some(until)),
    };
    sqlx::query(
        "INSERT INTO overheard.alert_states (rule, brand, phase, started_at, fired_at, below_since, until)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (rule, brand) DO UPDATE SET
             phase = excluded.phase, started_at = excluded.started_at, fired_at = excluded.fired_at,
             below_since = excluded.below_since, until = excluded.until",
    )
    .bind(&change.rule)
    .bind(change.brand.as_str())
    .bind(name)
    .bind(started_at)
    .bind(fired_at)
    .bind(below_since)
    .bind(until)
    .execute(connection)
    .await
    .map(drop)
}
