//! Files of lines, each line a record as it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{IngestError, Outlet, keys};
use crate::feeds::{LONGEST_LINE, Line, Lines};

/// Lines that wait between the thread that reads and the topic.
const AHEAD: usize = 256;
/// Lines between two cursors.
const MARK_EVERY: u64 = 500;
/// The name of standard input.
const STANDARD_INPUT: &str = "-";

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// The files, in their order; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// Most lines a second.
    pub rate: Option<f64>,
    /// Reads files from their beginning, whatever was read of them before.
    pub from_start: bool,
}

/// How far a file was read.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    /// Bytes of the unpacked file.
    offset: u64,
    /// A hash of its first line, to know the file again.
    first_line: String,
}

/// Reads files.
pub struct File {
    options: FileOptions,
    began: Instant,
    lines: u64,
}

impl File {
    /// Reads nothing yet.
    pub fn new(options: FileOptions) -> Self {
        Self { options, began: Instant::now(), lines: 0 }
    }

    /// Reads every file to its end, unless it shall stop before.
    ///
    /// # Errors
    /// A file can't be read, or is not the one that was read before.
    pub async fn run(&mut self, outlet: &mut Outlet) -> Result<(), IngestError> {
        self.began = Instant::now();
        for path in self.options.paths.clone() {
            if path.as_os_str() == STANDARD_INPUT {
                let lines = spawn(|| Ok(Lines::standard_input()));
                self.read(outlet, lines, &path, None, None).await?;
                continue;
            }
            let path = std::path::absolute(&path).unwrap_or(path);
            let key = Arc::from(format!("file {}", path.display()));
            let known = if self.options.from_start { None } else { outlet.cursor(&key) };
            let known = known.and_then(|cursor| serde_json::from_str(cursor).ok());
            let offset = known.as_ref().map_or(0, |position: &Position| position.offset);
            let first_line = known.map(|position| position.first_line);
            let hash = first_line_hash(&path).await?;
            if first_line.is_some_and(|known| Some(&known) != hash.as_ref())
                || (offset > 0 && is_shorter(&path, offset))
            {
                return Err(IngestError::Replaced { path, at: offset });
            }
            tracing::info!(file.offset = offset, "Reads {}", path.display());
            let file = path.clone();
            let lines = spawn(move || Lines::open(&file, offset));
            if !self.read(outlet, lines, &path, Some(&key), hash).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether the file was read to its end.
    async fn read(
        &mut self,
        outlet: &mut Outlet,
        mut lines: mpsc::Receiver<std::io::Result<Line>>,
        path: &Path,
        key: Option<&Arc<str>>,
        first_line: Option<String>,
    ) -> Result<bool, IngestError> {
        let stop = outlet.stop();
        let mut end = None;
        loop {
            let line = tokio::select! {
                line = lines.recv() => line,
                () = stop.cancelled() => None,
                () = tokio::time::sleep(Duration::from_secs(1)) => {
                    outlet.tick().await?;
                    continue;
                }
            };
            let Some(line) = line else { break };
            let line = line.map_err(|error| IngestError::File { path: path.to_owned(), error })?;
            if line.is_cut {
                outlet.leave_out(&format!(
                    "a line of {} that is longer than {LONGEST_LINE} bytes",
                    path.display()
                ));
            } else if !line.bytes.is_empty() {
                outlet.write(keys::of_record(&line.bytes).as_deref(), &line.bytes).await?;
                self.lines += 1;
                if !self.pace(outlet).await? {
                    break;
                }
            }
            // What has no end may go on: it is read again, when it is whole.
            if line.is_complete {
                end = Some(line.end);
            }
            if let Some(key) = key
                && self.lines.is_multiple_of(MARK_EVERY)
            {
                mark(outlet, key, end, first_line.as_ref());
            }
        }
        if let Some(key) = key {
            mark(outlet, key, end, first_line.as_ref());
        }
        Ok(!stop.is_cancelled())
    }

    /// Waits where there were too many lines so far. Whether to go on.
    async fn pace(&self, outlet: &mut Outlet) -> Result<bool, IngestError> {
        let Some(rate) = self.options.rate else { return Ok(true) };
        #[expect(clippy::cast_precision_loss, reason = "2^53 lines are out of reach")]
        let due = Duration::try_from_secs_f64(self.lines as f64 / rate).unwrap_or(Duration::MAX);
        match due.checked_sub(self.began.elapsed()) {
            Some(pause) if pause > Duration::from_millis(10) => outlet.rest(pause).await,
            _ => Ok(true),
        }
    }
}

fn mark(outlet: &mut Outlet, key: &Arc<str>, end: Option<u64>, first_line: Option<&String>) {
    if let (Some(offset), Some(first_line)) = (end, first_line) {
        let position = Position { offset, first_line: first_line.clone() };
        outlet.mark(key, serde_json::to_string(&position).unwrap_or_default());
    }
}

/// Reads on a thread of its own.
fn spawn(
    open: impl FnOnce() -> std::io::Result<Lines> + Send + 'static,
) -> mpsc::Receiver<std::io::Result<Line>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut lines = match open() {
            Ok(lines) => lines,
            Err(error) => return drop(sender.blocking_send(Err(error))),
        };
        while let Some(line) = lines.next_line().transpose() {
            let is_broken = line.is_err();
            if sender.blocking_send(line).is_err() || is_broken {
                return;
            }
        }
    });
    receiver
}

/// A hash of the first line; nothing while there is none that is complete.
async fn first_line_hash(path: &Path) -> Result<Option<String>, IngestError> {
    let file = path.to_owned();
    let mut lines = spawn(move || Lines::open(&file, 0));
    let line = lines.recv().await.transpose();
    let line = line.map_err(|error| IngestError::File { path: path.to_owned(), error })?;
    Ok(line.filter(|line| line.is_complete).map(|line| hex::encode(&Sha256::digest(&line.bytes)[..8])))
}

/// Whether a plain file is shorter than what was read of it.
fn is_shorter(path: &Path, offset: u64) -> bool {
    let is_packed = path.extension().is_some_and(|end| end == "gz" || end == "zst" || end == "xz");
    !is_packed && path.metadata().is_ok_and(|metadata| metadata.len() < offset)
}
