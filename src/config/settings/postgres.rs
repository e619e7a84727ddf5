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
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
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

/// Reads the section.
pub(super) fn read(root: &mut Section<'_>) -> store::Options {
    let mut postgres = root.section("postgres");
    let url = secrets::read(&mut postgres, "url").unwrap_or_else(|| {
        postgres.note("url", format_args!("is missing; {WAY_OUT}"));
        Secret::new(String::new())
    });
    let options = store::Options {
        url,
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
    };
    if !options.url.expose().is_empty()
        && let Err(problem) = check_address(&options)
    {
        postgres.note("url", problem);
    }
    postgres.finish();
    options
}

const WAY_OUT: &str = "write postgres://user@host:port/database";

/// Reads the address as the store will. No message shows what stands before the parameters: a
/// password may.
fn check_address(options: &store::Options) -> Result<(), String> {
    if let Ok(url) = Url::parse(options.url.expose())
        && let Some((unknown, _)) = url.query_pairs().find(|(name, _)| !is_known(name))
    {
        let known = "such as sslmode, sslrootcert, sslcert, sslkey, host and application_name";
        return Err(format!(
            "has the parameter {unknown:?}, which is none; write those of Postgres, {known}"
        ));
    }
    options.check().map_err(|error| format!("{error}; {WAY_OUT}"))
}

fn is_known(parameter: &str) -> bool {
    PARAMETERS.contains(&parameter) || parameter.starts_with("options[")
}
