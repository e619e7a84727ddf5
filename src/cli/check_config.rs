//! `overheard check-config`: all settings, offline.

use std::path::Path;
use std::process::ExitCode;

use crate::config::{ConfigError, Settings};

/// Prints every problem with settings, brands and rules at once; exit code 1 if there is one.
pub(super) fn run(path: Option<&Path>) -> ExitCode {
    let name = path.map_or("the built-in defaults".to_owned(), |path| path.display().to_string());
    match check(path) {
        Ok((brands, rules)) => {
            println!("{name}: good; {brands} brands, {rules} alert rules");
            ExitCode::SUCCESS
        }
        Err(error) => {
            for problem in error.problems() {
                eprintln!("{problem}");
            }
            eprintln!("{name}: {} problems", error.problems().len());
            ExitCode::FAILURE
        }
    }
}

fn check(path: Option<&Path>) -> Result<(usize, usize), ConfigError> {
    let settings = Settings::load(path)?;
    let brands = settings.brands();
    // Rules name brands: with wrong brands they can't be judged.
    let rules = brands.as_ref().ok().map(|brands| settings.rules(brands)).transpose();
    let counts =
        (brands.as_ref().map_or(0, Vec::len), rules.as_ref().map_or(0, |r| r.as_ref().map_or(0, Vec::len)));
    let errors = [settings.inference().err(), settings.check_text_model().err(), brands.err(), rules.err()];
    ConfigError::together(errors.into_iter().flatten())?;
    Ok(counts)
}
