//! Logs: structured, as text for people or JSON for machines, on standard error.

use std::io::IsTerminal;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

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
        // tracing takes any lone word for a target, and with it a level that is misspelt.
        let is_level = |word: &str| word.parse::<LevelFilter>().is_ok();
        let is_lone = |word: &&str| !word.is_empty() && !word.contains(['=', '[', ']', '}']);
        let mut lone = self.filter.split(',').map(str::trim).filter(is_lone);
        if let Some(word) = lone.find(|word| !is_level(word)) {
            return Err(format!(
                "{word:?} is no level; write off, error, warn, info, debug or trace, or target=level"
            ));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_word_must_be_a_level() {
        let check = |filter: &str| Options { format: Format::Text, filter: filter.to_owned() }.check();
        for good in [
            "info",
            "WARN",
            "off",
            "info,overheard=debug",
            "overheard::store=trace, warn",
            "[span]=debug",
            "",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for wrong in
            ["inof", "info,debgu", "overheard", "overheard=inof", "warn;info", "overheard=debug,inof"]
        {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
