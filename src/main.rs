//! Parses the command line, runs it, and sets the exit code.

use std::process::ExitCode;

use clap::Parser;
use overheard::cli::{self, Arguments};

fn main() -> ExitCode {
    match cli::execute(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("overheard: {error:#}");
            ExitCode::FAILURE
        }
    }
}
