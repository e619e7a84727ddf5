//! `[postgres]` -> how the store reaches Postgres, and what it keeps.

use std::time::Duration;

use url::Url;

use super::secrets;
use crate::config::Section;
use crate::domain::Secret;
use crate::store;

const DAY: Duration = Duration::from_hours(24);
/// Far more than anybody keeps, and little enough to count back from today.
const LONGEST_RETENTION: Duration = Duration::from_hours(24 * 36_500);

/// Parameters of the address that the store's client knows; any other it would pass over, and
/// `sslmod=verify-full` would be a connection without TLS.
const PARAMETERS: [&str; 11] = [
    "sslmode",
    "ssl-mode",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];
/// Those that name a file of certificates or keys, or hold its text.
const FILES: [&str; 7] =
    ["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];

/// Reads the section.
pub(super) fn read(root: &mut Section<'_>, pictures: store::PictureOptions) -> store::Options {
    let mut postgres = root.section("postgres");
    let url = secrets::read(&mut postgres, "url");
    let is_given = url.is_some();
    let options = store::Options {
        url: url.unwrap_or_else(|| Secret::new(String::new())),
        password: secrets::read(&mut postgres, "password"),
        // Two: a long deletion of old rows must not keep posts from being stored.
        max_connections: postgres.within("connections", 2..=1000),
        connect_timeout: postgres
            .within("connect_timeout", Duration::from_millis(100)..=Duration::from_mins(10)),
        statement_timeout: postgres.within("statement_timeout", Duration::from_millis(100)..=DAY),
        migrate: postgres.required("migrate"),
        keep_text: postgres.required("keep_text"),
        keep_author: postgres.required("keep_author"),
        partitions_ahead: postgres.within("partitions_ahead_days", 1..=366),
        retention_posts: postgres.optional_within("retention_posts", DAY..=LONGEST_RETENTION),
        retention_counts: postgres.optional_within("retention_counts", DAY..=LONGEST_RETENTION),
        pictures,
    };
    if !is_given {
        postgres.note("url", format_args!("is missing; {WAY_OUT}"));
    } else if let Err(problem) = check_address(&options) {
        postgres.note("url", problem);
    }
    postgres.finish();
    options
}

const WAY_OUT: &str = "write postgres://user@host:port/database";

/// Reads the address as the store will. No message shows what stands before the parameters: a
/// password may.
fn check_address(options: &store::Options) -> Result<(), String> {
    options.check().map_err(|error| format!("{error}; {WAY_OUT}"))?;
    let Ok(url) = Url::parse(options.url.expose()) else { return Ok(()) };
    for (name, value) in url.query_pairs() {
        if FILES.contains(&name.as_ref()) {
            if !value.starts_with("-----BEGIN") {
                let readable = std::fs::File::open(value.as_ref());
                readable.map_err(|error| format!("{name}={value} can't be read: {error}"))?;
            }
        } else if !PARAMETERS.contains(&name.as_ref()) && !name.starts_with("options[") {
            let known = "such as sslmode, sslrootcert, sslcert, sslkey, host and application_name";
            return Err(format!(
                "has the parameter {name:?}, which is none; write those of Postgres, {known}"
            ));
        }
    }
    Ok(())
}
