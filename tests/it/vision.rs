//! The shipped models that look for logos, through the same code as the daemon's.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use overheard::domain::{Detection, Picture, PixelBox};
use overheard::geometry::iou;
use overheard::health::Health;
use overheard::inference::{
    DetectorKind, DetectorModel, GoldenDetection, LogoDetector, Manifest, ModelFile, PictureGolden, Search,
    WindowGolden, WindowModel,
};

use crate::support::models::{options, runtime};

/// A model's folder, or none, said aloud, where the model is not there.
fn shipped(name: &str) -> Option<PathBuf> {
    let folder = options().models.join(name);
    if !folder.join("manifest.json").is_file() {
        eprintln!("SKIPPED: there is no model {}", folder.display());
        return None;
    }
    Some(folder)
}

fn detector(folder: &Path, budget: usize) -> LogoDetector {
    let budget = NonZeroUsize::new(budget).unwrap();
    LogoDetector::start(DetectorModel::open(runtime(&options()), folder, budget).unwrap(), &Health::new())
        .unwrap()
}

async fn detect(detector: &LogoDetector, picture: impl Into<Arc<Picture>>) -> Vec<Detection> {
    detector.submit(picture).await.unwrap().await.unwrap()
}

fn decoded(bytes: &[u8]) -> Picture {
    let rgb = image::load_from_memory(bytes).unwrap().to_rgb8();
    Picture::new(rgb.width(), rgb.height(), rgb.into_raw()).unwrap()
}

/// A picture with something to see everywhere: gradients, bars and a checkerboard.
fn scene(width: u32, height: u32) -> Picture {
    let pixel = |x: u32, y: u32| {
        let bar = if (x / 23).is_multiple_of(5) && (y / 11).is_multiple_of(3) { 200 } else { 0 };
        let board = if (x / 7 + y / 9).is_multiple_of(2) { 40 } else { 0 };
        [(x * 255 / width) ^ bar, (y * 255 / height) ^ board, (x * y) % 251]
            .map(|value| u8::try_from(value).unwrap())
    };
    let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    Picture::new(width, height, rows.flat_map(|(x, y)| pixel(x, y)).collect()).unwrap()
}

#[tokio::test]
async fn the_goldens_of_the_detector_hold() {
    let Some(folder) = shipped("logo-detector") else { return };
    let manifest = Manifest::<DetectorKind>::read(&folder).unwrap();
    let model = detector(&folder, 1 << 20);
    for PictureGolden { picture, detections } in &manifest.kind.goldens {
        let found = detect(&model, decoded(&manifest.file_at(picture).unwrap())).await;
        let same = |golden: &GoldenDetection, detection: &Detection| {
            let GoldenDetection { x, y, width, height, .. } = *golden;
            detection.label == golden.brand
                && iou(&detection.bounds, &PixelBox { x, y, width, height }) > 0.85
                && (detection.score - golden.score).abs() < 0.05
        };
        for golden in detections {
            let seen = found.iter().any(|detection| same(golden, detection));
            assert!(seen, "{}: {golden:?} is not in {found:#?}", picture.display());
        }
        for detection in found.iter().filter(|detection| detection.reported) {
            let noted = detections.iter().any(|golden| same(golden, detection));
            assert!(noted, "{}: {detection:?} is not in {detections:#?}", picture.display());
        }
    }
}

/// Both ways, so a network that is no longer the same in one pass as window by window fails, too.
#[test]
fn the_goldens_of_the_window_model_hold_in_one_pass_and_window_by_window() {
    let Some(folder) = shipped("logo-windows") else { return };
    let mut model = WindowModel::open(runtime(&options()), &folder).unwrap();
    for WindowGolden { picture, sha256, probabilities } in model.manifest().kind.goldens.clone() {
        let file = ModelFile { path: picture.clone(), sha256 };
        let pixels = decoded(&model.manifest().read_file(&file).unwrap());
        let expected = probabilities.concat();
        for search in [Search::Dense, Search::Windows] {
            let found = model.plain_scores(&pixels, search).unwrap();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-3, "{}: {found} for {expected}", picture.display());
            }
        }
    }
}

/// On a real picture where there is a golden one: not all of its scores are near 0.
#[test]
fn dense_scores_are_those_of_each_window_alone() {
    let Some(folder) = shipped("logo-windows") else { return };
    let mut model = WindowModel::open(runtime(&options()), &folder).unwrap();
    let golden = model.manifest().kind.goldens.first().cloned();
    let picture = golden.map_or_else(
        || scene(240, 120),
        |WindowGolden { picture, sha256, .. }| {
            decoded(&model.manifest().read_file(&ModelFile { path: picture, sha256 }).unwrap())
        },
    );
    // The smallest level: a few hundred windows, each a run of the whole network.
    let level = model.levels(&picture).into_iter().min_by_key(|level| level.padded.pixels()).unwrap();
    let dense = model.scores(&picture, &level, Search::Dense).unwrap();
    let alone = model.scores(&picture, &level, Search::Windows).unwrap();
    assert_eq!(dense.len(), (level.grid.columns * level.grid.rows) as usize);
    for (index, (dense, alone)) in dense.iter().zip(&alone).enumerate() {
        assert!((dense - alone).abs() < 1e-4, "window {index}: {dense} in one pass, {alone} alone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_show_the_same_alone_and_among_others() {
    let Some(folder) = shipped("logo-detector") else { return };
    let detector = detector(&folder, 1 << 20);
    // Wide, high, square, tiny, and one that is looked at in tiles where the model does so.
    let sizes = [(640, 480), (300, 500), (512, 512), (9, 3), (1920, 700)];
    let pictures: Vec<Arc<Picture>> = sizes.iter().map(|(w, h)| Arc::new(scene(*w, *h))).collect();
    let mut alone = Vec::new();
    for picture in &pictures {
        alone.push(detect(&detector, picture.clone()).await);
    }
    let mut pending = Vec::new();
    for round in 0..3 {
        for picture in &pictures {
            pending.push((round, detector.submit(picture.clone()).await.unwrap()));
        }
    }
    for (index, (_, answer)) in pending.into_iter().enumerate() {
        let (found, expected) = (answer.await.unwrap(), &alone[index % alone.len()]);
        assert_eq!(found.len(), expected.len());
        for (one, other) in found.iter().zip(expected) {
            assert!((one.score - other.score).abs() < 1e-3, "{one:?} and {other:?}");
        }
        assert!(found.is_sorted_by(|one, other| one.score >= other.score));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn boxes_lie_in_the_upright_full_picture() {
    let Some(folder) = shipped("logo-detector") else { return };
    let detector = detector(&folder, 1 << 20);
    let picture = scene(700, 300).standing_for(2800, 1200);
    for Detection { bounds, prominence, .. } in detector.submit(picture).await.unwrap().await.unwrap() {
        let PixelBox { x, y, width, height } = bounds;
        assert!(x >= 0.0 && y >= 0.0 && width > 0.0 && height > 0.0);
        assert!(x + width <= 2800.5 && y + height <= 1200.5, "{bounds:?}");
        assert!(prominence.share > 0.0 && prominence.share <= 1.0);
    }
}
