//! The one-pass detector: canvases in, boxes of all brands out.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use ort::session::Session;
use ort::value::Tensor;

use super::batch::plan_canvases;
use super::canvas::Canvas;
use super::detection::{Detection, Thresholds};
use super::looking::{CanvasBox, Looking};
use super::{ActiveDevice, DetectorKind, InferenceError, Manifest, Runtime};
use crate::domain::{ModelId, Picture, PixelBox};
use crate::geometry::{Glance, Size, View};

/// A detector whose files were held to their manifest.
pub struct DetectorModel {
    session: Session,
    device: ActiveDevice,
    manifest: Manifest<DetectorKind>,
    looking: Arc<Looking>,
    budget: NonZeroUsize,
}

impl DetectorModel {
    /// Opens the model in a folder and runs it, on a GPU once with every shape that it will be
    /// given: a shape's first run is slow there. No batch has more than `budget` pixels, unless
    /// one canvas has.
    ///
    /// # Errors
    /// A file is missing or differs from the manifest, the device can't be had, or a pass fails.
    pub fn open(runtime: &Runtime, folder: &Path, budget: NonZeroUsize) -> Result<Self, InferenceError> {
        let manifest = Manifest::<DetectorKind>::read(folder)?;
        let (session, device) = runtime.open(&manifest.file("model")?)?;
        manifest.check(&session)?;
        let looking = Arc::new(Looking::new(&manifest));
        let mut model = Self { session, device, manifest, looking, budget };
        model.warm()?;
        Ok(model)
    }

    /// Name and version.
    pub fn id(&self) -> ModelId {
        self.manifest.id()
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &Manifest<DetectorKind> {
        &self.manifest
    }

    /// Where it runs.
    pub fn device(&self) -> &ActiveDevice {
        &self.device
    }

    /// The logos in a picture, the surest first: views made, run in batches and brought together,
    /// all on this thread.
    ///
    /// # Errors
    /// The picture can't be scaled, or ONNX Runtime fails.
    pub fn detect(&mut self, picture: &Picture) -> Result<Vec<Detection>, InferenceError> {
        let looking = self.looking.clone();
        let mut glances = self.look(picture, &looking.policy.views(picture))?;
        let again = looking.views_again(picture, &glances);
        glances.extend(self.look(picture, &again)?);
        Ok(looking.detections(picture, &glances))
    }

    fn look(&mut self, picture: &Picture, views: &[View]) -> Result<Vec<Glance>, InferenceError> {
        let canvases: Vec<Canvas> =
            views.iter().map(|view| Canvas::show(picture, &view.letterbox)).collect::<Result<_, _>>()?;
        let sizes: Vec<Size> = canvases.iter().map(|canvas| canvas.size).collect();
        let mut glances = Vec::new();
        for batch in plan_canvases(&sizes, self.budget) {
            let rows: Vec<&Canvas> = batch.iter().map(|index| &canvases[*index]).collect();
            for (index, boxes) in batch.iter().zip(self.run(&rows)?) {
                glances.push(self.looking.glance(views[*index], &boxes));
            }
        }
        Ok(glances)
    }

    /// How it looks.
    pub(super) fn looking(&self) -> Arc<Looking> {
        self.looking.clone()
    }

    /// Most pixels in one batch.
    pub(super) fn budget(&self) -> NonZeroUsize {
        self.budget
    }

    /// Runs an empty canvas: an error is the runtime's, not a picture's.
    pub(super) fn probe(&mut self) -> Result<(), InferenceError> {
        match self.manifest.kind.scales.canvases.first() {
            Some(size) => self.run(&[&Canvas::grey(*size)]).map(drop),
            None => Ok(()),
        }
    }

    /// How many rows a batch of so many canvases really has. CUDA searches for the best algorithm
    /// at each new shape, so there batches have a few sizes only, and the rest is left empty.
    pub(super) fn padded_rows(&self, rows: usize, size: Size) -> usize {
        if self.device.name == "cpu" {
            return rows;
        }
        rows.next_power_of_two().min(self.full_batch(size)).max(rows)
    }

    /// Runs canvases of one size; the boxes of each that are worth mentioning.
    pub(super) fn run(&mut self, canvases: &[&Canvas]) -> Result<Vec<Vec<CanvasBox>>, InferenceError> {
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
            .map(|((boxes, scores), classes)| canvas_boxes(&self.looking.thresholds, boxes, scores, classes))
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

fn canvas_boxes(
    thresholds: &Thresholds,
    boxes: &[[f32; 4]],
    scores: &[f32],
    classes: &[i64],
) -> Result<Vec<CanvasBox>, InferenceError> {
    let mut found = Vec::new();
    for ((corners, score), class) in boxes.iter().zip(scores).zip(classes) {
        let [left, top, right, bottom] = *corners;
        let label = usize::try_from(*class).ok().filter(|label| *label < thresholds.brands());
        let sound = (0.0..=1.0).contains(score) && corners.iter().all(|corner| corner.is_finite());
        let Some(label) = label.filter(|_| sound) else {
            return Err(InferenceError::Runtime(format!(
                "a detection of class {class} with score {score} at {corners:?} came out"
            )));
        };
        if thresholds.mentions(*score) {
            let bounds = PixelBox { x: left, y: top, width: right - left, height: bottom - top };
            found.push(CanvasBox { label, score: *score, bounds });
        }
    }
    Ok(found)
}
