//! An alert: something about a brand that a person should know now.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::BrandId;

/// What a rule watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Far more mentions than the brand's own recent normal.
    Volume,
    /// A large share of negative mentions.
    NegativeShare,
}

impl AlertKind {
    /// The name in configuration, rows and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::NegativeShare => "negative_share",
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

/// Mentions within the rule's window when the alert changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
pub struct AlertCounts {
    /// All mentions.
    pub mentions: u64,
    /// Those labelled negative.
    pub negative: u64,
    /// Those labelled neutral.
    pub neutral: u64,
    /// Those labelled positive.
    pub positive: u64,
    /// Those that no model scored.
    pub unscored: u64,
    /// Mean polarity of those scored, -1..=1; none without such.
    pub polarity: Option<f64>,
    /// Logos seen in the pictures of these posts.
    pub sightings: u64,
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
    /// What it says, where settings keep texts.
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
    /// What was measured: mentions in the window, or the share of negative ones among those scored
    /// (0..=1).
    pub value: f64,
    /// What it was held against, in the same unit.
    pub threshold: f64,
    /// Mentions within the window.
    pub counts: AlertCounts,
    /// Posts that show what it is about, the most telling first.
    pub examples: Vec<AlertExample>,
}

fn brand_as_text<S: serde::Serializer>(brand: &BrandId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(brand.as_str())
}
