//! `config/alerts.toml` -> alert rules.

use std::collections::BTreeSet;
use std::time::Duration;

use toml::Table;

use super::{ConfigError, Problems, Section, Setting};
use crate::alerting::{Condition, HISTORY_REACH, MINUTE, Rule, Watched};
use crate::domain::BrandId;

/// Reads the rules.
///
/// # Errors
/// All problems at once, each with its key path.
pub fn read_rules(text: &str, known_brands: &[BrandId]) -> Result<Vec<Rule>, ConfigError> {
    read(text, known_brands, Problems::default())
}

pub(super) fn read(
    text: &str,
    known_brands: &[BrandId],
    problems: Problems,
) -> Result<Vec<Rule>, ConfigError> {
    let table: Table = text.parse().map_err(|error| ConfigError::one(format!("alerts: {error}")))?;
    let mut root = Section::root(table, &problems);
    let mut rules = Vec::new();
    let mut ids = BTreeSet::new();
    for mut section in root.sections("rule") {
        let rule = read_rule(&mut section, known_brands);
        if !rule.id.is_empty() && !ids.insert(rule.id.clone()) {
            section.note("id", format_args!("another rule has the id `{}` too", rule.id));
        }
        section.finish();
        rules.push(rule);
    }
    root.finish();
    problems.finish(rules)
}

fn read_rule(section: &mut Section<'_>, known_brands: &[BrandId]) -> Rule {
    // The form of a brand's id, since it is part of rows, messages and metric labels.
    let id = section.parsed::<RuleId>("id").map(|id| id.0).unwrap_or_default();
    let brands = read_brands(section, known_brands);
    let window: Duration = section.required("window");
    if window < MINUTE || !is_whole(window, MINUTE) {
        section.note("window", "is not a whole number of minutes, at least one");
    }
    if window > LONGEST_WINDOW {
        section.note("window", "is longer than 7d");
    }
    let condition = read_condition(section, window);
    let hold_for = section.or("for", Duration::ZERO);
    match condition {
        Condition::Volume { baseline, .. } if section.is_sound("baseline") && hold_for >= baseline => {
            section.note("for", "is not shorter than `baseline`: by then the new volume would be normal");
        }
        Condition::FirstSighting { .. } if section.is_sound("window") && hold_for >= window => {
            section.note("for", "is not shorter than `window`: by then the sighting would be out of it");
        }
        _ if hold_for > LONGEST_WINDOW => section.note("for", "is longer than 7d"),
        _ => {}
    }
    let keep_firing_for = section.or("keep_firing_for", Duration::ZERO);
    let cooldown = section.required("cooldown");
    if cooldown < MINUTE {
        section.note("cooldown", "is shorter than a minute");
    }
    Rule { id, condition, brands, window, hold_for, keep_firing_for, cooldown }
}

const LONGEST_WINDOW: Duration = Duration::from_hours(24 * 7);
const LONGEST_ABSENCE: Duration = Duration::from_hours(24 * 365);

struct RuleId(String);

impl std::str::FromStr for RuleId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("`{text}` is not a rule id: use 1 to 64 lower-case letters, digits and dashes"))
        }
    }
}

fn read_brands(section: &mut Section<'_>, known_brands: &[BrandId]) -> Watched {
    let Some(names) = section.optional::<Vec<String>>("brands") else { return Watched::All };
    if names.is_empty() {
        section.note("brands", "is empty; leave it out to watch all brands");
    }
    let mut brands = BTreeSet::new();
    for name in names {
        match known_brands.iter().find(|known| known.as_str() == name) {
            Some(known) => drop(brands.insert(known.clone())),
            None => section.note("brands", format_args!("there is no brand `{name}`")),
        }
    }
    Watched::Only(brands)
}

fn read_condition(section: &mut Section<'_>, window: Duration) -> Condition {
    let kind: String = section.required("kind");
    match kind.as_str() {
        "volume" => read_volume(section, window),
        "negative_share" => read_negative_share(section),
        "silence" => read_silence(section, window),
        "first_sighting" => read_first_sighting(section),
        other => {
            if !other.is_empty() {
                section.note(
                    "kind",
                    format_args!(
                        "`{other}` is none of \"volume\", \"negative_share\", \"silence\" and \"first_sighting\""
                    ),
                );
            }
            // Which other keys are known depends on the kind, so none is reported as unknown.
            for key in [
                "baseline",
                "min_history",
                "deviations",
                "min_ratio",
                "share",
                "min_mentions",
                "source",
                "absent_for",
            ] {
                let AnyValue = section.or(key, AnyValue);
            }
            Condition::NegativeShare { share: 1.0, min_mentions: 1 }
        }
    }
}

/// A value of any type.
struct AnyValue;

impl Setting for AnyValue {
    const EXPECTED: &'static str = "a value";
    fn schema() -> serde_json::Value {
        serde_json::Value::Bool(true)
    }
    fn read(_: &toml::Value) -> Option<Self> {
        Some(Self)
    }
    fn placeholder() -> Self {
        Self
    }
}

fn read_silence(section: &mut Section<'_>, window: Duration) -> Condition {
    let source = section.optional("source");
    let (baseline, min_history) = read_baseline(section, window);
    Condition::Silence { source, baseline, min_history, min_mentions: min_mentions(section) }
}

fn read_first_sighting(section: &mut Section<'_>) -> Condition {
    let absent_for: Duration = section.required("absent_for");
    if absent_for < Duration::from_hours(1) {
        section.note("absent_for", "is shorter than an hour");
    }
    if absent_for > LONGEST_ABSENCE {
        section.note("absent_for", "is longer than 365d");
    }
    Condition::FirstSighting { absent_for }
}

/// How far back the normal is taken from, and how many earlier windows it needs.
fn read_baseline(section: &mut Section<'_>, window: Duration) -> (Duration, u32) {
    let baseline: Duration = section.required("baseline");
    let min_history: u32 = section.required("min_history");
    if min_history == 0 {
        section.note("min_history", "is 0; the baseline needs at least one earlier window");
    }
    let needed = window.saturating_mul(min_history);
    if baseline < needed {
        section.note(
            "baseline",
            format_args!(
                "is shorter than `min_history` windows, which take {} minutes",
                needed.as_secs() / 60
            ),
        );
    }
    if baseline > HISTORY_REACH {
        section.note("baseline", "is longer than 56d");
    }
    (baseline, min_history)
}

fn read_volume(section: &mut Section<'_>, window: Duration) -> Condition {
    let (baseline, min_history) = read_baseline(section, window);
    let deviations = section.required("deviations");
    if deviations <= 0.0 {
        section.note("deviations", "is not above 0");
    }
    let min_ratio = section.or("min_ratio", 1.0);
    if min_ratio < 1.0 {
        section.note("min_ratio", "is below 1");
    }
    Condition::Volume { baseline, min_history, deviations, min_ratio, min_mentions: min_mentions(section) }
}

fn read_negative_share(section: &mut Section<'_>) -> Condition {
    let share = section.required("share");
    if !(share > 0.0 && share <= 1.0) {
        section.note("share", "is not above 0 and at most 1");
    }
    Condition::NegativeShare { share, min_mentions: min_mentions(section) }
}

fn min_mentions(section: &mut Section<'_>) -> u32 {
    let min_mentions = section.required("min_mentions");
    if min_mentions == 0 {
        section.note("min_mentions", "is 0; write at least 1");
    }
    min_mentions
}

fn is_whole(duration: Duration, unit: Duration) -> bool {
    duration.as_nanos().is_multiple_of(unit.as_nanos())
}

#[cfg(test)]
#[path = "alerts_tests.rs"]
mod tests;
