//! The children: started when needed, kept, killed when they take too long, and replaced.

use std::io;
use std::num::{NonZeroU32, NonZeroUsize};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::child::ARGUMENT;
use super::frames::{self, Go, Job, Reply};
use super::memory::{Budget, Memory};
use crate::domain::Picture;
use crate::media::decode::{BYTES_PER_PIXEL, OTHERS_BYTES};
use crate::media::perceptual::PerceptualHash;
use crate::media::still_frames::MOST_OTHERS;
use crate::metrics::{PICTURE_DECODE_SECONDS, PICTURE_DECODERS_LOST, PICTURE_DECODES};

/// The program of this very process, even if its file was replaced.
const THIS_PROGRAM: &str = "/proc/self/exe";
/// A child on a busy machine may wait so many times longer for a core than it may use one.
const WALL_FACTOR: u32 = 12;
/// How often a file is tried whose child ends: the first time may have been another's fault.
const TRIES: u32 = 2;

/// How files are decoded.
#[derive(Clone, Debug)]
pub struct DecodersOptions {
    /// Files that are decoded at once: each takes a child and a core.
    pub children: NonZeroUsize,
    /// Memory for all pictures, in bytes, from the header to the end of detection.
    pub memory: NonZeroUsize,
    /// CPU time for one file.
    pub timeout: Duration,
    /// Largest file, in bytes.
    pub max_bytes: NonZeroUsize,
    /// Most pixels that a file may unpack to.
    pub max_pixels: NonZeroUsize,
    /// What the detector needs of a picture's longest side; all where that is not told.
    pub longest_side: Option<NonZeroU32>,
}

/// A picture with the memory that it takes.
#[derive(Debug)]
pub struct DecodedPicture {
    /// The picture.
    pub picture: Picture,
    /// What else its file shows, in the same size.
    pub others: Vec<Picture>,
    /// How it looks, where that can tell it from others.
    pub hash: Option<PerceptualHash>,
    /// To be kept as long as the pictures.
    pub memory: Memory,
}

/// What decoding came to.
#[derive(Debug)]
pub enum DecodeOutcome {
    /// A picture.
    Decoded(DecodedPicture),
    /// The file is none, for this reason. The same file will be none tomorrow.
    Undecodable(String),
    /// It could not be tried, for this reason.
    Unavailable(String),
}

/// The pool. Clones share its children.
#[derive(Clone)]
pub struct Decoders(Arc<Inner>);

struct Inner {
    options: DecodersOptions,
    program: PathBuf,
    places: Semaphore,
    budget: Budget,
    idle: Mutex<Vec<Decoder>>,
}

/// A child that waits for a file.
struct Decoder {
    process: Child,
    input: ChildStdin,
    output: ChildStdout,
}

/// Why an exchange with a child ended early.
enum Lost {
    Ended(io::Error),
    TooLong,
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        Self::Ended(error)
    }
}

impl Decoders {
    /// A pool without children yet.
    pub fn new(options: DecodersOptions) -> Self {
        Self::with_program(options, THIS_PROGRAM.into())
    }

    /// A pool whose children run another program, which calls [`super::serve_if_asked`] first.
    pub fn with_program(options: DecodersOptions, program: PathBuf) -> Self {
        let places = Semaphore::new(options.children.get());
        let budget = Budget::new(options.memory);
        Self(Arc::new(Inner { options, program, places, budget, idle: Mutex::default() }))
    }

    /// Decodes a file when a child and the memory are free.
    pub async fn decode(&self, file: &[u8]) -> DecodeOutcome {
        let Ok(_place) = self.0.places.acquire().await else {
            return DecodeOutcome::Unavailable("The decoders are closed".to_owned());
        };
        let begin = Instant::now();
        let (label, outcome) = self.0.decode(file).await;
        metrics::counter!(PICTURE_DECODES, "outcome" => label).increment(1);
        metrics::histogram!(PICTURE_DECODE_SECONDS).record(begin.elapsed().as_secs_f64());
        outcome
    }
}

impl Inner {
    async fn decode(&self, file: &[u8]) -> (&'static str, DecodeOutcome) {
        let mut why = String::new();
        for _ in 0..TRIES {
            let mut decoder = match self.decoder() {
                Ok(decoder) => decoder,
                Err(error) => {
                    let reason = format!("A decoder of pictures can't be started: {error}");
                    return ("unavailable", DecodeOutcome::Unavailable(reason));
                }
            };
            why = match self.exchange(&mut decoder, file).await {
                Ok(ended) => {
                    self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(decoder);
                    return ended;
                }
                Err(lost) => {
                    metrics::counter!(PICTURE_DECODERS_LOST).increment(1);
                    let status = decoder.end().await;
                    if status.and_then(|status| status.signal()) == Some(Signal::SIGXCPU as i32) {
                        let reason = format!("Decoding it takes longer than {:?}", self.options.timeout);
                        return ("too_slow", DecodeOutcome::Undecodable(reason));
                    }
                    said(&lost, status)
                }
            };
            tracing::warn!("A decoder of pictures was lost: {why}");
        }
        ("lost", DecodeOutcome::Undecodable(format!("Decoding it ends the decoder: {why}")))
    }

