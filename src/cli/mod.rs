//! The command line: its arguments, and the commands.

mod backfill;
mod check_config;
mod completions;
mod detect;
mod doctor;
mod forget;
mod ingest;
mod man;
mod migrate;
mod mute;
mod query;
mod reload;
mod rescore;
mod run;
mod score;
mod times;
mod version;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{Settings, default_paths};

/// Hears what people say about a brand while they say it.
#[derive(Debug, Parser)]
#[command(name = "overheard", version, disable_version_flag = true, arg_required_else_help = true)]
pub struct Arguments {
    /// Settings file [default: config/overheard.toml of the checkout, or
    /// /etc/overheard/overheard.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the versions of the program and of the libraries it uses
    #[arg(short = 'V', long)]
    version: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Consume posts, score them, store mentions, raise alerts
    Run,
    /// Write a feed to a topic: Jetstream, Mastodon, RSS, or lines of files
    Ingest(ingest::Arguments),
    /// Apply pending migrations to Postgres
    Migrate,
    /// Check all settings without reaching out to anything
    CheckConfig,
    /// Check everything that the daemon needs, a line each, with what to do
    Doctor,
    /// Score texts from standard input, one JSON object a line
    Score(score::Arguments),
    /// Score stored mentions of a brand again with the models of today
    Rescore(rescore::Arguments),
    /// Read a range of a topic, or files, once more or for the first time
    Backfill(backfill::Arguments),
    /// Remove everything that is stored of a post or an author
    Forget(forget::Arguments),
    /// Show what is stored of a post or an author
    Trace(forget::Arguments),
    /// Hide mentions from all figures, and show them again
    Mute(mute::Arguments),
    /// Find logos in pictures, one JSON object a line
    Detect(detect::Arguments),
    /// Write queries: carry them over from other tools, see what they find
    #[command(subcommand)]
    Query(query::Command),
    /// Print the completions for a shell
    Completions(completions::Arguments),
    /// Write the manual pages into a folder
    Man(man::Arguments),
}

/// Does what the arguments say.
///
/// # Errors
/// What went wrong, for a person to read.
pub fn execute(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Some(command) = arguments.command else {
        if arguments.version {
            version::print(config_path(arguments.config).as_deref())?;
        } else {
            Arguments::command().print_help()?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("The async runtime can't start")?;
    let result = match command {
        Command::Run => runtime.block_on(run::run(settings(arguments.config)?)),
        Command::Ingest(feed) => runtime.block_on(ingest::run(settings(arguments.config)?, feed)),
        Command::Migrate => runtime.block_on(migrate::run(settings(arguments.config)?)),
        Command::CheckConfig => Ok(check_config::run(config_path(arguments.config).as_deref())),
        Command::Doctor => runtime.block_on(doctor::run(settings(arguments.config)?)),
        Command::Score(score) => runtime.block_on(score::run(settings(arguments.config)?, score)),
        Command::Rescore(rescore) => runtime.block_on(rescore::run(settings(arguments.config)?, rescore)),
        Command::Backfill(backfill) => runtime.block_on(backfill::run(settings(arguments.config)?, backfill)),
        Command::Forget(subject) => runtime.block_on(forget::forget(settings(arguments.config)?, subject)),
        Command::Trace(subject) => runtime.block_on(forget::trace(settings(arguments.config)?, subject)),
        Command::Mute(mute) => runtime.block_on(mute::run(settings(arguments.config)?, mute)),
        Command::Detect(detect) => runtime.block_on(detect::run(settings(arguments.config)?, detect)),
        Command::Query(query) => runtime.block_on(query::run(query, || settings(arguments.config))),
        Command::Completions(completions) => completions::run(&completions),
        Command::Man(man) => man::run(&man),
    };
    // A thread that is blocked in a read or in a library must not keep the process from ending.
    runtime.shutdown_background();
    result
}

fn config_path(given: Option<PathBuf>) -> Option<PathBuf> {
    given.or_else(|| default_paths::find("config/overheard.toml", "/etc/overheard/overheard.toml").ok())
}

fn settings(given: Option<PathBuf>) -> anyhow::Result<Settings> {
    Settings::load(config_path(given).as_deref()).context("The configuration is wrong")
}
