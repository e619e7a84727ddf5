//! `overheard backfill`: a range of a topic, or files, through the daemon's own way.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use super::times::time;
use crate::assembly::{self, Assembly};
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::domain::{Delivery, Position, Record};
use crate::health::Health;
use crate::pipeline::{self, Backfilled};
use crate::source::{self, Extent, Stretch, TopicRange};
use crate::store::{BackfillPart, Store};
use crate::telemetry;

/// Records and bytes that are read, judged and stored together.
const CHUNK: usize = 1000;
const CHUNK_BYTES: usize = 1 << 20;
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// What `backfill` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Everything goes the way that the daemon takes, so a post that is stored already stays as it is, and \
gets the mentions that it lacks: after a brand was added or its terms were widened, read the topic \
again. Mentions that a narrower brand would no longer make stay. No alert comes of it: posts that \
claim a time that alert rules still look at are left to the daemon, and their number is told.

What was read is kept in Postgres. A run that was cut off goes on where it stopped when the same \
command is given again; one that has come to its end begins anew. The exit code is 1 if a record \
can't be used; each is told with its place and reason.")]
pub(super) struct Arguments {
    /// The topic, one of kafka.topics
    #[arg(long, value_name = "TOPIC")]
    topic: String,
    /// Records that were appended then or later [default: the oldest that the topic holds]
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<DateTime<Utc>>,
    /// Records that were appended before [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<DateTime<Utc>>,
    /// Say what would be read, and stop
    #[arg(long)]
    dry_run: bool,
    /// Files to read instead, each line a record of that topic's format
    #[arg(value_name = "FILE", conflicts_with_all = ["since", "until"])]
    files: Vec<PathBuf>,
}

