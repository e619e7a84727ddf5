//! What a person types.

mod assemble;
mod check_config;
mod demo;
mod detect;
mod doctor;
mod migrate;
mod rescore;
mod run;
mod score;
mod version;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{Settings, places};

/// Hears what people say about a brand while they say it.
#[derive(Debug, Parser)]
#[command(name = "overheard", arg_required_else_help = true)]
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
    /// Watch it work: an embedded broker, a private Postgres, one simulated hour of sample posts
    Demo(demo::Arguments),
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
    /// Find logos in pictures, one JSON object a line
    Detect(detect::Arguments),
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
        Command::Demo(demo) => runtime.block_on(demo::run(demo)),
        Command::Migrate => runtime.block_on(migrate::run(settings(arguments.config)?)),
        Command::CheckConfig => Ok(check_config::run(config_path(arguments.config).as_deref())),
        Command::Doctor => runtime.block_on(doctor::run(settings(arguments.config)?)),
        Command::Score(score) => runtime.block_on(score::run(settings(arguments.config)?, score)),
        Command::Rescore(rescore) => runtime.block_on(rescore::run(settings(arguments.config)?, rescore)),
        Command::Detect(detect) => runtime.block_on(detect::run(settings(arguments.config)?, detect)),
    };
    // A thread that is blocked in a read or in a library must not keep the process from ending.
    runtime.shutdown_background();
    result
}

fn config_path(given: Option<PathBuf>) -> Option<PathBuf> {
    given.or_else(|| places::find("config/overheard.toml", "/etc/overheard/overheard.toml").ok())
}

fn settings(given: Option<PathBuf>) -> anyhow::Result<Settings> {
    Settings::load(config_path(given).as_deref()).context("The configuration is wrong")
}
