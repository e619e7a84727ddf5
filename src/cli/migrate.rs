//! `overheard migrate`: brings the schema up to date.

use std::process::ExitCode;
use std::time::Duration;

use crate::config::Settings;
use crate::store::Store;
use crate::telemetry;

/// How long writers that queued behind a migration have before it is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Applies pending migrations under a lock, so that several may be started at once. Where somebody
/// holds a table, tries again until it is free.
pub(super) async fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    telemetry::start(&settings.log);
    let store = Store::connect_lazy(settings.store)?;
    let before = store.migration_state().await?;
    loop {
        match store.migrate().await {
            Ok(()) => break,
            Err(error) if error.is_locked() => {
                tracing::warn!(error = %error, "Somebody holds a table, such as by a long query; trying again");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    let after = store.migration_state().await?;
    println!("{} migrations applied now, {} in all", before.pending, after.applied);
    Ok(ExitCode::SUCCESS)
}
