//! Alerts, as messages have them.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{BrandId, Counts};

/// What a rule watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Far more mentions than the brand's own recent normal.
    Volume,
    /// A large share of negative mentions.
    NegativeShare,
    /// Nothing heard where something normally is.
    Silence,
    /// A logo seen where none was for long.
    FirstSighting,
}

impl AlertKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Volume, Self::NegativeShare, Self::Silence, Self::FirstSighting];

    /// The name in configuration, rows and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::NegativeShare => "negative_share",
            Self::Silence => "silence",
            Self::FirstSighting => "first_sighting",
        }
    }
}

/// Whether the condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// It has held for as long as the rule asks.
    Firing,
    /// It has been over for as long as the rule asks.
    Resolved,
}

impl AlertState {
    /// The name in rows and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// A post that shows what the alert is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertExample {
    /// The network.
    pub source: String,
    /// The post's identifier there.
    pub post_id: String,
    /// When its client claims to have made it.
    pub created_at: DateTime<Utc>,
    /// Where a person can read it.
    pub link: Option<String>,
    /// What it says, where texts are stored.
    pub text: Option<String>,
    /// The most probable label; none where no model scored it.
    pub label: Option<String>,
    /// Positive minus negative, -1..=1; none where no model scored it.
    pub polarity: Option<f32>,
}

/// The message on the alert topic (`docs/schemas/alert.schema.json`), keyed by brand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alert {
    /// The same for the firing and the resolved message of one incident, whoever evaluates it.
    pub id: String,
    /// `id` and state: the same message sent twice has the same one, so consumers can drop repeats.
    pub message_id: String,
    /// Firing or resolved.
    pub state: AlertState,
    /// The rule's id in `config/alerts.toml`.
    pub rule: String,
    /// What the rule watches.
    pub kind: AlertKind,
    /// The brand's id.
    #[serde(serialize_with = "brand_as_text")]
    pub brand: BrandId,
    /// When the condition began to hold.
    pub started_at: DateTime<Utc>,
    /// When it had held for as long as the rule asks.
    pub fired_at: DateTime<Utc>,
    /// When it had been over for as long as the rule asks; none while firing.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Length of the rule's window in seconds.
    pub window_seconds: u64,
    /// What was measured: mentions in the window, the share of negative ones among those scored
    /// (0..=1), or logos seen.
    pub value: f64,
    /// What the value was compared with, in the same unit.
    pub threshold: f64,
    /// Mentions within the rule's window when the alert changed its state.
    pub counts: Counts,
    /// Whether it is told long after it happened (`alerts.behind_after`): its posts came late, or
    /// reading them did.
    pub late: bool,
    /// Posts that show what it is about, the best ones first.
    pub examples: Vec<AlertExample>,
}

fn brand_as_text<S: serde::Serializer>(brand: &BrandId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(brand.as_str())
}
