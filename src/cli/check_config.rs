//! `overheard check-config`: checks all settings offline.

use std::path::Path;
use std::process::ExitCode;

use crate::config::{ConfigError, Settings, unread_variable};
use crate::domain::ExposeSecret;
use crate::publish::Publisher;
use crate::source;

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
    // Rules refer to brands, so they can be checked only against valid ones.
    let rules = brands.as_ref().ok().map(|brands| settings.rules(brands)).transpose();
    let counts =
        (brands.as_ref().map_or(0, Vec::len), rules.as_ref().map_or(0, |r| r.as_ref().map_or(0, Vec::len)));
    let models = [settings.check_text_models().err(), settings.check_vision_model().err()];
    let files = [settings.inference().err(), brands.err(), rules.err()];
    let unread = settings.unread_variables.iter().map(|name| Some(ConfigError::one(unread_variable(name))));
    let errors = [check_kafka(&settings).err()].into_iter().chain(models).chain(files).chain(unread);
    ConfigError::together(errors.flatten())?;
    Ok(counts)
}

/// Has librdkafka check all properties of consumer and producer together, without connecting.
fn check_kafka(settings: &Settings) -> Result<(), ConfigError> {
    // With OAUTHBEARER librdkafka fetches a token as soon as the client is created.
    let fetches_token = settings.publish.client.iter().any(|(property, value)| {
        matches!(property.as_str(), "sasl.mechanism" | "sasl.mechanisms")
            && value.expose_secret() == "OAUTHBEARER"
    });
    if fetches_token {
        return Ok(());
    }
    let mut publish = settings.publish.clone();
    publish.client.remove("bootstrap.servers");
    let consumer = source::check(&settings.source).map_err(|error| error.to_string());
    let producer = Publisher::new(&publish).map(drop).map_err(|error| error.to_string());
    // Most mistakes are the same for both, so the first error is enough.
    consumer.and(producer).map_err(|problem| ConfigError::one(format!("kafka.client: {problem}")))
}
