//! Finding logos on one core: pictures a second, decoding included, and the detector and the dense
//! window network compared with running every window by itself.
//!
//! `OVERHEARD_BENCH_PICTURES=FOLDER cargo bench --bench detection` takes the pictures of a folder;
//! without it, those that the detector ships as known answers. Needs the library that `make build`
//! fetches, and the models.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use overheard::domain::{Detection, Picture};
use overheard::health::Health;
use overheard::inference::{DetectorModel, Device, LogoDetector, Runtime, Search, WindowModel};
use overheard::media;

const PICTURES: &str = "OVERHEARD_BENCH_PICTURES";
const MAX_PIXELS: NonZeroUsize = NonZeroUsize::new(64 << 20).expect("not zero");
/// One canvas a batch: on one core, larger batches gain nothing.
const BUDGET: NonZeroUsize = NonZeroUsize::MIN;

fn main() {
    divan::main();
    if !std::env::args().any(|argument| ["--list", "--test"].contains(&argument.as_str())) {
        compare();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn model_folder(name: &str) -> Option<PathBuf> {
    let folder = root().join("models").join(name);
    let is_there = folder.join("manifest.json").is_file();
    if !is_there {
        eprintln!("SKIPPED: there is no model {}", folder.display());
    }
    is_there.then_some(folder)
}

fn runtime() -> &'static Runtime {
    // ONNX Runtime has one environment a process.
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let library = root().join(".runtime/onnxruntime/libonnxruntime.so");
        Runtime::load(&library, Device::Cpu, NonZeroUsize::MIN).expect("`make build` fetches the library")
    })
}

/// The detector on its thread, as the daemon runs it, with somebody who waits for each answer.
struct Waiting {
    tokio: tokio::runtime::Runtime,
    detector: LogoDetector,
}

impl Waiting {
    fn detect(&self, picture: &Arc<Picture>) -> Vec<Detection> {
        let answer = async { self.detector.submit(picture.clone()).await?.await };
        self.tokio.block_on(answer).expect("the model runs")
    }
}

fn detector() -> Option<Waiting> {
    let folder = model_folder("logo-detector")?;
    let model = DetectorModel::open(runtime(), &folder, BUDGET).expect("the shipped detector opens");
    let tokio = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    Some(Waiting { tokio, detector: LogoDetector::start(model, &Health::new()).expect("a thread") })
}

/// Files of pictures: of the folder that the environment names, else the detector's known answers.
fn files() -> Vec<Vec<u8>> {
    let folder = std::env::var_os(PICTURES).map(PathBuf::from);
    if folder.is_none() {
        eprintln!("{PICTURES} names no folder: the pictures are the detector's known answers");
    }
    let folder = folder.unwrap_or_else(|| root().join("models/logo-detector"));
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder of pictures can be read")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            ["jpg", "jpeg", "png", "webp", "gif"].contains(&extension.to_lowercase().as_str())
        })
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a picture can be read")).collect()
}

/// A pattern everywhere, so that no window is skipped.
fn scene(width: u32, height: u32) -> Picture {
    let shade = |value: u32| u8::try_from(value % 256).expect("below 256");
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let rgb = pixels.flat_map(|(x, y)| [shade(x * y / 97), shade(x + y / 2), shade(x / 9 * 31 + y / 7 * 57)]);
    Picture::new(width, height, rgb.collect()).expect("three bytes a pixel")
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn pictures_from_their_files(bencher: Bencher<'_, '_>) {
    let Some(detector) = detector() else { return };
    let files = files();
    if files.is_empty() {
        return eprintln!("SKIPPED: there are no pictures");
    }
    let longest_side = detector.detector.sufficient_side();
    bencher.counter(ItemsCount::new(files.len())).bench_local(|| {
        for file in &files {
            let picture = media::decode(file, MAX_PIXELS, longest_side).expect("a picture").picture;
            black_box(detector.detect(&Arc::new(picture)));
        }
    });
}

#[divan::bench]
fn detector_640x480(bencher: Bencher<'_, '_>) {
    let Some(detector) = detector() else { return };
    let picture = Arc::new(scene(640, 480));
    bencher.bench_local(|| detector.detect(&picture));
}

/// The three ways on one picture, in one run, so that the machine is the same. Of the single
/// windows only a sample is run and scaled up: all of them take minutes.
fn compare() {
    let (Some(detector), Some(folder)) = (detector(), model_folder("logo-windows")) else { return };
    let mut windows = WindowModel::open(runtime(), &folder).expect("the shipped window model opens");
    let picture = Arc::new(scene(640, 480));
    let levels = windows.levels(&picture);
    let count: u32 = levels.iter().map(|level| level.grid.columns * level.grid.rows).sum();

    let shape = windows.manifest().kind.window;
    // A strip with this many windows in a row.
    let sampled = 64;
    let strip = scene(shape.width + (sampled - 1) * shape.stride, shape.height);
    let window =
        median(5, || drop(windows.plain_scores(&strip, Search::Windows).expect("it runs"))) / sampled;
    let naive = window * count;
    // It takes a minute or more, so it runs once.
    let dense = timed(|| drop(windows.detect(&picture, Search::Dense).expect("it runs")));
    let detector = median(15, || drop(detector.detect(&picture)));

    println!(
        "\n640 x 480, one core, median; windows: {sampled} run in batches of 16, times {count} / {sampled}"
    );
    for (name, time) in [("windows (extrapolated)", naive), ("dense", dense), ("detector", detector)] {
        let times = naive.as_secs_f64() / time.as_secs_f64();
        println!("{name:<24}{:>12.1} ms{times:>10.1} times faster than windows", time.as_secs_f64() * 1e3);
    }
}

fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    work();
    let mut times: Vec<Duration> = (0..runs).map(|_| timed(&mut work)).collect();
    times.sort();
    times[runs / 2]
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}
