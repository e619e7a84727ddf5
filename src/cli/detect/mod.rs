//! `overheard detect`: pictures in, the logos in them out, one JSON object a line.

mod annotate;
mod glyphs;

use std::io::{BufWriter, ErrorKind, Write};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use clap::{Args, ValueEnum};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use tokio::task::spawn_blocking;

use crate::assembly;
use crate::config::Settings;
use crate::domain::{Detection, ModelId, Picture};
use crate::geometry::union;
use crate::health::Health;
use crate::inference::{InferenceError, LogoDetector, Search, WindowModel};
use crate::media::Shown;
use crate::{media, telemetry};

/// What `detect` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Each line has path, width, height, model and sightings, the surest first: brand, score, and x, y, \
width and height in pixels of the upright picture. Every box above the model's low score is told; \
those that the daemon would count are marked reported. A picture that can't be read or decoded \
gives an object with path and error, and the exit code is 1 at the end.")]
pub(super) struct Arguments {
    /// Pictures: JPEG, PNG, WebP or GIF
    #[arg(required = true, value_name = "IMAGE")]
    pictures: Vec<PathBuf>,
    /// How to look for logos
    #[arg(long, value_enum, default_value_t = Model::Detector)]
    model: Model,
    /// Write a PNG of each picture with what is reported drawn onto it; nothing is overwritten
    #[arg(long, value_name = "DIR")]
    annotate: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Model {
    /// The window classifier on each window for itself: slow, for comparison
    Windows,
    /// The same classifier over the whole picture in one pass for each size
    Dense,
    /// The detector that the daemon uses
    Detector,
}

/// One line of output.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Line {
    Seen {
        path: String,
        width: u32,
        height: u32,
        model: String,
        sightings: Vec<DetectionLine>,
        #[serde(skip_serializing_if = "Option::is_none")]
        annotated: Option<String>,
    },
    Failed {
        path: String,
        error: String,
    },
}

#[derive(Debug, Serialize)]
struct DetectionLine {
    brand: String,
    score: f64,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    reported: bool,
}

/// What looks at pictures.
#[derive(Clone)]
enum LogoFinder {
    Detector(LogoDetector),
    Windows(Arc<Mutex<WindowModel>>, Search),
}

/// What every picture needs.
#[derive(Clone)]
struct Task {
    finder: LogoFinder,
    model: ModelId,
    max_pixels: NonZeroUsize,
    longest_side: Option<NonZeroU32>,
}

