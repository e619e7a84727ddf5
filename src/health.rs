//! What each part of the process says of itself: is it ready, and does it make progress.
//!
//! Parts write, the admin listener reads. Ready is about the outside world (broker, database,
//! model); alive is only about progress, so that a lost database never gets the process killed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

/// The parts that must be ready before the process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The consumer group has given this process an assignment.
    Kafka,
    /// Postgres answers and its migrations are in place.
    Postgres,
    /// The text model has run a real forward pass.
    TextModel,
    /// The logo detector has run a real forward pass.
    VisionModel,
    /// The topics for dead letters and alerts take what is sent to them.
    Output,
}

/// The loops whose progress shows that the process is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Polls Kafka.
    Source,
    /// Decodes, matches and hands texts to the model.
    Intake,
    /// Writes batches to Postgres.
    Writer,
    /// Evaluates alert rules.
    Evaluator,
    /// Publishes what is in the outbox.
    Relay,
    /// Leases pictures and looks at them.
    Pictures,
    /// Writes what pictures show to Postgres.
    PictureWriter,
}

/// What a part says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct PartStatus {
    /// Whether it can do its work.
    pub ready: bool,
    /// What it is doing, or what it waits for.
    pub detail: String,
}

#[derive(Debug, Default)]
struct State {
    parts: BTreeMap<Part, PartStatus>,
    beats: BTreeMap<Stage, Instant>,
    stopping: bool,
}

/// The shared state; clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Health(Arc<Mutex<State>>);

impl Health {
    /// Nothing is ready yet.
    pub fn new() -> Self {
        let waiting = PartStatus { ready: false, detail: "starting".to_owned() };
        let parts = [Part::Kafka, Part::Postgres, Part::TextModel];
        let mut parts: BTreeMap<_, _> = parts.into_iter().map(|part| (part, waiting.clone())).collect();
        // Nothing to send is no trouble.
        parts.insert(Part::Output, PartStatus { ready: true, detail: "nothing was refused".to_owned() });
        Self(Arc::new(Mutex::new(State { parts, ..State::default() })))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part says how it is. Gives back whether that changed anything worth a log line.
    pub fn report(&self, part: Part, ready: bool, detail: impl Into<String>) -> bool {
        let status = PartStatus { ready, detail: detail.into() };
        let before = self.state().parts.insert(part, status.clone());
        before.is_none_or(|before| before.ready != status.ready || before.detail != status.detail)
    }

    /// This process does without a part.
    pub fn leave_out(&self, part: Part) {
        self.state().parts.remove(&part);
    }

    /// A stage made a turn of its loop.
    pub fn beat(&self, stage: Stage) {
        self.state().beats.insert(stage, Instant::now());
    }

    /// A stage has ended in good order and will not beat again.
    pub fn rest(&self, stage: Stage) {
        self.state().beats.remove(&stage);
    }

    /// The process is going down: it is no longer ready, whatever its parts say.
    pub fn stop(&self) {
        self.state().stopping = true;
    }

    /// Whether every part is ready, and what each says.
    pub fn readiness(&self) -> (bool, BTreeMap<Part, PartStatus>) {
        let state = self.state();
        let ready = !state.stopping && state.parts.values().all(|status| status.ready);
        (ready, state.parts.clone())
    }

    /// The stages that have made no turn for longer than `limit`.
    pub fn stalled(&self, limit: Duration) -> Vec<Stage> {
        let state = self.state();
        state.beats.iter().filter(|(_, beat)| beat.elapsed() > limit).map(|(stage, _)| *stage).collect()
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_only_when_every_part_is_and_never_while_stopping() {
        let health = Health::new();
        health.report(Part::Kafka, true, "3 partitions");
        health.report(Part::Postgres, true, "answers");
        assert!(!health.readiness().0);
        health.report(Part::TextModel, true, "sentiment@1 on cpu");
        assert!(health.readiness().0);
        health.stop();
        assert!(!health.readiness().0);
    }

    #[test]
    fn a_stage_that_rests_is_not_stalled() {
        let health = Health::new();
        health.beat(Stage::Source);
        health.beat(Stage::Writer);
        health.rest(Stage::Writer);
        assert_eq!(health.stalled(Duration::ZERO), [Stage::Source]);
    }
}
