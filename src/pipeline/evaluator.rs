//! stub
use super::Parts;
use super::run::PipelineError;
pub(super) async fn run(
    _: Parts,
    _: std::time::Duration,
    stop: tokio_util::sync::CancellationToken,
) -> Result<(), PipelineError> {
    stop.cancelled().await;
    Ok(())
}