/// Reads, judges and stores chunk by chunk, with progress on standard error and a summary on standard
/// output.
pub(super) async fn run(mut settings: Settings, arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&telemetry::Options { filter: "warn".to_owned(), ..settings.log.clone() });
    let Some(wire) = settings.pipeline.wires.get(&arguments.topic).cloned() else {
        let known = settings.source.topics.join(", ");
        bail!("--topic {}: not one of kafka.topics, which are {known}", arguments.topic);
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::connect_lazy(settings.store.clone())?;
    let pending = store.migration_state().await?.pending;
    if pending > 0 {
        bail!("{pending} migrations are pending; run `overheard migrate`");
    }
    let name = name(&arguments);
    let known = store.backfill(&name).await?;
    let before = left_to_daemon_from(&settings, &store, &*clock).await?;
    let parts = match known.is_empty() {
        false => known.clone(),
        true if arguments.files.is_empty() => topic_parts(&settings, &arguments, &*clock).await?,
        true => arguments.files.iter().map(|file| file_part(file)).collect::<anyhow::Result<_>>()?,
    };
    let total: i64 = parts.iter().map(|part| part.end_offset - part.next_offset).sum();
    let what = if arguments.files.is_empty() { "offsets" } else { "bytes" };
    let begins = if known.is_empty() { "To read" } else { "Goes on with a run that was cut off; to read" };
    eprintln!(
        "{begins}: {total} {what} of {}; posts that claim {} or later are left to the daemon",
        name,
        shown(before)
    );
    if arguments.dry_run {
        return Ok(ExitCode::SUCCESS);
    }

    settings.does_text = true;
    settings.does_pictures = false;
    // Files are records of topics of their own names.
    for file in &arguments.files {
        settings.pipeline.wires.insert(file.display().to_string(), wire.clone());
    }
    let Assembly { text, .. } = assembly::assemble(&settings, clock.clone(), Health::new()).await?;
    let mut components = text.context("The text models are not there")?;
    // Not as the consumer group: what it reads says nothing of how far the daemon has read.
    components.store = store.clone();
    store.keep_backfill(&name, &parts).await?;

    let mut reader = Reader::open(&settings, &arguments, &parts)?;
    let mut parts: BTreeMap<String, BackfillPart> =
        parts.into_iter().map(|part| (part.place.clone(), part)).collect();
    let mut progress = Progress::new(total, what);
    loop {
        let reading = clock.clone();
        let (returned, chunk) = tokio::task::spawn_blocking(move || {
            let chunk = reader.next(&*reading);
            (reader, chunk)
        })
        .await?;
        reader = returned;
        let (chunk, places) = chunk?;
        let (records, is_end) = (chunk.len(), places.is_empty());
        let done = pipeline::backfill(&components, &settings.pipeline, chunk, before).await?;
        for (place, next) in places {
            if let Some(part) = parts.get_mut(&place) {
                progress.covered += next - part.next_offset;
                part.next_offset = next;
            }
        }
        store.keep_backfill(&name, &parts.values().cloned().collect::<Vec<_>>()).await?;
        progress.add(records, done);
        if is_end {
            break;
        }
        progress.tell();
    }
    store.end_backfill(&name).await?;
    println!("{}", progress.summary());
    Ok(if progress.rejected > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What a run is known by, so that the same command finds it again.
fn name(arguments: &Arguments) -> String {
    if !arguments.files.is_empty() {
        let files: Vec<String> = arguments.files.iter().map(|file| file.display().to_string()).collect();
        return format!("{} from {}", arguments.topic, files.join(", "));
    }
    let time = |time: Option<DateTime<Utc>>, without: &str| time.map_or(without.to_owned(), shown);
    format!(
        "{} from {} to {}",
        arguments.topic,
        time(arguments.since, "its beginning"),
        time(arguments.until, "now")
    )
}

fn shown(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Alert rules still look at posts from then on: a window may reach back to them, or they are late but
/// not too late.
async fn left_to_daemon_from(
    settings: &Settings,
    store: &Store,
    clock: &dyn Clock,
) -> anyhow::Result<DateTime<Utc>> {
    let rules = settings.rules(&settings.brands()?)?;
    let windows = rules.iter().map(|rule| rule.window).max().unwrap_or_default();
    let reach = windows.max(settings.pipeline.alerts.lateness);
    let judged_until = store.judged_until().await?.unwrap_or(DateTime::<Utc>::MAX_UTC);
    Ok(clock.now().min(judged_until) - TimeDelta::from_std(reach)?)
}

/// What the topic holds of the range. Says so before anything is read.
async fn topic_parts(
    settings: &Settings,
    arguments: &Arguments,
    clock: &dyn Clock,
) -> anyhow::Result<Vec<BackfillPart>> {
    let until = arguments.until.unwrap_or_else(|| clock.now());
    if let Some(since) = arguments.since.filter(|since| *since >= until) {
        bail!("--since {since} is not before --until {until}: nothing lies between them");
    }
    let (options, topic, since) = (settings.source.clone(), arguments.topic.clone(), arguments.since);
    let extents =
        tokio::task::spawn_blocking(move || source::extents(&options, &topic, since, until)).await??;
    for Extent { partition, first, end, oldest } in &extents {
        let holds = match oldest {
            None => "holds no records".to_owned(),
            Some(oldest) => match since {
                Some(since) if *oldest > since => format!(
                    "holds records since {}; what was appended from {} on until then has gone",
                    shown(*oldest),
                    shown(since)
                ),
                _ => format!("holds records since {}", shown(*oldest)),
            },
        };
        eprintln!("{} partition {partition} {holds}; {} offsets to read", arguments.topic, end - first);
    }
    let part = |extent: &Extent| BackfillPart {
        place: extent.partition.to_string(),
        next_offset: extent.first,
        end_offset: extent.end,
    };
    Ok(extents.iter().map(part).collect())
}

fn file_part(file: &Path) -> anyhow::Result<BackfillPart> {
    let length = std::fs::metadata(file).with_context(|| format!("{} can't be read", file.display()))?.len();
    Ok(BackfillPart { place: file.display().to_string(), next_offset: 0, end_offset: i64::try_from(length)? })
}

/// Where records come from.
enum Reader {
    Topic(TopicRange),
    Files { files: Vec<(BackfillPart, Option<BufReader<File>>)> },
}

/// Records, and for each place where its next one begins.
type Chunk = (Vec<Delivery>, BTreeMap<String, i64>);

impl Reader {
    fn open(settings: &Settings, arguments: &Arguments, parts: &[BackfillPart]) -> anyhow::Result<Self> {
        if !arguments.files.is_empty() {
            return Ok(Self::Files { files: parts.iter().rev().map(|part| (part.clone(), None)).collect() });
        }
        let stretches = parts.iter().map(|part| {
            let partition =
                part.place.parse().context("A partition's number in overheard.backfills is none")?;
            Ok(Stretch { partition, next: part.next_offset, end: part.end_offset })
        });
        let stretches = stretches.collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self::Topic(TopicRange::open(&settings.source, &arguments.topic, &stretches)?))
    }

    /// The next records; none at the end. Blocks.
    fn next(&mut self, clock: &dyn Clock) -> anyhow::Result<Chunk> {
        let mut places = BTreeMap::new();
        let mut records = Vec::new();
        match self {
            Self::Topic(range) => {
                records = range.next(CHUNK, CHUNK_BYTES, clock)?;
                for delivery in &records {
                    let Position { partition, offset, .. } = delivery.record.position;
                    places.insert(partition.to_string(), offset + 1);
                }
            }
            Self::Files { files } => {
                let mut bytes = 0;
                while records.len() < CHUNK && bytes < CHUNK_BYTES {
                    let Some((part, open)) = files.last_mut() else { break };
                    let reader = match open {
                        Some(reader) => reader,
                        None => open.insert(opened(part)?),
                    };
                    let mut line = Vec::new();
                    let read = reader
                        .read_until(b'\n', &mut line)
                        .with_context(|| format!("{} can't be read", part.place))?;
                    if read == 0 {
                        files.pop();
                        continue;
                    }
                    let offset = part.next_offset;
                    part.next_offset += i64::try_from(read)?;
                    bytes += read;
                    places.insert(part.place.clone(), part.next_offset);
                    if !line.trim_ascii().is_empty() {
                        records.push(delivery(&part.place, offset, line, clock.now()));
                    }
                }
            }
        }
        Ok((records, places))
    }
}

fn opened(part: &BackfillPart) -> anyhow::Result<BufReader<File>> {
    let open = || {
        let mut file = File::open(&part.place)?;
        file.seek(SeekFrom::Start(part.next_offset.unsigned_abs()))?;
        std::io::Result::Ok(BufReader::new(file))
    };
    open().with_context(|| format!("{} can't be read", part.place))
}

/// A line of a file, as if it were a record at that byte.
fn delivery(file: &str, offset: i64, line: Vec<u8>, received_at: DateTime<Utc>) -> Delivery {
    let position = Position { topic: Arc::from(file), partition: 0, offset };
    Delivery::without_group(Record {
        position,
        key: None,
        payload: Some(line),
        appended_at: None,
        received_at,
    })
}

/// How far it has come.
struct Progress {
    total: i64,
    /// Bytes or offsets.
    what: &'static str,
    covered: i64,
    records: usize,
    done: Backfilled,
    rejected: usize,
    began: Instant,
    told: Instant,
}

impl Progress {
    fn new(total: i64, what: &'static str) -> Self {
        let now = Instant::now();
        Self {
            total,
            what,
            covered: 0,
            records: 0,
            done: Backfilled::default(),
            rejected: 0,
            began: now,
            told: now,
        }
    }

    fn add(&mut self, records: usize, done: Backfilled) {
        self.records += records;
        self.done.written += done.written;
        self.done.too_new += done.too_new;
        self.rejected += done.rejected.len();
        for (position, rejection) in done.rejected {
            eprintln!("{position} can't be used ({}): {}", rejection.reason.as_str(), rejection.detail);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "shares and rates for people")]
    fn tell(&mut self) {
        if self.told.elapsed() < TELL_EVERY {
            return;
        }
        self.told = Instant::now();
        let share = self.covered as f64 / self.total.max(1) as f64;
        let seconds = self.began.elapsed().as_secs_f64();
        eprintln!(
            "{:.0} % of {} {}, {} records, {:.0} a second, about {:.0} s to go",
            share * 100.0,
            self.total,
            self.what,
            self.records,
            self.records as f64 / seconds,
            if share > 0.0 { seconds / share - seconds } else { 0.0 },
        );
    }

    fn summary(&self) -> String {
        let written = &self.done.written;
        format!(
            "{} records read: {} posts and {} mentions stored, {} posts edited, {} removed, {} pictures queued, {} posts left to the daemon, {} records that can't be used",
            self.records,
            written.posts,
            written.mentions,
            written.edited,
            written.removed,
            written.pictures,
            self.done.too_new,
            self.rejected
        )
    }
}
