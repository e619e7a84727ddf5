//! `overheard --version`: the program and the libraries that it uses.

use std::path::Path;

use crate::config::Settings;
use crate::inference::Runtime;

/// Versions of the crates that a question about behaviour is likely to be about. Cargo tells a
/// program no version but its own: a test holds these to `Cargo.lock`.
const CRATES: [(&str, &str); 6] = [
    ("rdkafka", "0.39.0"),
    ("sqlx", "0.9.0"),
    ("tokenizers", "0.23.2"),
    ("image", "0.25.10"),
    ("fast_image_resize", "6.1.0"),
    ("ort", "2.0.0-rc.15"),
];

/// Prints a line for each. ONNX Runtime is loaded to ask it, since it is a file of its own; where
/// the configuration is wrong, from where the defaults say.
pub(super) fn print(path: Option<&Path>) -> anyhow::Result<()> {
    println!("overheard {}", env!("CARGO_PKG_VERSION"));
    println!("librdkafka {}", rdkafka::util::get_rdkafka_version().1);
    for (name, version) in CRATES {
        println!("{name} {version} (crate)");
    }
    let settings = match Settings::load(path) {
        Ok(settings) => settings,
        Err(error) => {
            let count = error.problems().len();
            eprintln!(
                "The configuration is wrong ({count} problems; see `overheard check-config`); without it:"
            );
            Settings::defaults()?
        }
    };
    for (what, id) in settings.model_ids() {
        match id {
            Ok(id) => println!("{what} {id}"),
            Err(error) => println!("{what} not available: {error}"),
        }
    }
    let loaded = settings.inference().map_err(|error| error.to_string()).and_then(|options| {
        Runtime::load(&options.library, options.device, options.threads)
            .map(|runtime| format!("{} ({})", runtime.library_version(), options.library.display()))
            .map_err(|error| error.to_string())
    });
    match loaded {
        Ok(version) => println!("ONNX Runtime {version}"),
        Err(error) => println!("ONNX Runtime not available: {error}"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_are_those_of_the_lock_file() {
        let lock: toml::Table = include_str!("../../Cargo.lock").parse().unwrap();
        for (name, version) in CRATES {
            let packages = lock["package"].as_array().unwrap().iter();
            let locked: Vec<_> = packages.filter(|package| package["name"].as_str() == Some(name)).collect();
            assert_eq!(locked.len(), 1, "{name}");
            assert_eq!(locked[0]["version"].as_str(), Some(version), "{name}");
        }
    }
}
