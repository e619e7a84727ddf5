//! `overheard --version`: the program and the libraries that it uses.

use crate::config::Settings;
use crate::inference::Runtime;

/// Prints a line for each. ONNX Runtime is loaded to ask it, since it is a file of its own.
pub(super) fn print(settings: &Settings) {
    println!("overheard {}", env!("CARGO_PKG_VERSION"));
    println!("librdkafka {}", rdkafka::util::get_rdkafka_version().1);
    let loaded = settings.inference().map_err(|error| error.to_string()).and_then(|options| {
        Runtime::load(&options.library, options.device, options.threads)
            .map(|runtime| format!("{} ({})", runtime.library_version(), options.library.display()))
            .map_err(|error| error.to_string())
    });
    match loaded {
        Ok(version) => println!("ONNX Runtime {version}"),
        Err(error) => println!("ONNX Runtime not available: {error}"),
    }
}
