//! Starts one thing after the other, plays the hour, and stops everything again.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DurationRound, TimeDelta, Utc};
use overheard::assembly::{self, Assembly};
use overheard::clock::{Clock, ManualClock};
use overheard::config::Settings;
use overheard::domain::SecretString;
use overheard::health::Health;
use overheard::inference::TextScorer;
use overheard::pipeline::{self, Pipelines};
use overheard::source::Source;
use overheard::telemetry;
use rdkafka::mocking::MockCluster;
use tokio_util::sync::CancellationToken;

use crate::Arguments;
use crate::console::say;
use crate::folder::{self, Folder};
use crate::output_topics::OutputTopics;
use crate::picture_server::PictureServer;
use crate::player::Player;
use crate::postgres::PrivatePostgres;
use crate::report::{self, shortened};
use crate::resources::{Resources, RunningPipeline};
use crate::samples::Samples;
use crate::signals;

/// How long database and consumer group may take until the hour begins.
const READY_LIMIT: Duration = Duration::from_mins(1);
/// The exit code of a demo that was interrupted before its hour was over.
const INTERRUPTED: u8 = 130;

/// Plays the hour and shows what came of it. Whatever happens, server and folder are gone at the
/// end.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&telemetry::Options { format: telemetry::Format::Text, filter: log_filter() });
    let interrupted = signals::cancel_on_signals()?;
    for abandoned in folder::remove_abandoned() {
        say(&format!("Removed what a demo that was killed had left: {}", abandoned.display()));
    }
    let folder = Folder::new()?;
    let mut resources = Resources::default();
    let mut outcome = None;
    let result = tokio::select! {
        biased;
        () = interrupted.cancelled() => Ok(()),
        result = start_and_play(&arguments, &folder, &mut resources, &mut outcome) => result,
    };
    if interrupted.is_cancelled() {
        say("");
        say("Cleaning up ...");
    }
    let stopped = resources.stop(&interrupted).await;
    drop(folder);
    result.and(stopped)?;
    Ok(match outcome {
        None => ExitCode::from(INTERRUPTED),
        Some(Outcome::Incomplete) => ExitCode::FAILURE,
        Some(Outcome::Complete) => {
            say("Broker, Postgres and its folder are gone.");
            ExitCode::SUCCESS
        }
    })
}

/// What came of an hour that was played to its end.
enum Outcome {
    /// Everything was committed, and every alert resolved.
    Complete,
    /// Something is missing; the report says what.
    Incomplete,
}

