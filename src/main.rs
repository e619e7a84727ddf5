//! Parses the command line, runs it, and sets the exit code. Started by the daemon itself, it decodes
//! pictures instead.

use std::process::ExitCode;

use clap::Parser;
use overheard::cli::{self, Arguments};
use overheard::{environment, media};

fn main() -> ExitCode {
    if let Some(ended) = media::serve_if_asked() {
        return ended;
    }
    let arguments = Arguments::parse();
    environment::complete().and_then(|()| cli::execute(arguments)).unwrap_or_else(|error| {
        eprintln!("overheard: {error:#}");
        ExitCode::FAILURE
    })
}
