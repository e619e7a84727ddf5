//! `overheard man`: manual pages, made from the command line's own descriptions.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, CommandFactory};

/// What `man` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder for the pages, one for each command; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Writes `overheard.1`, `overheard-run.1` and so on.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let folder = &arguments.out;
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(super::Arguments::command(), folder))
        .with_context(|| format!("The manual pages can't be written to {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}
