//! Makes the message of a change. Its ids follow from what happened, so whoever evaluates the same
//! incident writes the same message.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::{Change, Transition, minute_of};
use crate::domain::{Alert, AlertExample, AlertState, BrandId};

/// The id of the incident that began at that minute: 32 hexadecimal digits, the first half of the
/// SHA-256 of rule, brand and minute.
pub fn alert_id(rule: &str, brand: &BrandId, started_at: DateTime<Utc>) -> String {
    let mut hash = Sha256::new();
    // Neither id holds a line break, so no two incidents are written alike.
    hash.update(format!("{rule}\n{brand}\n{}", minute_of(started_at).timestamp()));
    let half = hash.finalize().iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte));
    format!("{half:032x}")
}

/// The id of an incident's message.
pub fn message_id(alert_id: &str, state: AlertState) -> String {
    format!("{alert_id}:{}", state.as_str())
}

impl Change<'_> {
    /// The message, if people are to be told, with posts that show what it is about.
    pub fn alert(&self, examples: Vec<AlertExample>) -> Option<Alert> {
        let (started_at, fired_at, resolved_at) = match self.transition? {
            Transition::Fired { started_at, fired_at } => (started_at, fired_at, None),
            Transition::Resolved { started_at, fired_at, resolved_at } => {
                (started_at, fired_at, Some(resolved_at))
            }
        };
        let state = if resolved_at.is_some() { AlertState::Resolved } else { AlertState::Firing };
        let id = alert_id(&self.rule.id, &self.brand, started_at);
        Some(Alert {
            message_id: message_id(&id, state),
            id,
            state,
            rule: self.rule.id.clone(),
            kind: self.rule.condition.kind(),
            brand: self.brand.clone(),
            started_at,
            fired_at,
            resolved_at,
            window_seconds: self.rule.window.as_secs(),
            value: self.measurement.value,
            threshold: self.measurement.threshold,
            counts: self.measurement.counts,
            examples,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_follows_from_rule_brand_and_minute() {
        let brand: BrandId = "acme".parse().unwrap();
        let id = |rule, brand, at: &str| alert_id(rule, brand, at.parse().unwrap());
        let one = id("r", &brand, "2026-03-01T12:00:05Z");
        // Computed apart, with sha256sum: other programs may rely on it.
        assert_eq!(one, "b3724ce7b53bde6a6bd6489efb144ac8");
        assert_eq!(one, id("r", &brand, "2026-03-01T12:00:59.9Z"));
        assert_ne!(one, id("r", &brand, "2026-03-01T12:01:00Z"));
        assert_ne!(one, id("s", &brand, "2026-03-01T12:00:05Z"));
        assert_ne!(one, id("r", &"acme2".parse().unwrap(), "2026-03-01T12:00:05Z"));
        assert_eq!(message_id("ab", AlertState::Resolved), "ab:resolved");
    }
}
