//! `overheard demo`: the daemon on an embedded broker and a private Postgres, fed with one
//! simulated hour of sample posts.
//!
//! Everything between broker and database is the real thing. Time is simulated: a manual clock
//! runs through the hour in about half a minute, and alert rules follow it.

mod player;
mod postgres;
mod report;
mod watch;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DurationRound, TimeDelta, Utc};
use clap::Args;
use rdkafka::mocking::MockCluster;
use tokio_util::sync::CancellationToken;

use super::assemble;
use super::run::stop_on_signals;
use crate::clock::{Clock, ManualClock};
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

const HOUR: TimeDelta = TimeDelta::hours(1);

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
    let start = (Utc::now() - HOUR).duration_trunc(TimeDelta::minutes(1))?;
    let clock = ManualClock::new(start);
    let health = Health::new();
    say("Loading the model ...");
    let parts = assemble::parts(&settings, Arc::new(clock.clone()), health.clone()).await?;
    say(&format!("  {} on {}", parts.scorer.model(), parts.scorer.device()));
    pipeline::prepare_store(&parts).await?;
    let store = parts.store.clone();

    let draining = CancellationToken::new();
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let source = Source::start(&settings.source, shared, health)?;
    let mut daemon = tokio::spawn(pipeline::run(parts, settings.pipeline.clone(), source, draining.clone()));

    let shown = tokio::select! {
        shown = play_and_report(&settings, &script, &clock, start, &store, &postgres, &arguments, &brokers, &stop) => shown,
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
    Ok(if shown? { ExitCode::SUCCESS } else { ExitCode::from(130) })
}

/// Whether the hour was played to its end.
#[expect(clippy::too_many_arguments, reason = "the demo's own stage, used once")]
async fn play_and_report(
    settings: &Settings,
    script: &Script,
    clock: &ManualClock,
    start: chrono::DateTime<Utc>,
    store: &Store,
    postgres: &PrivatePostgres,
    arguments: &Arguments,
    brokers: &str,
    stop: &CancellationToken,
) -> anyhow::Result<bool> {
    let mut watch = Watch::start(settings)?;
    say(&format!(
        "Playing {} sample records, one simulated hour from {} in {} s:",
        script.len(),
        start.format("%H:%M"),
        arguments.seconds
    ));
    let pace = f64::from(arguments.seconds) / 3600.0;
    let played = tokio::select! {
        played = player::play(settings, script, clock, start, pace, &mut watch, store) => played?,
        () = stop.cancelled() => return Ok(false),
    };
    tokio::select! {
        settled = watch.until_settled(settings, played) => settled?,
        () = stop.cancelled() => return Ok(false),
    }
    report::print(store, &mut watch, settings).await?;
    report::print_way_on(postgres, brokers, settings, arguments.keep);
    if arguments.keep {
        keep_time(clock, &mut watch, stop).await;
    }
    Ok(true)
}

/// After the hour, real time: posts of one's own are taken until Ctrl-C.
async fn keep_time(clock: &ManualClock, watch: &mut Watch, stop: &CancellationToken) {
    loop {
        clock.set(Utc::now());
        for line in watch.new_alerts() {
            say(&line);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
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
