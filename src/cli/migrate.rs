//! `overheard migrate`: brings the schema up to date.

use std::process::ExitCode;

use crate::config::Settings;
use crate::store::Store;
use crate::telemetry;

/// Applies pending migrations under a lock, so that several may be started at once.
pub(super) async fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    telemetry::start(&settings.log);
    let store = Store::connect_lazy(settings.store)?;
    let before = store.migration_state().await?;
    store.migrate().await?;
    let after = store.migration_state().await?;
    println!("{} migrations applied now, {} in all", before.pending, after.applied);
    Ok(ExitCode::SUCCESS)
}
