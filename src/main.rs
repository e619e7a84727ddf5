//! Parses the command line, runs it, and sets the exit code.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use clap::Parser;
use overheard::cli::{self, Arguments};

/// ONNX Runtime's own builds report their use over the network unless this is set before they are
/// loaded.
const NO_REPORTS: &str = "ORT_DISABLE_TELEMETRY";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if std::env::var_os(NO_REPORTS).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        // A process can't safely change its own environment: it starts anew, under the same
        // process id. It comes back here only if that fails.
        let error = Command::new(program).args(std::env::args_os().skip(1)).env(NO_REPORTS, "1").exec();
        eprintln!("overheard: {NO_REPORTS} is not set and can't be: {error}");
        return ExitCode::FAILURE;
    }
    match cli::execute(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("overheard: {error:#}");
            ExitCode::FAILURE
        }
    }
}
