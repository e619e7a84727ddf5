//! `overheard --version`: the program and the libraries that it uses.

use std::path::Path;

use crate::config::Settings;
use crate::inference::Runtime;

/// Crates that a question about behaviour is likely to be about.
const CRATES: [&str; 6] = ["rdkafka", "sqlx", "tokenizers", "image", "fast_image_resize", "ort"];

/// Prints a line for each. ONNX Runtime is loaded to ask it, since it is a file of its own; where
/// the configuration is wrong, from where the defaults say.
pub(super) fn print(path: Option<&Path>) -> anyhow::Result<()> {
    println!("overheard {}", env!("CARGO_PKG_VERSION"));
    println!("librdkafka {}", rdkafka::util::get_rdkafka_version().1);
    for name in CRATES {
        println!("{name} {} (crate)", locked_version(name)?);
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

/// The version of a crate that this program was built with.
fn locked_version(name: &str) -> anyhow::Result<String> {
    let lock: toml::Table = include_str!("../../Cargo.lock").parse()?;
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let of_crate = packages.filter(|package| package.get("name").and_then(toml::Value::as_str) == Some(name));
    let versions: Vec<_> = of_crate.filter_map(|package| package.get("version")?.as_str()).collect();
    match versions[..] {
        [version] => Ok(version.to_owned()),
        _ => anyhow::bail!("Cargo.lock has {} versions of {name}", versions.len()),
    }
}
