//! The network from the talk (README.md): a small CNN that classifies fixed-size windows of a
//! picture at several scales.
//!
//! All its convolutions are valid (unpadded), so a window gets the same score alone as within a
//! whole picture. Over a whole picture, overlapping windows share computation, and one pass replaces
//! thousands. (Sermanet et al., "Integrated Recognition, Localization and Detection using
//! Convolutional Networks", 2014, section 3.5.)

use std::path::Path;

use ort::session::Session;
use ort::value::Tensor;

use super::canvas::Canvas;
use super::manifest::WindowsKind;
use super::thresholds::Thresholds;
use crate::domain::{Detection, ModelId, Picture};
use crate::geometry::{Candidate, Level, Size, Suppression, WindowGrid, suppress};
use crate::inference::{ActiveDevice, InferenceError, Manifest, Runtime};

/// Windows per batch in [`Search::Windows`].
const WINDOW_BATCH: usize = 16;

/// Most pixels of a strip in one pass, to bound memory: the first layers hold about 64 values per
/// pixel.
const STRIP_PIXELS: usize = 400_000;

/// How a picture is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Every window is cropped and run separately. Slow; for comparison.
    Windows,
    /// The network runs over the whole picture, in strips.
    Dense,
}

/// A window classifier whose files were checked against the manifest.
pub struct WindowModel {
    session: Session,
    device: ActiveDevice,
    manifest: Manifest<WindowsKind>,
    thresholds: Thresholds,
    suppression: Suppression,
}

impl WindowModel {
    /// Opens the model in a folder and runs it on one window.
    ///
    /// # Errors
    /// A file is missing or differs from the manifest, the device is unavailable, or the run fails.
    pub fn open(runtime: &Runtime, folder: &Path) -> Result<Self, InferenceError> {
        let manifest = Manifest::<WindowsKind>::read(folder)?;
        let (session, device) = runtime.open(&manifest.file("model")?)?;
        manifest.check(&session)?;
        let WindowsKind { window, thresholds, low_score, nms_iou, .. } = &manifest.kind;
        let suppression = Suppression { iou: *nms_iou, by_centre: true };
        // The first label is "other", the background class.
        let thresholds = Thresholds::new(&manifest.labels[1..], thresholds, *low_score);
        let empty = Canvas::grey(Size { width: window.width, height: window.height });
        let mut model = Self { session, device, manifest, thresholds, suppression };
        model.run(1, empty.size, empty.rgb)?;
        Ok(model)
    }