/// Starts one thing after the other, plays the hour, and goes on from there if asked to.
async fn start_and_play(
    arguments: &Arguments,
    folder: &Folder,
    resources: &mut Resources,
    outcome: &mut Option<Outcome>,
) -> anyhow::Result<()> {
    say(&format!("Postgres  starting one in {} ...", folder.path().display()));
    let postgres = resources.postgres.insert(PrivatePostgres::start(folder).await?);
    say(&format!("Postgres  {} answers on port {}", postgres.version(), postgres.port()));

    let cluster = resources.cluster.insert(MockCluster::new(1).context("The embedded broker can't start")?);
    let brokers = cluster.bootstrap_servers();
    say(&format!("Broker    librdkafka's mock cluster, in this process, answers at {brokers}"));
    say("While it runs, look inside with");
    say(&format!("  {}", postgres.psql()));
    let settings = Arc::new(settings(&brokers, &postgres.url(), &brands_file(folder)?, arguments.seconds)?);
    let pictures_at = resources.pictures.insert(PictureServer::start().await?).address();
    let topics = &settings.source.topics;
    for topic in topics.iter().chain([&settings.publish.alert_topic, &settings.publish.dead_letter_topic]) {
        cluster.create_topic(topic, 1, 1).with_context(|| format!("The topic {topic} can't be made"))?;
    }

    // The hour ends now, so that a user's own posts fit behind it.
    let start = (Utc::now() - TimeDelta::hours(1)).duration_trunc(TimeDelta::minutes(1))?;
    let clock = ManualClock::new(start);
    let health = Health::new();
    for brand in settings.brands()? {
        if let Some(query) = &brand.query {
            say(&format!("Brands    {} by a boolean query, in demo/data/brands.toml:", brand.name));
            say(&format!("          {}", shortened(&query.to_string(), 88)));
        }
    }
    say("Model     loading ...");
    let loading = resources.loading.insert(load(settings.clone(), &clock, &health));
    let Assembly { store, text, pictures, .. } = loading.await.context("Loading panicked")??;
    resources.loading = None;
    let Some(parts) = text else { bail!("The demo does not consume posts") };
    for scorer in parts.judge.scorers() {
        say(&format!("Model     {} on {}", scorer.model(), device(scorer)));
    }
    if let Some(pictures) = &pictures {
        say(&format!("Model     {} on {}", pictures.detector.model(), pictures.detector.device().name));
    }

    let pipeline_store = store.clone();
    let ready = tokio::time::timeout(READY_LIMIT, async {
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        pipeline::prepare_store(&pipeline_store, &*shared, &health).await?;
        say("Daemon    joining its consumer group ...");
        let source = Source::start(&settings.source, shared.clone(), health.clone())?;
        let draining = CancellationToken::new();
        let pipelines = Pipelines { text: Some((parts, source)), pictures };
        let options = settings.pipeline.clone();
        let task =
            pipeline::run(pipelines, pipeline_store, shared, health.clone(), options, draining.clone());
        resources.pipeline = Some(RunningPipeline { task: tokio::spawn(task), draining });
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
    let Some(pipeline) = &mut resources.pipeline else { bail!("The pipeline has not started") };
    let player = Player { settings: &settings, store, health, start, clock, real_seconds: arguments.seconds };
    let samples = Samples::load(&pictures_at)?;
    tokio::select! {
        shown = async {
            let mut output = OutputTopics::consume(&settings)?;
            let complete = player.play(&samples, &mut output).await?;
            *outcome = Some(if complete { Outcome::Complete } else { Outcome::Incomplete });
            report::print_next_steps(postgres, &brokers, &settings, arguments.keep);
            if arguments.keep {
                player.follow(&mut output).await?;
            }
            anyhow::Ok(())
        } => shown,
        ended = &mut pipeline.task => {
            resources.pipeline = None;
            ended.context("The pipeline panicked")??;
            bail!("The pipeline ended by itself")
        }
    }
}

/// Loads the models and makes the clients in a task that goes on when nobody waits for it.
fn load(
    settings: Arc<Settings>,
    clock: &ManualClock,
    health: &Health,
) -> tokio::task::JoinHandle<anyhow::Result<Assembly>> {
    let (clock, health) = (Arc::new(clock.clone()), health.clone());
    tokio::spawn(async move { assembly::assemble(&settings, clock, health).await })
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

/// Writes what the demo listens for.
fn brands_file(folder: &Folder) -> anyhow::Result<PathBuf> {
    let path = folder.path().join("brands.toml");
    std::fs::write(&path, include_str!("../data/brands.toml"))
        .with_context(|| format!("{} can't be written", path.display()))?;
    Ok(path)
}

/// The default settings with what the demo changes: addresses, and intervals that fit the hour. Of
/// the environment, only where models run counts: an address meant for the daemon must not reach the
/// demo.
fn settings(brokers: &str, url: &str, brands: &Path, seconds: u32) -> anyhow::Result<Settings> {
    // Rules are evaluated every 15 simulated seconds.
    let every = (f64::from(seconds) * 1000.0 / 240.0).max(20.0);
    let changes = format!(
        "[kafka]\nbrokers = \"{brokers}\"\ninstance_id = \"none\"\n[postgres]\nurl = \"{url}\"\nmigrate = true\n\
         [media]\nallowed_networks = [\"127.0.0.1\"]\n\
         [pipeline]\nbatch_wait = \"20ms\"\n[alerts]\nevery = \"{every}ms\"\npublish_every = \"50ms\"\n\
         behind_after = \"1h\"\n[brands]\nfile = {:?}\n",
        brands.display().to_string()
    );
    let inference =
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OVERHEARD__INFERENCE__"));
    let mut settings = Settings::over_defaults("the demo", &changes, inference)?;
    // The hour is held back until records are committed: a second would be two simulated minutes.
    settings.source.client.insert("auto.commit.interval.ms".to_owned(), SecretString::from("50"));
    Ok(settings)
}

/// The demo prints what happens itself; logs are for trouble, unless somebody asks for more.
fn log_filter() -> String {
    std::env::var("OVERHEARD__LOG__FILTER").unwrap_or_else(|_| "error".to_owned())
}
