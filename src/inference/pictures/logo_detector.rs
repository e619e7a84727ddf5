//! Runs the logo detector on its own thread, in batches of equal-sized canvases.
//!
//! Pictures are scaled before the queue and detections are combined after it, on other threads, so
//! that the model's thread only runs the model.

use std::future::Future;
use std::num::{NonZeroU32, NonZeroUsize};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::batches::plan_canvases;
use super::canvas::Canvas;
use super::detector_model::DetectorModel;
use super::views::ViewReader;
use crate::domain::{Detection, ModelId, Picture};
use crate::geometry::{Candidate, Size, View, ViewDetections};
use crate::health::{Health, Stage};
use crate::inference::worker::{Batches, Queue};
use crate::inference::{ActiveDevice, InferenceError, Pending};
use crate::metrics;

/// Queue capacity in batches. Queued canvases are scaled already and held in memory.
const QUEUED_BATCHES: usize = 2;

/// The model on its thread.
struct CanvasBatches {
    model: DetectorModel,
    name: String,
}

impl Batches for CanvasBatches {
    type Item = Canvas;
    type Answer = Vec<Candidate>;

    fn size(&self, canvas: &Canvas) -> usize {
        canvas.size.pixels()
    }

    fn window(&self) -> usize {
        self.model.budget().get()
    }

    fn plan(&self, window: &[&Canvas]) -> Vec<Vec<usize>> {
        let sizes: Vec<Size> = window.iter().map(|canvas| canvas.size).collect();
        plan_canvases(&sizes, self.model.budget())
    }

    fn run(&mut self, batch: &[&Canvas]) -> Result<Vec<Vec<Candidate>>, InferenceError> {
        self.model.run(batch)
    }

    fn probe(&mut self) -> Result<(), InferenceError> {
        self.model.probe()
    }

    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    fn record(&self, batch: &[&Canvas], took: Duration) {
        let Some(size) = batch.first().map(|canvas| canvas.size) else { return };
        let name = self.name.clone();
        let empty = self.model.padded_rows(batch.len(), size) - batch.len();
        ::metrics::histogram!(metrics::MODEL_RUN_SECONDS, "model" => name.clone()).record(took);
        ::metrics::histogram!(metrics::MODEL_BATCH_VIEWS, "model" => name.clone()).record(batch.len() as f64);
        ::metrics::counter!(metrics::MODEL_VIEWS, "model" => name.clone(), "kind" => "real")
            .increment(batch.len() as u64);
        ::metrics::counter!(metrics::MODEL_VIEWS, "model" => name, "kind" => "padding")
            .increment(empty as u64);
    }
}

/// A handle to the detector's thread. The thread ends when the last handle is dropped, or when the
/// runtime breaks.
#[derive(Clone)]
pub struct LogoDetector {
    queue: Queue<Canvas, Vec<Candidate>>,
    views: Arc<ViewReader>,
    model: ModelId,
    device: ActiveDevice,
}

/// A future for the detections in a picture: all with at least the model's `low_score`, highest
/// score first; `reported` ones reach their brand's threshold.
///
/// Errors: [`InferenceError::Stopped`] is not the picture's fault; every other error is.
#[must_use]
pub struct PendingDetections(Pin<Box<dyn Future<Output = Result<Vec<Detection>, InferenceError>> + Send>>);

impl Future for PendingDetections {
    type Output = Result<Vec<Detection>, InferenceError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl LogoDetector {
    /// Moves the model to a thread of its own, which reports its progress.
    ///
    /// # Errors
    /// The system can't start a thread.
    pub fn start(model: DetectorModel, health: &Health) -> std::io::Result<Self> {
        let id = model.id();
        let device = model.device().clone();
        ::metrics::gauge!(metrics::MODEL_DEVICE, "model" => id.to_string(), "device" => device.name).set(1.0);
        let views = model.views();
        let canvas = views.policy.canvases.iter().map(|canvas| canvas.pixels()).max().unwrap_or(1);
        let waiting = NonZeroUsize::MIN.saturating_add(model.budget().get() * QUEUED_BATCHES / canvas);
        let batches = CanvasBatches { model, name: id.to_string() };
        let heartbeat = health.heartbeat(Stage::VisionModel);
        let queue = Queue::start(batches, &id, "logo-detector", waiting, heartbeat)?;
        Ok(Self { queue, views, model: id, device })
    }

    /// Name and version of the model.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// The device that it runs on.
    pub fn device(&self) -> &ActiveDevice {
        &self.device
    }

    /// Longer side, in pixels, at which a picture may be decoded without loss for the detector.
    /// `None` if the detector needs all pixels.
    pub fn sufficient_side(&self) -> Option<NonZeroU32> {
        self.views.policy.sufficient_side()
    }

    /// Scales a picture and queues its views; waits while the queue is full. Must be called on a
    /// tokio runtime.
    ///
    /// # Errors
    /// The picture can't be scaled, or the model's thread has ended.
    pub async fn submit(
        &self,
        picture: impl Into<Arc<Picture>>,
    ) -> Result<PendingDetections, InferenceError> {
        let picture = picture.into();
        let (queue, views) = (self.queue.clone(), self.views.clone());
        let first = show(&queue, &picture, views.policy.views(&picture)).await?;
        Ok(PendingDetections(Box::pin(async move {
            let mut found = seen(&views, first).await?;
            let again = views.views_again(&picture, &found);
            if !again.is_empty() {
                let second = show(&queue, &picture, again).await?;
                found.extend(seen(&views, second).await?);
            }
            spawn_blocking(move || views.detections(&picture, &found)).await.map_err(|error| ended(&error))
        })))
    }
}

/// A view with its pending boxes.
type Shown = (View, Pending<Vec<Candidate>>);

/// Queues each view before scaling the next, so that a picture holds at most one scaled canvas
/// outside the queue.
async fn show(
    queue: &Queue<Canvas, Vec<Candidate>>,
    picture: &Arc<Picture>,
    views: Vec<View>,
) -> Result<Vec<Shown>, InferenceError> {
    let (queue, picture) = (queue.clone(), picture.clone());
    let answer = move |view: View| {
        let canvas = Canvas::show(&picture, &view.letterbox)?;
        Ok((view, queue.submit_blocking(canvas)?))
    };
    spawn_blocking(move || views.into_iter().map(answer).collect()).await.map_err(|error| ended(&error))?
}

async fn seen(views: &ViewReader, shown: Vec<Shown>) -> Result<Vec<ViewDetections>, InferenceError> {
    let mut found = Vec::with_capacity(shown.len());
    for (view, boxes) in shown {
        found.push(views.read(view, &boxes.await?));
    }
    Ok(found)
}

fn ended(error: &tokio::task::JoinError) -> InferenceError {
    if error.is_panic() { InferenceError::Picture(error.to_string()) } else { InferenceError::Stopped }
}