    /// Name and version.
    pub fn id(&self) -> ModelId {
        self.manifest.id()
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest<WindowsKind> {
        &self.manifest
    }

    /// The device that it runs on.
    pub fn device(&self) -> &ActiveDevice {
        &self.device
    }

    /// The logos in a picture, highest score first.
    ///
    /// # Errors
    /// The picture can't be scaled, or ONNX Runtime fails.
    pub fn detect(&mut self, picture: &Picture, search: Search) -> Result<Vec<Detection>, InferenceError> {
        let mut candidates = Vec::new();
        for level in self.levels(picture) {
            let scores = self.scores(picture, &level, search)?;
            let windows = (0..level.grid.rows).flat_map(|row| (0..level.grid.columns).map(move |c| (c, row)));
            let windows = windows.zip(scores).filter(|(_, score)| self.thresholds.keep(*score));
            candidates.extend(windows.map(|((column, row), score)| Candidate {
                label: 0,
                score,
                bounds: level.core(column, row),
            }));
        }
        Ok(self.thresholds.detections(picture, suppress(candidates, self.suppression)))
    }

    /// The scales at which a picture is searched.
    pub fn levels(&self, picture: &Picture) -> Vec<Level> {
        let size = Size { width: picture.full_width(), height: picture.full_height() };
        self.manifest.kind.window.levels(size, self.manifest.kind.scales)
    }

    /// The score of every window at one level, row by row.
    ///
    /// # Errors
    /// The picture can't be scaled, or ONNX Runtime fails.
    pub fn scores(
        &mut self,
        picture: &Picture,
        level: &Level,
        search: Search,
    ) -> Result<Vec<f32>, InferenceError> {
        self.canvas_scores(&Canvas::framed(picture, level, &self.manifest.kind.window)?, search)
    }

    /// The score of every window of a picture, row by row, neither scaled nor padded.
    ///
    /// # Errors
    /// ONNX Runtime fails.
    pub fn plain_scores(&mut self, picture: &Picture, search: Search) -> Result<Vec<f32>, InferenceError> {
        let size = Size { width: picture.width(), height: picture.height() };
        self.canvas_scores(&Canvas { size, rgb: picture.rgb().to_vec() }, search)
    }

    fn canvas_scores(&mut self, canvas: &Canvas, search: Search) -> Result<Vec<f32>, InferenceError> {
        let grid = self.manifest.kind.window.grid(canvas.size);
        match search {
            Search::Windows => self.one_by_one(grid, canvas),
            Search::Dense => self.in_strips(grid, canvas),
        }
    }

    fn one_by_one(&mut self, grid: WindowGrid, canvas: &Canvas) -> Result<Vec<f32>, InferenceError> {
        let window = self.manifest.kind.window;
        let (columns, stride) = (grid.columns as usize, grid.stride as usize);
        let (line, width) = (canvas.size.width as usize * 3, window.width as usize * 3);
        let count = columns * grid.rows as usize;
        let mut scores = Vec::with_capacity(count);
        while scores.len() < count {
            let batch = scores.len()..count.min(scores.len() + WINDOW_BATCH);
            let rows = batch.len();
            let mut pixels = Vec::with_capacity(rows * width * window.height as usize);
            for index in batch {
                let (left, top) = (index % columns * stride * 3, index / columns * stride);
                for y in top..top + window.height as usize {
                    pixels.extend_from_slice(&canvas.rgb[y * line + left..][..width]);
                }
            }
            scores.extend(self.run(rows, Size { width: window.width, height: window.height }, pixels)?);
        }
        Ok(scores)
    }

    fn in_strips(&mut self, grid: WindowGrid, canvas: &Canvas) -> Result<Vec<f32>, InferenceError> {
        let window = self.manifest.kind.window;
        let line = canvas.size.width as usize * 3;
        let width = canvas.size.width;
        let mut scores = Vec::with_capacity((grid.columns * grid.rows) as usize);
        for (first, rows) in window.strips(grid, width, STRIP_PIXELS) {
            let strip = Size { width, height: window.strip_height(rows) };
            let top = (first * window.stride) as usize;
            let pixels = canvas.rgb[top * line..][..strip.pixels() * 3].to_vec();
            scores.extend(self.run(1, strip, pixels)?);
        }
        Ok(scores)
    }

    /// Runs pictures of equal size; returns the scores of their windows, picture by picture, row by
    /// row.
    fn run(&mut self, batch: usize, size: Size, pixels: Vec<u8>) -> Result<Vec<f32>, InferenceError> {
        let shape = [batch, size.height as usize, size.width as usize, 3];
        let outputs = self.session.run(ort::inputs! { "pixels" => Tensor::from_array((shape, pixels))? })?;
        let (_, probabilities) = outputs["probabilities"].try_extract_tensor::<f32>()?;
        let grid = self.manifest.kind.window.grid(size);
        if probabilities.len() != batch * (grid.columns * grid.rows) as usize {
            return Err(InferenceError::Runtime(format!(
                "{batch} pictures of {} x {} windows went in and {} scores came out",
                grid.columns,
                grid.rows,
                probabilities.len()
            )));
        }
        if let Some(score) = probabilities.iter().find(|score| !(0.0..=1.0).contains(*score)) {
            return Err(InferenceError::Runtime(format!("{score} came out, which is no probability")));
        }
        Ok(probabilities.to_vec())
    }
}
