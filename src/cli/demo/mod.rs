//! `overheard demo`: the daemon on an embedded broker and a private Postgres, fed with one
//! simulated hour of sample posts.
//!
//! Everything between broker and database is the real thing. Time is simulated: a manual clock
//! runs through the hour in about half a minute, and alert rules follow it.
//!
//! - `interruption` turns signals into one token; `running` ends everything in order; `folder` and
//!   `process` see to it that nothing stays behind.
//! - `postgres` is the private server.
//! - `pictures` serves the pictures of the sample posts.
//! - `player` plays the samples, no faster than the daemon settles them (`settled`).
//! - `watch` reads back what the daemon publishes, and `report` shows it.

mod folder;
mod interruption;
mod pictures;
mod player;
mod postgres;
mod process;
mod report;
mod running;
mod settled;
mod watch;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use clap::Args;
use rdkafka::mocking::MockCluster;
use tokio_util::sync::CancellationToken;

use super::assemble::{self, Assembled};
use crate::clock::{Clock, ManualClock};
use crate::config::Settings;
use crate::domain::Secret;
use crate::health::Health;
use crate::inference::TextScorer;
use crate::pipeline::{self, Ways};
use crate::source::Source;
use crate::store::Store;
use crate::telemetry;

use folder::Folder;
use pictures::PictureServer;
use player::Script;
use postgres::PrivatePostgres;
use running::{Pipeline, Running};
use watch::Watch;

/// How long database and consumer group may take until the hour begins.
const READY_LIMIT: Duration = Duration::from_mins(1);
/// How long the last pictures may take after the hour.
const PICTURES_LIMIT: Duration = Duration::from_secs(30);
/// The exit code of a demo that was interrupted before its hour was over.
const INTERRUPTED: u8 = 130;

/// What `demo` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Leave broker and Postgres running at the end, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Real seconds that the simulated hour takes; a slow machine takes longer
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(10..=3600))]
    seconds: u32,
}

/// Plays the hour and shows what came of it. Whatever happens, server and folder are gone at the
/// end.
pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&telemetry::Options { format: telemetry::Format::Text, filter: log_filter() });
    let interrupted = interruption::watch()?;
    for abandoned in folder::remove_abandoned() {
        say(&format!("Removed what a demo that was killed had left: {}", abandoned.display()));
    }
    let folder = Folder::new()?;
    let mut running = Running::default();
    let mut played = None;
    let result = tokio::select! {
        biased;
        () = interrupted.cancelled() => Ok(()),
        result = show(&arguments, &folder, &mut running, &mut played) => result,
    };
    if interrupted.is_cancelled() {
        say("");
        say("Cleaning up ...");
    }
    let ended = running.end(&interrupted).await;
    drop(folder);
    result.and(ended)?;
    Ok(match played {
        None => ExitCode::from(INTERRUPTED),
        Some(Played { complete: false }) => ExitCode::FAILURE,
        Some(Played { complete: true }) => {
            say("Broker, Postgres and its folder are gone.");
            ExitCode::SUCCESS
        }
    })
}

/// An hour that was played to its end.
struct Played {
    /// Everything was settled, and every alert resolved.
    complete: bool,
}

/// Starts one thing after the other, plays the hour, and goes on from there if asked to.
async fn show(
    arguments: &Arguments,
    folder: &Folder,
    running: &mut Running,
    played: &mut Option<Played>,
) -> anyhow::Result<()> {
    say(&format!("Postgres  starting one in {} ...", folder.path().display()));
    let postgres = running.postgres.insert(PrivatePostgres::start(folder).await?);
    say(&format!("Postgres  {} answers on port {}", postgres.version(), postgres.port()));

    let cluster = running.cluster.insert(MockCluster::new(1).context("The embedded broker can't start")?);
    let brokers = cluster.bootstrap_servers();
    say(&format!("Broker    librdkafka's mock cluster, in this process, answers at {brokers}"));
    say("While it runs, look inside with");
    say(&format!("  {}", postgres.psql()));
    let settings = Arc::new(settings(&brokers, &postgres.url(), arguments.seconds)?);
    let pictures_at = running.pictures.insert(PictureServer::start().await?).address();
    let topics = &settings.source.topics;
    for topic in topics.iter().chain([&settings.publish.alert_topic, &settings.publish.dead_letter_topic]) {
        cluster.create_topic(topic, 1, 1).with_context(|| format!("The topic {topic} can't be made"))?;
    }

    // The hour ends now, so that posts of one's own fit behind it.
    let start = (Utc::now() - TimeDelta::hours(1)).duration_trunc(TimeDelta::minutes(1))?;
    let clock = ManualClock::new(start);
    let health = Health::new();
    say("Model     loading ...");
    let loaded = load(settings.clone(), &clock, &health);
    let loading = running.loading.insert(loaded);
    let Assembled { store, text, pictures } = loading.await.context("Loading panicked")??;
    running.loading = None;
    let Some(parts) = text else { bail!("The demo does not consume posts") };
    for scorer in parts.scorers.iter() {
        say(&format!("Model     {} on {}", scorer.model(), device(scorer)));
    }
    if let Some(pictures) = &pictures {
        say(&format!("Model     {} on {}", pictures.detector.model(), pictures.detector.device().name));
    }

    let kept = store.clone();
    let ready = tokio::time::timeout(READY_LIMIT, async {
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        pipeline::prepare_store(&kept, &*shared, &health).await?;
        say("Daemon    joining its consumer group ...");
        let source = Source::start(&settings.source, shared.clone(), health.clone())?;
        let draining = CancellationToken::new();
        let ways = Ways { text: Some((parts, source)), pictures };
        let options = settings.pipeline.clone();
        let task = pipeline::run(ways, kept, shared, health.clone(), options, draining.clone());
        running.pipeline = Some(Pipeline { task: tokio::spawn(task), draining });
        while !health.readiness().0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(())
    });
    match ready.await {
        Ok(ready) => ready?,
        Err(_) => bail!("The daemon was not ready within {READY_LIMIT:?}: {}", unready(&health)),
    }
    say("Daemon    ready");
    let Some(pipeline) = &mut running.pipeline else { bail!("The pipeline has not started") };
    let show = Show {
        settings: &settings,
        store,
        health,
        hour: Hour { start, clock, real_seconds: arguments.seconds },
    };
    let script = Script::load(&pictures_at)?;
    tokio::select! {
        shown = async {
            let mut watch = Watch::start(&settings)?;
            let complete = show.play(&script, &mut watch).await?;
            *played = Some(Played { complete });
            report::print_way_on(postgres, &brokers, &settings, arguments.keep);
            if arguments.keep {
                show.go_on(&mut watch).await?;
            }
            anyhow::Ok(())
        } => shown,
        ended = &mut pipeline.task => {
            running.pipeline = None;
            ended.context("The pipeline panicked")??;
            bail!("The pipeline ended by itself")
        }
    }
}

