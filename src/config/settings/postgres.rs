//! `[postgres]` -> how the store connects to Postgres, and what it keeps.

use std::time::Duration;

use url::Url;

use super::secrets;
use crate::config::Section;
use crate::domain::{ExposeSecret, SecretString};
use crate::store;

const DAY: Duration = Duration::from_hours(24);
/// A hundred years, which subtracts from today without overflow.
const LONGEST_RETENTION: Duration = Duration::from_hours(24 * 36_500);

/// Parameters that sqlx knows. It ignores all others, so that a misspelt `sslmod=verify-full` would
/// connect without verification.
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
/// Parameters that name a file with certificates or keys, or hold its text.
const FILES: [&str; 7] =
    ["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];

/// The shortest key of pseudonyms, in characters.
const SHORTEST_KEY: usize = 16;

/// Who may be named, and what is taken back.
#[derive(Clone, Debug)]
pub(super) struct Privacy {
    /// The keys of pseudonyms, the current one first.
    pub(super) author_keys: Vec<SecretString>,
    /// Whether deletions take posts away.
    pub(super) honour_deletions: bool,
}

/// Reads the section.
pub(super) fn read(root: &mut Section<'_>, pictures: store::PictureOptions) -> (store::Options, Privacy) {
    let mut postgres = root.section("postgres");
    let url = secrets::read(&mut postgres, "url");
    let is_given = url.is_some();
    let options = store::Options {
        url: url.unwrap_or_else(|| SecretString::from(String::new())),
        password: secrets::read(&mut postgres, "password"),
        // At least two, so that a long deletion of old rows does not block the storing of posts.
        max_connections: postgres.within("connections", 2..=1000),
        connect_timeout: postgres
            .within("connect_timeout", Duration::from_millis(100)..=Duration::from_mins(10)),
        statement_timeout: postgres.within("statement_timeout", Duration::from_millis(100)..=DAY),
        lock_timeout: postgres.within("lock_timeout", Duration::from_millis(100)..=Duration::from_hours(1)),
        idle_in_transaction_timeout: postgres
            .within("idle_in_transaction_timeout", Duration::from_secs(1)..=Duration::from_hours(1)),
        migrate: postgres.required("migrate"),
        keep_text: postgres.required("keep_text"),
        keep_author: postgres.required("keep_author"),
        remember_removals: postgres.within("remember_removals", Duration::ZERO..=LONGEST_RETENTION),
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
    let privacy = Privacy {
        author_keys: author_keys(&mut postgres, options.keep_author),
        honour_deletions: postgres.required("honour_deletions"),
    };
    postgres.finish();
    (options, privacy)
}

/// The keys of pseudonyms, one a line.
fn author_keys(postgres: &mut Section<'_>, keep_author: bool) -> Vec<SecretString> {
    let text = secrets::read(postgres, "author_key");
    let keys: Vec<&str> = text.iter().flat_map(|text| text.expose_secret().split_whitespace()).collect();
    if keys.iter().any(|key| key.len() < SHORTEST_KEY) {
        postgres.note(
            "author_key",
            format_args!("has a key of fewer than {SHORTEST_KEY} characters; {KEY_WAY_OUT}"),
        );
    }
    if keys.is_empty() && !keep_author {
        let problem = "is missing, and without postgres.keep_author pseudonyms need a secret key";
        postgres.note("author_key", format_args!("{problem}; {KEY_WAY_OUT}"));
    }
    keys.into_iter().map(SecretString::from).collect()
}

const KEY_WAY_OUT: &str =
    "make one with `openssl rand -hex 32`, and name its file in postgres.author_key_file";

const ENCODE: &str = "percent-encode what the password has of / ? # @ : and % (\"/\" is %2F, \"#\" is %23, \"@\" is %40), or name a file in postgres.password_file";
const WAY_OUT: &str = "write postgres://user@host:port/database";

/// Whether an address holds what is left of a password with a `/`, `?` or `#`, which end the part
/// that passwords are in: a fragment, or an `@` behind that part.
fn has_unencoded(url: &str) -> bool {
    let behind = url.split_once("://").map_or(url, |(_, behind)| behind);
    let (authority, rest) = behind.split_at(behind.find(['/', '?']).unwrap_or(behind.len()));
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    url.contains('#') || path.contains('@') || (parameters.contains('@') && !authority.contains('@'))
}

/// Parses the address as the store will. No message shows what comes before the parameters, since
/// it may contain a password.
fn check_address(options: &store::Options) -> Result<(), String> {
    if has_unencoded(options.url.expose_secret()) {
        return Err(format!("has \"@\" or \"#\" where an address has none; {ENCODE}"));
    }
    options.check().map_err(|error| format!("{error}; {WAY_OUT}"))?;
    let Ok(url) = Url::parse(options.url.expose_secret()) else { return Ok(()) };
    for (name, value) in url.query_pairs() {
        if FILES.contains(&name.as_ref()) {
            if !value.starts_with("-----BEGIN") {
                let readable = std::fs::File::open(value.as_ref());
                readable.map_err(|error| format!("{name}={value} can't be read: {error}"))?;
            }
        } else if !PARAMETERS.contains(&name.as_ref()) && !name.starts_with("options[") {
            let known = "sslmode, sslrootcert, sslcert, sslkey, host, application_name, ...";
            return Err(format!("has the unknown parameter {name:?}; known here: {known}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_not_encoded_is_refused() {
        for wrong in [
            "postgres://u:p@ss/w#rd@127.0.0.1:5432/db",
            "postgres://u:a/b@host/db",
            "postgres://u:a?b@host/db",
            "postgres://u:a#b@host/db",
            "postgres://u:7/b@host:5432/db?sslmode=require",
        ] {
            assert!(has_unencoded(wrong), "{wrong}");
        }
        for right in [
            "postgres://u:p%40ss%2Fw%23rd@127.0.0.1:5432/db",
            "postgres://u@host/db?sslmode=require",
            "postgres:///db?host=/run/postgresql",
            "postgres://u:p@ss@host/db",
        ] {
            assert!(!has_unencoded(right), "{right}");
        }
    }
}
