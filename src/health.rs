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
    /// The topics for dead letters and alerts accept messages.
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
    /// Publishes the outbox.
    Relay,
    /// Leases pictures and looks at them.
    Pictures,
    /// Writes what pictures show to Postgres.
    PictureWriter,
    /// A text model runs a batch.
    TextModel,
    /// The logo detector runs a batch.
    VisionModel,
}

/// What a part says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct PartStatus {
    /// Whether it can do its work.
    pub ready: bool,
    /// What it is doing, or what it waits for.
    pub detail: String,
}

/// What is listened for, as far as an operator asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListensFor {
    /// Tells one configuration of brands and rules from another.
    pub version: String,
    /// How many brands.
    pub brands: usize,
    /// How many alert rules.
    pub rules: usize,
}

/// How long a write to Postgres may take before the process is no longer ready, unless settings say
/// otherwise.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct State {
    parts: BTreeMap<Part, PartStatus>,
    /// Stages, numbered where there are several of one kind.
    beats: BTreeMap<(Stage, u64), Instant>,
    hearts: u64,
    /// Since when a write is in progress, tries included.
    writes: BTreeMap<Stage, Instant>,
    write_limit: Duration,
    listens_for: Option<ListensFor>,
    stopping: bool,
}

/// The shared state; clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Health(Arc<Mutex<State>>);

impl Health {
    /// Nothing is ready yet but the output, which has nothing to send.
    pub fn new() -> Self {
        let waiting = PartStatus { ready: false, detail: "starting".to_owned() };
        let parts = [Part::Kafka, Part::Postgres, Part::TextModel];
        let mut parts: BTreeMap<_, _> = parts.into_iter().map(|part| (part, waiting.clone())).collect();
        parts.insert(Part::Output, PartStatus { ready: true, detail: "nothing was refused".to_owned() });
        Self(Arc::new(Mutex::new(State {
            parts,
            beats: BTreeMap::new(),
            hearts: 0,
            writes: BTreeMap::new(),
            write_limit: WRITE_LIMIT,
            listens_for: None,
            stopping: false,
        })))
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
        self.state().beats.insert((stage, 0), Instant::now());
    }

    /// A stage has ended in good order and will not beat again.
    pub fn rest(&self, stage: Stage) {
        self.state().beats.remove(&(stage, 0));
    }

    /// A heartbeat of its own, for a stage of which there may be several.
    pub fn heartbeat(&self, stage: Stage) -> Heartbeat {
        let mut all = self.state();
        all.hearts += 1;
        Heartbeat { health: self.clone(), key: (stage, all.hearts) }
    }

    /// A stage begins to write to Postgres. It writes until the guard is dropped, however often it
    /// has to try.
    pub fn writing(&self, stage: Stage) -> Writing {
        self.state().writes.insert(stage, Instant::now());
        Writing { health: self.clone(), stage }
    }

    /// How long a write may take before the process is no longer ready.
    pub fn limit_writes(&self, limit: Duration) {
        self.state().write_limit = limit;
    }

    /// What the process listens for from now on.
    pub fn listens_for(&self, version: impl Into<String>, brands: usize, rules: usize) {
        self.state().listens_for = Some(ListensFor { version: version.into(), brands, rules });
    }

    /// What the process listens for; none before it begins.
    pub fn listening(&self) -> Option<ListensFor> {
        self.state().listens_for.clone()
    }

    /// The process is going down: it is no longer ready, whatever its parts say.
    pub fn stop(&self) {
        self.state().stopping = true;
    }

    /// Whether every part is ready, and what each says.
    pub fn readiness(&self) -> (bool, BTreeMap<Part, PartStatus>) {
        let state = self.state();
        let mut parts = state.parts.clone();
        let longest = state.writes.values().map(Instant::elapsed).max().unwrap_or_default();
        if longest > state.write_limit
            && let Some(status) = parts.get_mut(&Part::Postgres)
        {
            status.ready = false;
            let seconds = longest.as_secs();
            status.detail = format!("a write has been in progress for {seconds} s; {}", status.detail);
        }
        let ready = !state.stopping && parts.values().all(|status| status.ready);
        (ready, parts)
    }

    /// The stages that have made no turn for longer than `limit`.
    pub fn stalled(&self, limit: Duration) -> Vec<Stage> {
        let state = self.state();
        let stalled = state.beats.iter().filter(|(_, beat)| beat.elapsed() > limit);
        let mut stages: Vec<Stage> = stalled.map(|((stage, _), _)| *stage).collect();
        stages.dedup();
        stages
    }
}

/// One of several stages of a kind, such as the thread of a model. It rests when dropped.
#[derive(Debug)]
pub struct Heartbeat {
    health: Health,
    key: (Stage, u64),
}

impl Heartbeat {
    /// It made a turn, and has more to do.
    pub fn beat(&self) {
        self.health.state().beats.insert(self.key, Instant::now());
    }

    /// It has nothing to do.
    pub fn rest(&self) {
        self.health.state().beats.remove(&self.key);
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.rest();
    }
}

/// A write in progress, until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Writing {
    health: Health,
    stage: Stage,
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.health.state().writes.remove(&self.stage);
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
    fn a_write_that_stands_makes_the_process_unready_until_it_ends() {
        let health = Health::new();
        for part in [Part::Kafka, Part::Postgres, Part::TextModel] {
            health.report(part, true, "well");
        }
        let writing = health.writing(Stage::Writer);
        assert!(health.readiness().0, "a write may take its time");
        health.limit_writes(Duration::ZERO);
        let (ready, parts) = health.readiness();
        assert!(!ready && parts[&Part::Postgres].detail.contains("a write has been in progress"));
        drop(writing);
        assert!(health.readiness().0);
    }

    #[test]
    fn one_of_two_models_that_hangs_is_stalled_and_one_without_work_is_not() {
        let health = Health::new();
        let (hangs, works) = (health.heartbeat(Stage::TextModel), health.heartbeat(Stage::TextModel));
        let idle = health.heartbeat(Stage::VisionModel);
        hangs.beat();
        works.beat();
        idle.beat();
        idle.rest();
        drop(works);
        assert_eq!(health.stalled(Duration::ZERO), [Stage::TextModel]);
        drop(hangs);
        assert!(health.stalled(Duration::ZERO).is_empty());
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
