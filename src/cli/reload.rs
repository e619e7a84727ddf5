//! Reads brands and alert rules anew while the daemon runs: both, or neither.

use std::convert::Infallible;
use std::time::{SystemTime, UNIX_EPOCH};

use sd_notify::NotifyState;
use tokio::signal::unix::Signal;
use tokio::sync::mpsc;

use crate::admin::{ReloadRequest, Reloaded};
use crate::config::{ConfigError, Settings};
use crate::health::Health;
use crate::metrics;
use crate::pipeline::{Current, Listening};
use crate::store::Store;

/// What reloads.
pub(super) struct Reloader {
    /// The settings that the process runs with.
    pub(super) settings: Settings,
    pub(super) listening: Current,
    pub(super) store: Store,
    pub(super) health: Health,
}

impl Reloader {
    /// Reloads whenever SIGHUP or a request asks for it, one after the other.
    pub(super) async fn run(
        self,
        mut hang_ups: Signal,
        mut requests: mpsc::Receiver<ReloadRequest>,
    ) -> Infallible {
        loop {
            let request = tokio::select! {
                _ = hang_ups.recv() => None,
                // The listener goes last.
                Some(request) = requests.recv() => Some(request),
            };
            let mut notices = vec![NotifyState::Reloading];
            notices.extend(NotifyState::monotonic_usec_now());
            let _ = sd_notify::notify(&notices);
            let reloaded = self.reload().await;
            self.tell(&reloaded);
            let _ = sd_notify::notify(&[NotifyState::Ready]);
            if let Some(request) = request {
                let _ = request.send(reloaded);
            }
        }
    }

    async fn reload(&self) -> Reloaded {
        let refused = |error: ConfigError| Reloaded::Refused(error.problems().to_vec());
        let read = self.settings.read_again();
        let (newer, (brands, rules)) = match read.and_then(|newer| Ok((newer.brands_and_rules()?, newer))) {
            Ok((listening, newer)) => (newer, listening),
            Err(error) => return refused(error),
        };
        // Off the runtime: thousands of queries take a while.
        let made = tokio::task::spawn_blocking(move || Listening::new(&brands, rules)).await;
        let listening = match made {
            Ok(listening) => listening,
            Err(error) => return Reloaded::Unavailable(error.to_string()),
        };
        if let Err(error) = self.store.record_queries(&listening.queries).await {
            return Reloaded::Unavailable(error.to_string());
        }
        self.health.listens_for(listening.version.as_str(), listening.brands.len(), listening.rules.len());
        self.listening.replace(listening);
        Reloaded::Applied { needs_restart: self.settings.differences(&newer) }
    }

    fn tell(&self, reloaded: &Reloaded) {
        let outcome = match reloaded {
            Reloaded::Applied { needs_restart } => {
                let listening = self.listening.get();
                tracing::info!(
                    listening.version = %listening.version,
                    listening.brands = listening.brands.len(),
                    listening.rules = listening.rules.len(),
                    "Reloaded brands and alert rules"
                );
                if !needs_restart.is_empty() {
                    tracing::warn!(
                        "Other settings have changed, which a restart applies: {}",
                        needs_restart.join(", ")
                    );
                }
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                ::metrics::gauge!(metrics::RELOAD_LAST_SUCCESS).set(now.as_secs_f64());
                "applied"
            }
            Reloaded::Refused(mistakes) => {
                for mistake in mistakes {
                    tracing::error!("{mistake}");
                }
                tracing::error!(mistakes = mistakes.len(), "Not reloaded: everything is as it was");
                "refused"
            }
            Reloaded::Unavailable(reason) => {
                tracing::error!("Not reloaded: {reason}; everything is as it was");
                "unavailable"
            }
        };
        ::metrics::counter!(metrics::RELOADS, "outcome" => outcome).increment(1);
    }
}
