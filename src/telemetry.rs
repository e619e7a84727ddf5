//! Logs: structured, as text for people or JSON for machines, on standard error.

use std::io::IsTerminal;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;

/// How logs are written.
#[derive(Clone, Debug)]
pub struct Options {
    /// For people or for machines.
    pub format: Format,
    /// Level, or tracing's directives.
    pub filter: String,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!("{other:?} is no log format; write \"text\" or \"json\"")),
        }
    }
}

impl Options {
    /// Whether the filter can be read.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        EnvFilter::try_new(&self.filter).map(drop).map_err(|error| format!("{:?}: {error}", self.filter))
    }
}

/// Sends logs to standard error from now on. A second call changes nothing.
pub fn start(options: &Options) {
    let filter = EnvFilter::try_new(&options.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // Fails only where a subscriber is already in place.
    let _ = match options.format {
        Format::Text => lines.try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
}
