//! Where the real servers are: from the environment, or from the file of `make services-up`.

use std::path::Path;

/// The value of `OVERHEARD_TEST_KAFKA` or `OVERHEARD_TEST_POSTGRES`.
pub fn setting(name: &str) -> String {
    if let Ok(value) = std::env::var(name) {
        return value;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(".runtime/services/services.env");
    let lines = std::fs::read_to_string(file).unwrap_or_default();
    let found = lines.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    found.map_or_else(
        || panic!("{name} is not set and no servers run: `make services-up`, or `make test`"),
        str::to_owned,
    )
}