/// Looks at every picture; exit code 1 if one of them could not be.
pub(super) async fn run(settings: Settings, arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&telemetry::Options { filter: "warn".to_owned(), ..settings.log.clone() });
    let Arguments { pictures, model, annotate } = arguments;
    let copies = match &annotate {
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
            annotate::names(folder, &pictures).into_iter().map(Some).collect()
        }
        None => vec![None; pictures.len()],
    };
    let task = Task::open(&settings, model, annotate.is_some()).await?;
    let at_once = match task.finder {
        // Decoding and scaling run beside the model.
        LogoFinder::Detector(_) => std::thread::available_parallelism().map_or(2, NonZeroUsize::get) + 1,
        LogoFinder::Windows(..) => 1,
    };
    let lines = stream::iter(pictures.into_iter().zip(copies))
        .map(|(path, copy)| task.clone().line(path, copy))
        .buffered(at_once);
    match print(lines).await {
        // Whoever read the output has seen enough, and the rest of the pictures is of no interest.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
        Err(error) => Err(error),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Prints lines as they come, each at once; whether none of them is of a failure.
async fn print(lines: impl stream::Stream<Item = anyhow::Result<Line>>) -> anyhow::Result<bool> {
    let mut output = BufWriter::new(std::io::stdout());
    let mut lines = pin!(lines);
    let mut sound = true;
    while let Some(line) = lines.next().await {
        let line = line?;
        sound &= matches!(line, Line::Seen { .. });
        serde_json::to_writer(&mut output, &line).map_err(std::io::Error::from)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(sound)
}

impl Task {
    async fn open(settings: &Settings, model: Model, in_full: bool) -> anyhow::Result<Self> {
        let options = settings.inference()?;
        let finder = spawn_blocking(move || {
            let runtime = assembly::runtime(&options)?;
            anyhow::Ok(match model {
                Model::Detector => {
                    LogoFinder::Detector(assembly::logo_detector(&runtime, &options, &Health::new())?)
                }
                Model::Dense | Model::Windows => {
                    let search = if matches!(model, Model::Dense) { Search::Dense } else { Search::Windows };
                    let windows = assembly::window_model(&runtime, &options)?;
                    LogoFinder::Windows(Arc::new(Mutex::new(windows)), search)
                }
            })
        });
        let finder = finder.await??;
        let (model, longest_side) = match &finder {
            LogoFinder::Detector(detector) => (detector.model().clone(), detector.sufficient_side()),
            LogoFinder::Windows(model, _) => (lock(model).id(), None),
        };
        let longest_side = longest_side.filter(|_| !in_full);
        Ok(Self { finder, model, max_pixels: settings.media.max_pixels, longest_side })
    }

    /// The line of a picture. An error is that of the model as a whole, and ends the command.
    async fn line(self, path: PathBuf, copy: Option<PathBuf>) -> anyhow::Result<Line> {
        let name = path.display().to_string();
        match self.look(path, copy.clone()).await {
            Ok((picture, detections)) => Ok(Line::Seen {
                path: name,
                width: picture.full_width(),
                height: picture.full_height(),
                model: self.model.to_string(),
                sightings: detections.iter().map(line_of).collect(),
                annotated: copy.map(|copy| copy.display().to_string()),
            }),
            Err(error) if matches!(error.downcast_ref(), Some(InferenceError::Stopped)) => Err(error),
            Err(error) => Ok(Line::Failed { path: name, error: format!("{error:#}") }),
        }
    }

    async fn look(
        &self,
        path: PathBuf,
        copy: Option<PathBuf>,
    ) -> anyhow::Result<(Arc<Picture>, Vec<Detection>)> {
        let (max_pixels, longest_side) = (self.max_pixels, self.longest_side);
        let Shown { picture, others } =
            spawn_blocking(move || decode(&path, max_pixels, longest_side)).await??;
        let picture = Arc::new(picture);
        let mut detections = vec![self.finder.look(picture.clone()).await?];
        for other in others {
            detections.push(self.finder.look(Arc::new(other)).await?);
        }
        let detections = union(detections);
        let Some(copy) = copy else { return Ok((picture, detections)) };
        spawn_blocking(move || {
            annotate::write(&copy, &picture, &detections)?;
            Ok((picture, detections))
        })
        .await?
    }
}

impl LogoFinder {
    async fn look(&self, picture: Arc<Picture>) -> Result<Vec<Detection>, InferenceError> {
        match self {
            Self::Detector(detector) => detector.submit(picture).await?.await,
            Self::Windows(model, search) => {
                let (model, search) = (model.clone(), *search);
                let look = move || lock(&model).detect(&picture, search);
                spawn_blocking(look).await.map_err(|_| InferenceError::Stopped)?
            }
        }
    }
}

fn lock(model: &Mutex<WindowModel>) -> std::sync::MutexGuard<'_, WindowModel> {
    model.lock().unwrap_or_else(PoisonError::into_inner)
}

fn decode(path: &Path, max_pixels: NonZeroUsize, longest_side: Option<NonZeroU32>) -> anyhow::Result<Shown> {
    // A device or a pipe may never end.
    anyhow::ensure!(std::fs::metadata(path)?.is_file(), "It is no file");
    Ok(media::decode(&std::fs::read(path)?, max_pixels, longest_side)?)
}

fn line_of(detection: &Detection) -> DetectionLine {
    let pixels = |value: f32| rounded(value, 100.0);
    DetectionLine {
        brand: detection.label.clone(),
        score: rounded(detection.score, 1e6),
        x: pixels(detection.bounds.x),
        y: pixels(detection.bounds.y),
        width: pixels(detection.bounds.width),
        height: pixels(detection.bounds.height),
        reported: detection.reported,
    }
}

fn rounded(value: f32, parts: f64) -> f64 {
    (f64::from(value) * parts).round() / parts
}
