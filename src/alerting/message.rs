//! Messages of alerts. Their ids are derived from the incident, so every process that evaluates it
//! writes the same message.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::{Behind, Change, Reach, Transition, minute_of};
use crate::domain::{Alert, AlertExample, AlertState, BehindNotice, BehindState, BrandId, NoticeKind};

/// The id of the incident that began at that minute: 32 hexadecimal digits, the first half of the
/// SHA-256 of rule, brand and minute.
pub fn alert_id(rule: &str, brand: &BrandId, started_at: DateTime<Utc>) -> String {
    // Neither id holds a line break, so the text is unique.
    let hash = Sha256::digest(format!("{rule}\n{brand}\n{}", minute_of(started_at).timestamp()));
    hex::encode(&hash[..16])
}

/// The id of an incident's message.
pub fn message_id(alert_id: &str, state: AlertState) -> String {
    format!("{alert_id}:{}", state.as_str())
}

/// The message that the daemon is behind, or no longer. Its id follows from the minute since when it
/// was behind.
pub fn behind_notice(behind: Behind, reach: Reach) -> BehindNotice {
    let (state, since) = match behind {
        Behind::Begins { since } => (BehindState::Behind, since),
        Behind::Ends { since } => (BehindState::CaughtUp, since),
    };
    let hash = Sha256::digest(format!("behind\n{}", minute_of(since).timestamp()));
    let id = hex::encode(&hash[..16]);
    let read_until = reach.horizon();
    BehindNotice {
        message_id: format!("{id}:{}", state.as_str()),
        id,
        kind: NoticeKind::Behind,
        state,
        since,
        told_at: reach.now,
        read_until,
        behind_seconds: read_until.map(|until| (reach.now - until).num_seconds()),
    }
}

impl Change<'_> {
    /// The message of this change, if it has one, with posts that show what it is about. It is
    /// `late` if it is told long after it happened.
    pub fn alert(&self, examples: Vec<AlertExample>, late: bool) -> Option<Alert> {
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
            late,
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
        // Computed with sha256sum: other programs may rely on it.
        assert_eq!(one, "b3724ce7b53bde6a6bd6489efb144ac8");
        assert_eq!(one, id("r", &brand, "2026-03-01T12:00:59.9Z"));
        assert_ne!(one, id("r", &brand, "2026-03-01T12:01:00Z"));
        assert_ne!(one, id("s", &brand, "2026-03-01T12:00:05Z"));
        assert_ne!(one, id("r", &"acme2".parse().unwrap(), "2026-03-01T12:00:05Z"));
        assert_eq!(message_id("ab", AlertState::Resolved), "ab:resolved");
    }

    #[test]
    fn beginning_and_end_of_being_behind_share_their_id() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let since = at("2026-03-01T12:00:05Z");
        let reach = Reach { now: at("2026-03-01T12:10:05Z"), horizon: Some(since) };
        let begins = behind_notice(Behind::Begins { since }, reach);
        assert_eq!((begins.behind_seconds, begins.read_until), (Some(600), Some(since)));
        let ends = behind_notice(Behind::Ends { since }, Reach { horizon: Some(reach.now), ..reach });
        assert_eq!((&ends.id, ends.behind_seconds), (&begins.id, Some(0)));
        assert_eq!(begins.message_id, format!("{}:behind", begins.id));
        assert_eq!(ends.message_id, format!("{}:caught_up", begins.id));
    }
}
