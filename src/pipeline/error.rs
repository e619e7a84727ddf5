//! Why the pipeline can end.

use std::time::Duration;

use crate::inference::InferenceError;
use crate::publish::PublishError;
use crate::source::SourceError;
use crate::store::StoreError;

/// Why the pipeline ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The consumer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The producer.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Postgres.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The model.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// A step ended though nobody asked it to.
    #[error("The {0} ended unexpectedly")]
    StepEnded(&'static str),
    /// A step panicked.
    #[error("A step of the pipeline panicked: {0}")]
    Panicked(String),
    /// The deadline for draining has passed.
    #[error(
        "Not everything in flight was settled within {0:?}; its offsets are not committed, so it will be delivered again"
    )]
    Deadline(Duration),
    /// The consumer's thread did not end in time.
    #[error(
        "The consumer group could not be left in time; the broker gives the partitions to others after kafka.session_timeout"
    )]
    NotLeft,
}

impl PipelineError {
    /// Whether trying again is useless: only a new process may succeed.
    pub(super) fn is_fatal(&self) -> bool {
        matches!(self, Self::Publish(error) if error.is_fatal())
    }
}
