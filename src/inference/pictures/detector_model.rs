//! The one-stage logo detector: canvases in, boxes of all brands out.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use ort::session::Session;
use ort::value::Tensor;

use super::canvas::Canvas;
use super::manifest::DetectorKind;
use super::thresholds::Thresholds;
use super::views::ViewReader;
use crate::domain::{ModelId, PixelBox};
use crate::geometry::{Candidate, Size};
use crate::inference::{ActiveDevice, InferenceError, Manifest, Runtime};

/// A detector whose files were checked against the manifest.
pub struct DetectorModel {
    session: Session,
    device: ActiveDevice,
    manifest: Manifest<DetectorKind>,
    views: Arc<ViewReader>,
    budget: NonZeroUsize,
}

impl DetectorModel {
    /// Opens the model in a folder and runs it: on a GPU once with every batch shape that will be
    /// used, since the first run of a shape is slow there. `budget` is the most pixels in one batch;
    /// a larger canvas is a batch of its own.
    ///
    /// # Errors
    /// A file is missing or differs from the manifest, the device is not available, or a run fails.
    pub fn open(runtime: &Runtime, folder: &Path, budget: NonZeroUsize) -> Result<Self, InferenceError> {
        let manifest = Manifest::<DetectorKind>::read(folder)?;
        let (session, device) = runtime.open(&manifest.file("model")?)?;
        manifest.check(&session)?;
        let views = Arc::new(ViewReader::new(&manifest));
        let mut model = Self { session, device, manifest, views, budget };
        model.warm()?;
        Ok(model)
    }

    /// Name and version.
    pub fn id(&self) -> ModelId {
        self.manifest.id()
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest<DetectorKind> {
        &self.manifest
    }

    /// The device that it runs on.
    pub fn device(&self) -> &ActiveDevice {
        &self.device
    }

    /// Its views of a picture, and how their detections are combined.
    pub(super) fn views(&self) -> Arc<ViewReader> {
        self.views.clone()
    }

    /// Most pixels in one batch.
    pub(super) fn budget(&self) -> NonZeroUsize {
        self.budget
    }

    /// Runs an empty canvas; an error means that the runtime is broken.
    pub(super) fn probe(&mut self) -> Result<(), InferenceError> {
        match self.manifest.kind.scales.canvases.first() {
            Some(size) => self.run(&[&Canvas::grey(*size)]).map(drop),
            None => Ok(()),
        }
    }

    /// Rows of a batch after padding with empty rows. CUDA searches for the best algorithm at
    /// each new shape, so on a GPU only a few batch sizes are used.
    pub(super) fn padded_rows(&self, rows: usize, size: Size) -> usize {
        if self.device.name == "cpu" {
            return rows;
        }
        rows.next_power_of_two().min(self.full_batch(size)).max(rows)
    }

    /// Runs canvases of equal size; returns the boxes of each with at least `low_score`.
    pub(super) fn run(&mut self, canvases: &[&Canvas]) -> Result<Vec<Vec<Candidate>>, InferenceError> {
        let Some(size) = canvases.first().map(|canvas| canvas.size) else { return Ok(Vec::new()) };
        let rows = self.padded_rows(canvases.len(), size);
        let mut pixels = Vec::with_capacity(rows * size.pixels() * 3);
        for canvas in canvases {
            pixels.extend_from_slice(&canvas.rgb);
        }
        pixels.resize(rows * size.pixels() * 3, 0);
        let shape = [rows, size.height as usize, size.width as usize, 3];
        let outputs = self.session.run(ort::inputs! { "pixels" => Tensor::from_array((shape, pixels))? })?;
        let (_, boxes) = outputs["boxes"].try_extract_tensor::<f32>()?;
        let (_, scores) = outputs["scores"].try_extract_tensor::<f32>()?;
        let (_, classes) = outputs["classes"].try_extract_tensor::<i64>()?;
        let (boxes, rest) = boxes.as_chunks::<4>();
        let detections = scores.len() / rows;
        if boxes.len() != scores.len()
            || classes.len() != scores.len()
            || !rest.is_empty()
            || detections * rows != scores.len()
        {
            return Err(InferenceError::Runtime(format!(
                "{rows} canvases went in; {} boxes, {} scores and {} classes came out",
                boxes.len(),
                scores.len(),
                classes.len()
            )));
        }
        if detections == 0 {
            return Ok(vec![Vec::new(); canvases.len()]);
        }
        let all = boxes.chunks(detections).zip(scores.chunks(detections)).zip(classes.chunks(detections));
        all.take(canvases.len())
            .map(|((boxes, scores), classes)| candidates(&self.views.thresholds, boxes, scores, classes))
            .collect()
    }

    fn full_batch(&self, size: Size) -> usize {
        (self.budget.get() / size.pixels().max(1)).max(1)
    }

    fn warm(&mut self) -> Result<(), InferenceError> {
        if self.device.name == "cpu" {
            return self.probe();
        }
        for size in self.manifest.kind.scales.canvases.clone() {
            let canvas = Canvas::grey(size);
            let mut rows = 1;
            loop {
                self.run(&vec![&canvas; rows])?;
                if rows == self.full_batch(size) {
                    break;
                }
                rows = (rows * 2).min(self.full_batch(size));
            }
        }
        Ok(())
    }
}

fn candidates(
    thresholds: &Thresholds,
    boxes: &[[f32; 4]],
    scores: &[f32],
    classes: &[i64],
) -> Result<Vec<Candidate>, InferenceError> {
    let mut found = Vec::new();
    for ((corners, score), class) in boxes.iter().zip(scores).zip(classes) {
        let [left, top, right, bottom] = *corners;
        let label = usize::try_from(*class).ok().filter(|label| *label < thresholds.labels());
        let sound = (0.0..=1.0).contains(score) && corners.iter().all(|corner| corner.is_finite());
        let Some(label) = label.filter(|_| sound) else {
            return Err(InferenceError::Runtime(format!(
                "a detection of class {class} with score {score} at {corners:?} came out"
            )));
        };
        if thresholds.keep(*score) {
            let bounds = PixelBox { x: left, y: top, width: right - left, height: bottom - top };
            found.push(Candidate { label, score: *score, bounds });
        }
    }
    Ok(found)
}
