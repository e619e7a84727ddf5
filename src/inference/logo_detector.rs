//! Looks for logos on the detector's own thread, in batches of canvases of one size.
//!
//! Scaling happens before the queue and judging behind it, on threads that may be many: the
//! model's thread does nothing but run the model.

use std::future::Future;
use std::num::{NonZeroU32, NonZeroUsize};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::batch::plan_canvases;
use super::canvas::Canvas;
use super::detection::Detection;
use super::looking::{CanvasBox, Looking};
use super::worker::{Batches, Queue};
use super::{ActiveDevice, DetectorModel, InferenceError, Pending};
use crate::domain::{ModelId, Picture};
use crate::geometry::{Glance, Size, View};
use crate::metrics;

/// Batches that may wait: so many canvases are scaled ahead, and held in memory.
const QUEUED_BATCHES: usize = 2;

/// The detector as its thread sees it.
struct CanvasBatches {
    model: DetectorModel,
    name: String,
}

impl Batches for CanvasBatches {
    type Item = Canvas;
    type Answer = Vec<CanvasBox>;

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

    fn run(&mut self, batch: &[&Canvas]) -> Result<Vec<Vec<CanvasBox>>, InferenceError> {
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
    queue: Queue<Canvas, Vec<CanvasBox>>,
    looking: Arc<Looking>,
    model: ModelId,
    device: ActiveDevice,
}

/// The sightings of a picture, on their way. Gives every detection above the model's low score,
/// the surest first; those `reported` reach their brand's threshold.
///
/// Errors: [`InferenceError::Stopped`] blames nothing on the picture; every other error is the
/// picture's own.
#[must_use]
pub struct PendingSightings(Pin<Box<dyn Future<Output = Result<Vec<Detection>, InferenceError>> + Send>>);

impl Future for PendingSightings {
    type Output = Result<Vec<Detection>, InferenceError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl LogoDetector {
    /// Moves the model to a thread of its own.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(model: DetectorModel) -> std::io::Result<Self> {
        let id = model.id();
        let device = model.device().clone();
        ::metrics::gauge!(metrics::MODEL_DEVICE, "model" => id.to_string(), "device" => device.name).set(1.0);
        let looking = model.looking();
        let canvas = looking.policy.canvases.iter().map(|canvas| canvas.pixels()).max().unwrap_or(1);
        let waiting = NonZeroUsize::MIN.saturating_add(model.budget().get() * QUEUED_BATCHES / canvas);
        let batches = CanvasBatches { model, name: id.to_string() };
        let queue = Queue::start(batches, &id, "logo-detector", waiting)?;
        Ok(Self { queue, looking, model: id, device })
    }

    /// The model that looks.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// Where it runs.
    pub fn device(&self) -> &ActiveDevice {
        &self.device
    }

    /// A picture decoded to a longer side of no less than this shows the detector as much as in
    /// full. `None` where nothing less than all its pixels does.
    pub fn sufficient_side(&self) -> Option<NonZeroU32> {
        self.looking.policy.sufficient_side()
    }

    /// Scales a picture and hands it to the model; waits while the queue is full. Must be called
    /// on a tokio runtime.
    ///
    /// # Errors
    /// The picture can't be scaled, or the model's thread has ended.
    pub async fn submit(&self, picture: impl Into<Arc<Picture>>) -> Result<PendingSightings, InferenceError> {
        let picture = picture.into();
        let (queue, looking) = (self.queue.clone(), self.looking.clone());
        let first = show(&queue, &picture, looking.policy.views(&picture)).await?;
        Ok(PendingSightings(Box::pin(async move {
            let mut glances = seen(&looking, first).await?;
            let again = looking.views_again(&picture, &glances);
            if !again.is_empty() {
                let second = show(&queue, &picture, again).await?;
                glances.extend(seen(&looking, second).await?);
            }
            spawn_blocking(move || looking.detections(&picture, &glances))
                .await
                .map_err(|error| ended(&error))
        })))
    }
}

/// A view with the boxes that will be found in it.
type Shown = (View, Pending<Vec<CanvasBox>>);

/// Scales views one by one and queues each, so that a picture of many waits for room with few.
async fn show(
    queue: &Queue<Canvas, Vec<CanvasBox>>,
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

async fn seen(looking: &Looking, shown: Vec<Shown>) -> Result<Vec<Glance>, InferenceError> {
    let mut glances = Vec::with_capacity(shown.len());
    for (view, boxes) in shown {
        glances.push(looking.glance(view, &boxes.await?));
    }
    Ok(glances)
}

fn ended(error: &tokio::task::JoinError) -> InferenceError {
    if error.is_panic() { InferenceError::Picture(error.to_string()) } else { InferenceError::Stopped }
}
