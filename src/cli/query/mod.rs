//! `overheard query`: commands for those who write queries.

mod explain;
mod import;
mod preview;
mod subject;
mod tally;

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::Settings;

/// What `query` can do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show which parts of a query hold for a text, and by which words
    Explain(explain::Arguments),
    /// Carry a query of another tool over, and say what can't be
    Import(import::Arguments),
    /// Show what a query finds in stored posts, and what an edit of it adds and takes away
    Preview(preview::Arguments),
}

/// Does what the arguments say; reads the settings only where they are needed.
pub(super) async fn run(
    command: Command,
    settings: impl FnOnce() -> anyhow::Result<Settings>,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Explain(explain) => explain::run(settings, explain),
        Command::Import(import) => import::run(&import),
        Command::Preview(preview) => preview::run(settings()?, preview).await,
    }
}
