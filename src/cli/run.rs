//! `overheard run`: the daemon.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::reload::Reloader;
use crate::admin::{self, ReloadRequest};
use crate::assembly;
use crate::clock::{Clock, SystemClock};
use crate::config::{Settings, unread_variable};
use crate::health::Health;
use crate::pipeline::{self, Pipelines};
use crate::source::Source;
use crate::telemetry;

/// Runs until a signal, then drains.
pub(super) async fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    telemetry::start(&settings.log);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "Overheard starts");
    tracing::debug!(?settings, "Settings");
    for name in &settings.unread_variables {
        tracing::warn!("{}", unread_variable(name));
    }
    let shutdown = stop_on_signals()?;
    let health = Health::new();
    health.limit_writes(settings.admin.write_limit);
    let listener = admin::listen(&settings.admin)
        .await
        .with_context(|| format!("admin.listen: {} can't be had", settings.admin.listen))?;
    tracing::info!(admin.address = %listener.local_addr()?, "Answers /live, /ready and /metrics");
    let hang_ups = signal(SignalKind::hangup()).context("Signals can't be watched")?;
    let (to_reloader, reloads) = mpsc::channel(1);
    let stop_listener = CancellationToken::new();
    let listening = tokio::spawn(admin::serve(
        listener,
        settings.admin.clone(),
        health.clone(),
        admin::record_metrics()?,
        to_reloader,
        stop_listener.clone(),
    ));
    let notices = tokio::spawn(notify_service_manager(health.clone(), settings.admin.stall_after));

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // Boxed: it is large.
    let result = Box::pin(run_pipeline(settings, clock, health, (hang_ups, reloads), shutdown)).await;
    notices.abort();
    stop_listener.cancel();
    // The admin listener stops last, so that an operator can watch the draining.
    let _ = tokio::time::timeout(Duration::from_secs(1), listening).await;
    match result {
        Ok(()) => {
            tracing::info!("Stopped in good order");
            Ok(ExitCode::SUCCESS)
        }
        // Logged here, so that it has the format of the other log lines.
        Err(error) => {
            tracing::error!("{error:#}");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn run_pipeline(
    settings: Settings,
    clock: Arc<dyn Clock>,
    health: Health,
    (hang_ups, reloads): (Signal, mpsc::Receiver<ReloadRequest>),
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let assembled = assembly::assemble(&settings, clock.clone(), health.clone()).await?;
    let store = assembled.store;
    tokio::select! {
        prepared = pipeline::prepare_store(&store, &*clock, &health) => prepared?,
        () = shutdown.cancelled() => return Ok(()),
    }
    let text = match assembled.text {
        Some(parts) => Some((parts, Source::start(&settings.source, clock.clone(), health.clone())?)),
        None => None,
    };
    let pipelines = Pipelines { text, pictures: assembled.pictures };
    let options = settings.pipeline.clone();
    let reloader =
        Reloader { settings, listening: assembled.listening, store: store.clone(), health: health.clone() };
    tokio::select! {
        ended = pipeline::run(pipelines, store, clock, health, options, shutdown) => Ok(ended?),
        never = reloader.run(hang_ups, reloads) => match never {},
    }
}

/// A token that the first SIGTERM or SIGINT cancels. A second one ends the process at once: records
/// that are not committed yet are delivered again.
pub(super) fn stop_on_signals() -> anyhow::Result<CancellationToken> {
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
        tracing::warn!("Second signal: aborting; records that are not committed will be delivered again");
        std::process::exit(130);
    });
    Ok(shutdown)
}

/// Tells systemd when the daemon is ready, what it waits for until then, and each second that it is
/// alive.
async fn notify_service_manager(health: Health, stall_after: Duration) {
    let mut notified_ready = false;
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        let (ready, parts) = health.readiness();
        let waiting: Vec<_> =
            parts.values().filter(|status| !status.ready).map(|status| status.detail.as_str()).collect();
        let status = if waiting.is_empty() { "listening".to_owned() } else { waiting.join("; ") };
        let _ = sd_notify::notify(&[NotifyState::Status(&status)]);
        if ready && !notified_ready {
            notified_ready = true;
            tracing::info!("Ready");
            let _ = sd_notify::notify(&[NotifyState::Ready]);
        }
        if health.stalled(stall_after).is_empty() {
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }
}
