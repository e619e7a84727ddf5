//! Alerting: counts over time and rules -> alerts. Pure: time and counts are handed in.
//!
//! 1. [`needs`] says how finely and how far back the rules look at counts.
//! 2. [`measure`] takes one brand's [`Series`] and says whether a rule's condition holds.
//! 3. [`step`] moves the [`Phase`] of a rule towards a brand:
//!    inactive -> pending (`for`) -> firing -> (below for `keep_firing_for`) -> cooling
//!    (`cooldown`) -> inactive.
//! 4. [`evaluate`] does so for all rules and brands and gives back what changed;
//!    [`Change::alert`] makes the message of it.
//!
//! Windows are whole minutes of the posts' claimed time and include the current minute, so counts
//! that arrive late are seen late and change nothing twice. Where counts are missing, the condition
//! does not hold: a rule never fires on missing data, and an alert that fires resolves.

mod evaluate;
mod measure;
mod message;
mod phase;
mod rule;
mod series;

pub use evaluate::{Change, Phases, evaluate, unwatched};
pub use measure::{Measurement, measure};
pub use message::{alert_id, message_id};
pub use phase::{Phase, Transition, step};
pub use rule::{Condition, HISTORY_REACH, MINUTE, Needs, Rule, Watched, needs};
pub use series::{Counts, Series, minute_of};
