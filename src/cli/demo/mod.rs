//! `overheard demo`: the daemon on an embedded broker and a private Postgres, fed with one
//! simulated hour of sample posts.
//!
//! Everything between broker and database is the real thing. Time is simulated: a manual clock
//! runs through the hour in about half a minute, and alert rules follow it.

mod player;
mod postgres;
mod report;
mod watch;

use std::cell::Cell;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use clap::Args;
use rdkafka::mocking::MockCluster;
use tokio_util::sync::CancellationToken;

use super::assemble;
use super::run::stop_on_signals;
use crate::clock::ManualClock;
use crate::config::Settings;
use crate::health::Health;
use crate::pipeline::{self, PipelineError};
use crate::source::Source;
use crate::store::Store;
use crate::telemetry;

use player::Script;
use postgres::PrivatePostgres;
use watch::Watch;

/// What `demo` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Leave broker and Postgres running at the end, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Real seconds that the simulated hour takes
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(5..=3600))]
    seconds: u32,
}

/// Plays the hour and shows what came of it.
pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&telemetry::Options { format: telemetry::Format::Text, filter: log_filter() });
    let stop = stop_on_signals()?;
    let script = Script::load()?;
    say("Starting a private Postgres in a folder of its own ...");
    let postgres = PrivatePostgres::start(&stop).await?;
    say(&format!("  Postgres {} on port {}", postgres.version(), postgres.port()));
    say(&format!("  Its folder: {}", postgres.folder().display()));
    say(&format!("  Look inside while it runs: {}", postgres.psql()));

    let cluster = MockCluster::new(1).context("The embedded broker can't start")?;
    let brokers = cluster.bootstrap_servers();
    say(&format!("Starting an embedded broker: librdkafka's mock cluster, in this process, at {brokers}"));
    let settings = settings(&brokers, &postgres.url(), arguments.seconds)?;
    for topic in settings
        .source
        .topics
        .iter()
        .chain([&settings.publish.alert_topic, &settings.publish.dead_letter_topic])
    {
        cluster.create_topic(topic, 1, 1).with_context(|| format!("The topic {topic} can't be made"))?;
    }

    // The hour ends now, so that posts of one's own fit behind it.
    let start = (Utc::now() - TimeDelta::hours(1)).duration_trunc(TimeDelta::minutes(1))?;
    let clock = ManualClock::new(start);
    let health = Health::new();
    say("Loading the model ...");
    let parts = assemble::parts(&settings, Arc::new(clock.clone()), health.clone()).await?;
    say(&format!("  {} on {}", parts.scorer.model(), parts.scorer.device()));
    pipeline::prepare_store(&parts).await?;
    let show = Show {
        settings: &settings,
        store: parts.store.clone(),
        hour: Hour { start, clock: clock.clone(), real_seconds: arguments.seconds },
    };

    let draining = CancellationToken::new();
    let source = Source::start(&settings.source, Arc::new(clock), health)?;
    let mut daemon = tokio::spawn(pipeline::run(parts, settings.pipeline.clone(), source, draining.clone()));
    let played = Cell::new(false);
    let shown = tokio::select! {
        shown = async {
            let mut watch = Watch::start(&settings)?;
            show.play(&script, &mut watch).await?;
            played.set(true);
            report::print_way_on(&postgres, &brokers, &settings, arguments.keep);
            if arguments.keep {
                show.go_on(&mut watch, &stop).await;
            }
            anyhow::Ok(ExitCode::SUCCESS)
        } => shown,
        () = stop.cancelled() => Ok(if played.get() { ExitCode::SUCCESS } else { ExitCode::from(130) }),
        ended = &mut daemon => return early(ended),
    };
    draining.cancel();
    let ended = daemon.await.context("The pipeline panicked")?;
    drop(cluster);
    postgres.stop().await;
    // An interrupted demo may leave posts unsettled; they were only a demo's.
    if !stop.is_cancelled() {
        ended?;
    }
    shown
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
    hour: Hour,
}

impl Show<'_> {
    /// Plays the hour, waits until all of it is settled, and prints what came of it.
    async fn play(&self, script: &Script, watch: &mut Watch) -> anyhow::Result<()> {
        say(&format!(
            "Playing {} sample records, one simulated hour from {} in {} s:",
            script.len(),
            self.hour.start.format("%H:%M"),
            self.hour.real_seconds
        ));
        player::play(self, script, watch).await?;
        watch.until_settled(self.settings, script.len()).await?;
        report::print(&self.store, watch, self.settings).await
    }

    /// After the hour, real time: posts of one's own are taken until Ctrl-C.
    async fn go_on(&self, watch: &mut Watch, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            self.hour.clock.set(Utc::now());
            watch.new_alerts().iter().for_each(|line| say(line));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

fn early(ended: Result<Result<(), PipelineError>, tokio::task::JoinError>) -> anyhow::Result<ExitCode> {
    ended.context("The pipeline panicked")??;
    bail!("The pipeline ended before the hour was over")
}

/// The default settings with what the demo changes: addresses, and a pace that fits the hour.
fn settings(brokers: &str, url: &str, seconds: u32) -> anyhow::Result<Settings> {
    // Rules are evaluated every 15 simulated seconds.
    let every = (f64::from(seconds) * 1000.0 / 240.0).max(20.0);
    let changes = format!(
        "[kafka]\nbrokers = \"{brokers}\"\n[postgres]\nurl = \"{url}\"\nmigrate = true\n\
         [pipeline]\nbatch_wait = \"20ms\"\n[alerts]\nevery = \"{every}ms\"\npublish_every = \"50ms\"\n"
    );
    Ok(Settings::for_demo(&changes)?)
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
