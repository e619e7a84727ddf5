//! Alerts: what the evaluation of rules reads and writes, and the outbox of messages.

mod evaluation;
mod examples;
mod incidents;
mod outbox;
mod phases;
mod progress;
mod series;

pub use evaluation::Judgements;
pub use outbox::{OutboxBacklog, OutboxMessage};
pub use phases::PhaseChange;
pub use progress::AlertProgress;
pub use series::Pasts;
