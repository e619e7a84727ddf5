//! Logos in pictures: scaling, batching and models.
//!
//! - `canvas` crops and scales; `batches` groups canvases of equal size.
//! - `detector_model` runs the one-stage detector on canvases, and `logo_detector` does so on its
//!   own thread; `views` chooses the views of a picture and combines their boxes.
//! - `window_model` is the window classifier from the talk.
//! - `thresholds` decides which boxes are kept and which are reported.

mod batches;
mod canvas;
mod detector_model;
mod logo_detector;
mod manifest;
mod thresholds;
mod views;
mod window_model;

pub use batches::plan_canvases;
pub use detector_model::DetectorModel;
pub use logo_detector::{LogoDetector, PendingDetections};
pub use manifest::{DetectorKind, GoldenDetection, PictureGolden, WindowGolden, WindowsKind};
pub use window_model::{Search, WindowModel};
