//! `overheard doctor`: checks everything that the daemon needs, one line each, with what to do.

use std::process::ExitCode;

use crate::clock::SystemClock;
use crate::config::Settings;
use crate::inference::{DetectorModel, Runtime, TextModel};
use crate::source;
use crate::store::Store;

/// Prints and counts findings.
#[derive(Default)]
struct Findings {
    good: usize,
    bad: usize,
}

impl Findings {
    fn good(&mut self, what: &str, found: impl std::fmt::Display) {
        self.good += 1;
        println!("good  {what}: {found}");
    }

    fn bad(&mut self, what: &str, problem: impl std::fmt::Display) {
        self.bad += 1;
        println!("BAD   {what}: {problem}");
    }
}

/// Prints a line for each check; exit code 1 if one is bad.
pub(super) async fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    let mut findings = Findings::default();
    check_files(&settings, &mut findings);
    check_models(&settings, &mut findings);
    if settings.does_text {
        check_kafka(&settings, &mut findings).await?;
    }
    check_postgres(&settings, &mut findings).await;
    if findings.bad == 0 {
        println!("All is well: `overheard run` has what it needs");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} good, {} to mend", findings.good, findings.bad);
    Ok(ExitCode::FAILURE)
}

fn check_files(settings: &Settings, findings: &mut Findings) {
    let brands = match settings.brands() {
        Ok(brands) => {
            findings.good("brands", format_args!("{} to listen for", brands.len()));
            brands
        }
        Err(error) => return findings.bad("brands", error),
    };
    match settings.rules(&brands) {
        Ok(rules) => findings.good("alert rules", rules.len()),
        Err(error) => findings.bad("alert rules", error),
    }
}

fn check_models(settings: &Settings, findings: &mut Findings) {
    let options = match settings.inference() {
        Ok(options) => options,
        Err(error) => return findings.bad("library and models", error),
    };
    let runtime = match Runtime::load(&options.library, options.device, options.threads) {
        Ok(runtime) => runtime,
        Err(error) => return findings.bad("library", error),
    };
    let library = format!("{}; {}", options.library.display(), runtime.library_version());
    findings.good("library", library);
    for name in &options.text_models {
        match TextModel::open(&runtime, &options.models.join(name)) {
            Ok((model, _)) => {
                findings.good("text model", format_args!("{}, ran a forward pass", model.id()));
                findings.good("device", model.device());
            }
            Err(error) => findings.bad("text model", error),
        }
    }
    if !settings.does_pictures {
        return;
    }
    let folder = options.models.join(&options.vision_model);
    match DetectorModel::open(&runtime, &folder, options.batch_pixels) {
        Ok(model) => {
            let (id, device) = (model.id(), model.device());
            findings.good("vision model", format_args!("{id}, ran a forward pass on {device}"));
        }
        Err(error) => findings.bad("vision model", error),
    }
}

async fn check_kafka(settings: &Settings, findings: &mut Findings) -> anyhow::Result<()> {
    let options = settings.source.clone();
    let seen = match tokio::task::spawn_blocking(move || source::describe_cluster(&options)).await? {
        Ok(seen) => seen,
        Err(error) => {
            findings.bad(
                "broker",
                format_args!("{error}; is it up, and are kafka.brokers and [kafka.client] right?"),
            );
            return Ok(());
        }
    };
    findings.good("broker", format_args!("{} in the cluster", seen.brokers));
    let consumed = settings.source.topics.iter().map(|topic| (topic, "kafka.topics"));
    let produced = [
        (&settings.publish.alert_topic, "kafka.alert_topic"),
        (&settings.publish.dead_letter_topic, "kafka.dead_letter_topic"),
    ];
    for (topic, key) in consumed.chain(produced) {
        match seen.partitions.get(topic) {
            Some(count) => findings.good(&format!("topic {topic}"), format_args!("{count} partitions")),
            None => findings.bad(
                &format!("topic {topic}"),
                format_args!("it does not exist; create it, or correct {key}"),
            ),
        }
    }
    Ok(())
}

async fn check_postgres(settings: &Settings, findings: &mut Findings) {
    let store = match Store::connect_lazy(settings.store.clone()) {
        Ok(store) => store,
        Err(error) => return findings.bad("Postgres", format_args!("{error}; see postgres.url")),
    };
    match store.server_version().await {
        Ok(version) => findings.good("Postgres", version),
        Err(error) => {
            return findings.bad(
                "Postgres",
                format_args!("{error}; is it up, and are the settings in [postgres] right?"),
            );
        }
    }
    let difference = store.clock_difference(&SystemClock).await;
    match difference.and_then(|found| found.check().map(|()| found.ahead().abs().as_seconds_f64())) {
        Ok(seconds) => findings.good("clock", format_args!("{seconds:.1} s from Postgres's")),
        Err(error) => findings.bad("clock", error),
    }
    match store.migration_state().await {
        Ok(state) if state.pending == 0 => {
            findings.good("migrations", format_args!("{} applied", state.applied));
        }
        Ok(state) => {
            findings.bad("migrations", format_args!("{} pending; run `overheard migrate`", state.pending));
        }
        Err(error) => findings.bad("migrations", error),
    }
}
