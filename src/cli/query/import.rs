//! `overheard query import`: a query of another tool in our language.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::query::import::{Tool, import};

/// What `query import` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The tool that the query is from
    #[arg(long)]
    from: From,
    /// Succeed even if something had to be left out
    #[arg(long)]
    lenient: bool,
    /// A file with the query [default: standard input]
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum From {
    Brandwatch,
    Talkwalker,
}

/// Prints the query, and to standard error what is not the same. Fails if it can't be read, or if
/// something was left out and that was not asked for.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut source = String::new();
    if let Some(file) = &arguments.file {
        source =
            std::fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    } else {
        std::io::stdin().read_to_string(&mut source).context("Standard input can't be read")?;
    }
    let source = source.trim_end();
    let tool = match arguments.from {
        From::Brandwatch => Tool::Brandwatch,
        From::Talkwalker => Tool::Talkwalker,
    };
    let mut told = std::io::stderr().lock();
    match import(source, tool) {
        Ok(import) => {
            writeln!(std::io::stdout(), "{}", import.query)?;
            for note in &import.notes {
                writeln!(told, "{}", note.describe(source))?;
            }
            let fails = import.is_incomplete() && !arguments.lenient;
            Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Err(mistakes) => {
            for mistake in mistakes {
                writeln!(
                    told,
                    "{}: {}\n{}",
                    mistake.place(source),
                    mistake.message,
                    mistake.pointer(source)
                )?;
            }
            Ok(ExitCode::FAILURE)
        }
    }
}
