//! What runs in a child: file after file, until the pipe ends.

use std::io::{self, Read, Write};
use std::num::{NonZeroU32, NonZeroUsize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};

use super::frames::{self, Go, Job, Reply};
use crate::domain::Picture;
use crate::media::decode::{Shown, Undecodable, decode_file, memory_needed};
use crate::media::perceptual::{PerceptualHash, perceptual_hash};

/// The first argument of a child; the second is the memory that it may take.
pub(super) const ARGUMENT: &str = "decode-pictures";

/// Serves as a child if this process was started as one; `None` where it was not. To be called
/// before anything else: a child needs no settings and no runtime.
pub fn serve_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let memory = arguments.next().and_then(|bytes| bytes.parse().ok());
    let Some(memory) = memory else {
        eprintln!("{ARGUMENT}: this is for the daemon itself; see overheard --help");
        return Some(ExitCode::FAILURE);
    };
    Some(match serve(memory) {
        Ok(()) => ExitCode::SUCCESS,
        // The daemon is gone, or it reads no more.
        Err(_) => ExitCode::FAILURE,
    })
}

fn serve(memory: u64) -> io::Result<()> {
    let space = address_space()?.saturating_add(memory);
    setrlimit(Resource::RLIMIT_AS, space, space)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    loop {
        let job: Job = match frames::read(&mut input) {
            Ok(job) => job,
            Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut file = vec![0; job.bytes];
        input.read_exact(&mut file)?;
        limit_cpu(job.cpu_seconds)?;
        let max_pixels = NonZeroUsize::new(job.max_pixels).unwrap_or(NonZeroUsize::MIN);
        let needed = caught(|| memory_needed(&file, max_pixels));
        let decoded = match needed {
            Err(error) => Err(error),
            Ok(bytes) => {
                frames::write(&mut output, &Reply::Needs(bytes))?;
                let Go = frames::read(&mut input)?;
                caught(|| {
                    let longest_side = job.longest_side.and_then(NonZeroU32::new);
                    let shown = decode_file(&file, max_pixels, longest_side)?;
                    // What looks the same at first may show something else later.
                    let picture = Some(&shown.picture).filter(|_| shown.others.is_empty());
                    let hash = picture.and_then(perceptual_hash).map(PerceptualHash::to_i64);
                    Ok((shown, hash))
                })
            }
        };
        match decoded {
            Ok((Shown { picture, others }, hash)) => {
                frames::write(&mut output, &reply(&picture, others.len(), hash))?;
                for picture in [&picture].into_iter().chain(&others) {
                    output.write_all(picture.rgb())?;
                }
                output.flush()?;
            }
            Err(error) => {
                let reason = error.to_string().chars().take(1000).collect();
                frames::write(&mut output, &Reply::Undecodable { label: error.label().to_owned(), reason })?;
            }
        }
    }
}

fn reply(picture: &Picture, others: usize, hash: Option<i64>) -> Reply {
    Reply::Decoded {
        width: picture.width(),
        height: picture.height(),
        full_width: picture.full_width(),
        full_height: picture.full_height(),
        others,
        hash,
    }
}

/// A panic is the file's fault: the child goes on.
fn caught<T>(work: impl FnOnce() -> Result<T, Undecodable>) -> Result<T, Undecodable> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Undecodable::Panicked { format: "a picture" }))
}

/// So much more CPU time, whatever was used for earlier files; beyond it the kernel ends the process.
fn limit_cpu(seconds: u64) -> io::Result<()> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let used = usage.user_time().tv_sec() + usage.system_time().tv_sec();
    let limit = u64::try_from(used).unwrap_or_default() + 1 + seconds;
    let (_, hard) = nix::sys::resource::getrlimit(Resource::RLIMIT_CPU)?;
    Ok(setrlimit(Resource::RLIMIT_CPU, limit.min(hard), hard)?)
}

/// The address space that the program itself takes, in bytes.
fn address_space() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|kib| kib.trim().parse().ok());
    kib.map(|kib: u64| kib << 10).ok_or_else(|| io::Error::other("/proc/self/status has no VmSize"))
}
