//! What a demo has running beside itself, and how it ends: in order, and soon when interrupted.

use std::time::Duration;

use anyhow::Context;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::pictures::PictureServer;
use super::postgres::PrivatePostgres;
use crate::cli::assemble::Assembled;
use crate::pipeline::PipelineError;

/// After an interruption, how long the pipeline may still drain: its posts are only a demo's.
const HURRIED_DRAIN: Duration = Duration::from_secs(1);
/// How long the model may take to finish loading before the process goes away under it.
const LOADING_LIMIT: Duration = Duration::from_secs(5);

/// What was started so far.
#[derive(Default)]
pub(super) struct Running {
    pub(super) postgres: Option<PrivatePostgres>,
    pub(super) pictures: Option<PictureServer>,
    pub(super) cluster: Option<MockCluster<'static, DefaultProducerContext>>,
    pub(super) loading: Option<JoinHandle<anyhow::Result<Assembled>>>,
    pub(super) pipeline: Option<Pipeline>,
}

/// The daemon's pipeline, in a task.
pub(super) struct Pipeline {
    pub(super) task: JoinHandle<Result<(), PipelineError>>,
    pub(super) draining: CancellationToken,
}

impl Running {
    /// Ends everything: the pipeline drains, then its broker and its database go.
    pub(super) async fn end(self, interrupted: &CancellationToken) -> anyhow::Result<()> {
        let drained = match self.pipeline {
            Some(pipeline) => pipeline.end(interrupted).await,
            None => Ok(()),
        };
        drop(self.cluster);
        drop(self.pictures);
        drop(self.postgres);
        if let Some(loading) = self.loading {
            let _ = tokio::time::timeout(LOADING_LIMIT, loading).await;
        }
        drained
    }
}

impl Pipeline {
    async fn end(mut self, interrupted: &CancellationToken) -> anyhow::Result<()> {
        self.draining.cancel();
        tokio::select! {
            ended = &mut self.task => {
                let ended = ended.context("The pipeline panicked")?;
                if interrupted.is_cancelled() { Ok(()) } else { Ok(ended?) }
            }
            () = async {
                interrupted.cancelled().await;
                tokio::time::sleep(HURRIED_DRAIN).await;
            } => {
                self.task.abort();
                Ok(())
            }
        }
    }
}