    /// A child that waits, or a new one.
    fn decoder(&self) -> io::Result<Decoder> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Decoder::start(self), Ok)
    }

    /// Hands a file over and takes the answer.
    async fn exchange(
        &self,
        decoder: &mut Decoder,
        file: &[u8],
    ) -> Result<(&'static str, DecodeOutcome), Lost> {
        let Decoder { input, output, .. } = decoder;
        let options = &self.options;
        let limit = options.timeout * WALL_FACTOR;
        let cpu_seconds = options.timeout.as_secs().max(1);
        let (max_pixels, longest_side) =
            (options.max_pixels.get(), options.longest_side.map(NonZeroU32::get));
        let job = Job { bytes: file.len(), max_pixels, longest_side, cpu_seconds };
        let header = async {
            frames::send(input, &job).await?;
            input.write_all(file).await?;
            input.flush().await?;
            frames::receive::<Reply>(output).await
        };
        let reply = timeout(limit, header).await.map_err(|_| Lost::TooLong)??;
        let needed = match reply {
            Reply::Needs(bytes) => bytes + file.len() as u64 * 2,
            Reply::Undecodable { label, reason } => return Ok(undecodable(&label, reason)),
            Reply::Decoded { .. } => return Err(out_of_turn()),
        };
        let mut memory = self.budget.take(needed).await;
        let pixels = async {
            frames::send(input, &Go).await?;
            let reply = frames::receive::<Reply>(output).await?;
            let Reply::Decoded { width, height, others, .. } = reply else {
                return Ok((reply, Vec::new()));
            };
            let pixels = u64::from(width) * u64::from(height);
            if pixels > options.max_pixels.get() as u64 || others > MOST_OTHERS {
                return Err(io::Error::other("it sends more pixels than it may"));
            }
            let mut all = Vec::with_capacity(1 + others);
            for _ in 0..=others {
                let mut rgb = vec![0; usize::try_from(pixels * 3).unwrap_or_default()];
                output.read_exact(&mut rgb).await?;
                all.push(rgb);
            }
            Ok((reply, all))
        };
        let (reply, all) = timeout(limit, pixels).await.map_err(|_| Lost::TooLong)??;
        match reply {
            Reply::Undecodable { label, reason } => Ok(undecodable(&label, reason)),
            Reply::Decoded { width, height, full_width, full_height, hash, .. } => {
                memory.shrink_to(all.iter().map(|rgb| rgb.len() as u64).sum());
                let mut pictures = all.into_iter().map(|rgb| {
                    let picture = Picture::new(width, height, rgb).ok_or_else(out_of_turn)?;
                    Ok::<_, Lost>(picture.standing_for(full_width, full_height))
                });
                let picture = pictures.next().unwrap_or_else(|| Err(out_of_turn()))?;
                let others = pictures.collect::<Result<_, _>>()?;
                let hash = hash.map(PerceptualHash::from_i64);
                Ok(("decoded", DecodeOutcome::Decoded(DecodedPicture { picture, others, hash, memory })))
            }
            Reply::Needs(_) => Err(out_of_turn()),
        }
    }
}

impl Decoder {
    fn start(pool: &Inner) -> io::Result<Self> {
        let options = &pool.options;
        let mut process = Command::new(&pool.program)
            .arg(ARGUMENT)
            .arg(child_memory(options).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A panic over a file is counted and stored; its trace would only fill the log.
            .stderr(Stdio::null())
            // A signal from the terminal is the daemon's to answer.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("it has no pipes"));
        };
        Ok(Self { process, input, output })
    }

    /// How it ended, killed if it had not.
    async fn end(mut self) -> Option<ExitStatus> {
        // What closed its pipes is about to end by itself, and how it ends says why.
        if let Ok(Ok(status)) = timeout(Duration::from_millis(500), self.process.wait()).await {
            return Some(status);
        }
        let _ = self.process.start_kill();
        self.process.wait().await.ok()
    }
}

/// The address space of a child beyond the program's own: a picture as large as may be, and room for
/// what else the file shows, the file itself and the allocator.
fn child_memory(options: &DecodersOptions) -> u64 {
    const ROOM: u64 = (64 << 20) + OTHERS_BYTES;
    let pixels = (options.max_pixels.get() as u64).saturating_mul(BYTES_PER_PIXEL);
    pixels.saturating_add(options.max_bytes.get() as u64 * 2).saturating_add(ROOM)
}

fn out_of_turn() -> Lost {
    Lost::Ended(io::Error::other("it answers out of turn"))
}

fn said(lost: &Lost, status: Option<ExitStatus>) -> String {
    match (lost, status) {
        (Lost::TooLong, _) => "it did not answer in time".to_owned(),
        (Lost::Ended(_), Some(status)) => status.to_string(),
        (Lost::Ended(error), None) => error.to_string(),
    }
}

/// A child's words, held to those that may be counted by.
fn undecodable(label: &str, reason: String) -> (&'static str, DecodeOutcome) {
    let known = ["format", "too_large", "broken", "panicked"];
    let label = known.into_iter().find(|known| *known == label).unwrap_or("broken");
    (label, DecodeOutcome::Undecodable(reason))
}