/// Loads the model and makes the clients in a task that goes on when nobody waits for it.
fn load(
    settings: Arc<Settings>,
    clock: &ManualClock,
    health: &Health,
) -> tokio::task::JoinHandle<anyhow::Result<Assembled>> {
    let (clock, health) = (Arc::new(clock.clone()), health.clone());
    tokio::spawn(async move { assemble::assemble(&settings, clock, health).await })
}

/// The device in few words.
fn device(scorer: &TextScorer) -> String {
    match scorer.device().name {
        "cpu" => "cpu (`overheard doctor` says why)".to_owned(),
        other => other.to_owned(),
    }
}

fn unready(health: &Health) -> String {
    let (_, parts) = health.readiness();
    let unready = parts.into_iter().filter(|(_, status)| !status.ready);
    unready.map(|(part, status)| format!("{part:?}: {}", status.detail)).collect::<Vec<_>>().join("; ")
}

/// The simulated hour.
struct Hour {
    start: DateTime<Utc>,
    clock: ManualClock,
    real_seconds: u32,
}

/// What is shown, and by what.
struct Show<'a> {
    settings: &'a Settings,
    store: Store,
    health: Health,
    hour: Hour,
}

impl Show<'_> {
    /// Plays the hour and prints what came of it. Gives back whether everything did.
    async fn play(&self, script: &Script, watch: &mut Watch) -> anyhow::Result<bool> {
        say("");
        say(&format!(
            "Playing {} sample records, one simulated hour from {} in {} s:",
            script.len(),
            self.hour.start.format("%H:%M"),
            self.hour.real_seconds
        ));
        player::play(self, script, watch).await?;
        let mut missing = watch.until_complete(script.len()).await;
        missing.extend(self.pictures_left().await?);
        say(&player::mentions_line(self.hour.clock.now(), player::mentions(&self.store).await?));
        report::print(&self.store, watch, self.settings).await?;
        report::print_missing(&missing);
        Ok(missing.is_empty())
    }

    /// Waits until all pictures were looked at, but not for long; what is left then, in words.
    async fn pictures_left(&self) -> anyhow::Result<Option<String>> {
        let began = Instant::now();
        loop {
            let left = self.store.backlog().await?.pictures;
            if left == 0 {
                return Ok(None);
            }
            if began.elapsed() > PICTURES_LIMIT {
                return Ok(Some(format!("{left} pictures were not looked at")));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// After the hour, real time: posts of one's own are taken, for as long as nobody interrupts.
    async fn go_on(&self, watch: &mut Watch) -> anyhow::Result<()> {
        let mut shown = player::mentions(&self.store).await?;
        loop {
            self.hour.clock.set(Utc::now());
            watch.new_alerts().iter().for_each(|line| say(line));
            let mentions = player::mentions(&self.store).await?;
            if mentions != shown {
                shown = mentions;
                say(&player::mentions_line(Utc::now(), mentions));
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

/// The default settings with what the demo changes: addresses, and a pace that fits the hour.
fn settings(brokers: &str, url: &str, seconds: u32) -> anyhow::Result<Settings> {
    // Rules are evaluated every 15 simulated seconds.
    let every = (f64::from(seconds) * 1000.0 / 240.0).max(20.0);
    let changes = format!(
        "[kafka]\nbrokers = \"{brokers}\"\n[postgres]\nurl = \"{url}\"\nmigrate = true\n\
         [media]\nallowed_networks = [\"127.0.0.1\"]\n\
         [pipeline]\nbatch_wait = \"20ms\"\n[alerts]\nevery = \"{every}ms\"\npublish_every = \"50ms\"\n"
    );
    let mut settings = Settings::for_demo(&changes)?;
    // The hour is held back until records are committed: a second would be two simulated minutes.
    settings.source.client.insert("auto.commit.interval.ms".to_owned(), Secret::new("50"));
    Ok(settings)
}

/// The demo talks for itself; logs are for trouble, unless somebody asks for more.
fn log_filter() -> String {
    std::env::var("OVERHEARD__LOG__FILTER").unwrap_or_else(|_| "error".to_owned())
}

pub(super) fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // Nobody reads on: nothing to do about it.
    let _ = writeln!(output, "{line}");
    let _ = output.flush();
}
