//! What a demo has started, and how it is stopped: in order, and soon when interrupted.

use std::time::Duration;

use anyhow::Context;
use overheard::assembly::Assembly;
use overheard::pipeline::PipelineError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::picture_server::PictureServer;
use crate::postgres::PrivatePostgres;

/// After an interruption, how long the pipeline may still drain: its posts are only a demo's.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);
/// How long the models may take to finish loading; the process must not end while they do.
const LOADING_LIMIT: Duration = Duration::from_secs(5);

/// Everything that was started so far.
#[derive(Default)]
pub(crate) struct Resources {
    pub(crate) postgres: Option<PrivatePostgres>,
    pub(crate) pictures: Option<PictureServer>,
    pub(crate) cluster: Option<MockCluster<'static, DefaultProducerContext>>,
    pub(crate) loading: Option<JoinHandle<anyhow::Result<Assembly>>>,
    pub(crate) pipeline: Option<RunningPipeline>,
}

/// The daemon's pipeline, in a task.
pub(crate) struct RunningPipeline {
    pub(crate) task: JoinHandle<Result<(), PipelineError>>,
    pub(crate) draining: CancellationToken,
}

impl Resources {
    /// Stops everything: the pipeline drains, then its broker and its database go.
    pub(crate) async fn stop(self, interrupted: &CancellationToken) -> anyhow::Result<()> {
        let drained = match self.pipeline {
            Some(pipeline) => pipeline.stop(interrupted).await,
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

impl RunningPipeline {
    async fn stop(mut self, interrupted: &CancellationToken) -> anyhow::Result<()> {
        self.draining.cancel();
        tokio::select! {
            ended = &mut self.task => {
                let ended = ended.context("The pipeline panicked")?;
                if interrupted.is_cancelled() { Ok(()) } else { Ok(ended?) }
            }
            () = async {
                interrupted.cancelled().await;
                tokio::time::sleep(DRAIN_LIMIT).await;
            } => {
                self.task.abort();
                Ok(())
            }
        }
    }
}
