//! `overheard run`: the daemon.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::assemble;
use crate::admin;
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::health::Health;
use crate::pipeline::{self, Ways};
use crate::source::Source;
use crate::telemetry;

/// Runs until a signal, then drains.
pub(super) async fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    telemetry::start(&settings.log);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "Overheard starts");
    tracing::debug!(?settings, "Settings");
    let shutdown = stop_on_signals()?;
    let health = Health::new();
    let listener = admin::listen(&settings.admin)
        .await
        .with_context(|| format!("admin.listen: {} can't be had", settings.admin.listen))?;
    tracing::info!(admin.address = %listener.local_addr()?, "Answers /live, /ready and /metrics");
    let no_more_answers = CancellationToken::new();
    let answers = tokio::spawn(admin::serve(
        listener,
        settings.admin.clone(),
        health.clone(),
        admin::record_metrics()?,
        no_more_answers.clone(),
    ));
    let notices = tokio::spawn(tell_service_manager(health.clone(), settings.admin.stall_after));

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let result = work(settings, clock, health, shutdown).await;
    notices.abort();
    no_more_answers.cancel();
    // The admin listener goes last, so that an operator can watch the draining.
    let _ = tokio::time::timeout(Duration::from_secs(1), answers).await;
    match result {
        Ok(()) => {
            tracing::info!("Stopped in good order");
            Ok(ExitCode::SUCCESS)
        }
        // Here rather than on the way out of the program, so that it is a log line like any other.
        Err(error) => {
            tracing::error!("{error:#}");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn work(
    settings: Settings,
    clock: Arc<dyn Clock>,
    health: Health,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let assembled = assemble::assemble(&settings, clock.clone(), health.clone()).await?;
    let store = assembled.store;
    tokio::select! {
        prepared = pipeline::prepare_store(&store, &*clock, &health) => prepared?,
        () = shutdown.cancelled() => return Ok(()),
    }
    let text = match assembled.text {
        Some(parts) => Some((parts, Source::start(&settings.source, clock.clone(), health.clone())?)),
        None => None,
    };
    let ways = Ways { text, pictures: assembled.pictures };
    Ok(pipeline::run(ways, store, clock, health, settings.pipeline, shutdown).await?)
}

/// A token that the first SIGTERM or SIGINT cancels. A second one ends the process at once: what
/// was not settled is delivered again.
fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("Signals can't be watched")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("Signals can't be watched")?;
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        let mut next = async || tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () };
        next().await;
        tracing::info!("Signal received, a second one aborts");
        let _ = sd_notify::notify(&[NotifyState::Stopping]);
        token.cancel();
        next().await;
        tracing::warn!("Second signal: aborting; what was not settled will be delivered again");
        std::process::exit(130);
    });
    Ok(shutdown)
}

/// Tells systemd when the daemon is ready, what it waits for until then, and that it is alive.
async fn tell_service_manager(health: Health, stall_after: Duration) {
    let mut told_ready = false;
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        let (ready, parts) = health.readiness();
        let waiting: Vec<_> =
            parts.values().filter(|status| !status.ready).map(|status| status.detail.as_str()).collect();
        let status = if waiting.is_empty() { "listening".to_owned() } else { waiting.join("; ") };
        let _ = sd_notify::notify(&[NotifyState::Status(&status)]);
        if ready && !told_ready {
            told_ready = true;
            tracing::info!("Ready");
            let _ = sd_notify::notify(&[NotifyState::Ready]);
        }
        if health.stalled(stall_after).is_empty() {
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }
}
