//! Alerting: counts over time and rules -> alerts. Pure: time and counts are arguments.
//!
//! 1. [`minutes_to_judge`] says which minutes are complete and not judged yet: time beyond the
//!    horizon, up to which everything was read, is never judged.
//! 2. [`needs`] says which counts the rules need, and [`past_ranges`] from when.
//! 3. [`measure`] takes one brand's [`Series`] and says whether a rule's condition holds for the
//!    window that ends with a minute.
//! 4. [`step`] moves the [`Phase`] of a rule towards a brand:
//!    inactive -> pending (`for`) -> firing -> (below for `keep_firing_for`) -> cooling
//!    (`cooldown`) -> inactive.
//! 5. [`evaluate`] does so for all rules and brands, minute by minute; [`judge_late`] judges past
//!    windows again whose counts have changed. [`Change::alert`] makes the message.
//! 6. [`behind`] says when the daemon falls behind, and when that is over.
//!
//! Windows are whole minutes of the posts' claimed time, all of them complete. Where counts are
//! missing the condition does not hold: a rule never fires on missing data.

mod evaluate;
mod horizon;
mod late;
mod measure;
mod message;
mod minute;
mod past;
mod phase;
mod rule;
mod series;

pub use evaluate::{Change, Incident, Phases, Unknown, evaluate, unwatched};
pub use horizon::{Behind, Reach, behind, minutes_to_judge};
pub use late::{ChangedMinutes, LateRange, judge_late};
pub use measure::{Measurement, measure};
pub use message::{alert_id, behind_notice, message_id};
pub use minute::minute_of;
pub use past::{Past, past_ranges};
pub use phase::{Phase, Transition, delta, step};
pub use rule::{Condition, HISTORY_REACH, MINUTE, Needs, PastNeeds, Rule, Watched, needs};
pub use series::Series;
