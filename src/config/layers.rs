//! The layers of settings: embedded defaults, the file, the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;

use toml::{Table, Value};

use super::ConfigError;

/// The commented default file, the only source of the defaults.
pub const DEFAULTS: &str = include_str!("../../config/overheard.toml");

const PREFIX: &str = "OVERHEARD__";
/// The table whose keys are librdkafka's. They contain dots, which names of variables can't.
const DOTTED_TABLE: [&str; 2] = ["kafka", "client"];

/// The merged settings, and which of them come from environment variables.
#[derive(Debug)]
pub struct Layered {
    /// The merged settings.
    pub table: Table,
    /// Key path -> name of the environment variable.
    pub origins: BTreeMap<String, String>,
    /// Variables that look like ours, but whose prefix is another one, so that nothing reads them.
    pub unread: Vec<String>,
    /// Variables with our prefix whose name or value is not UTF-8, with replacement characters.
    pub unreadable: Vec<String>,
}

/// Merges the defaults, a file (if given) and the environment; later ones take precedence.
///
/// # Errors
/// The file is not valid TOML.
pub fn lay(
    file: Option<(&str, &str)>,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Layered, ConfigError> {
    let defaults = parse("the built-in defaults", DEFAULTS)?;
    let mut table = defaults.clone();
    if let Some((name, text)) = file {
        merge(&mut table, parse(name, text)?);
    }
    let mut origins = BTreeMap::new();
    let (mut unread, mut unreadable) = (Vec::new(), Vec::new());
    for (name, text) in environment {
        let shown = name.to_string_lossy().into_owned();
        // Variables without our prefix may hold any bytes.
        let Some(keys) = shown.strip_prefix(PREFIX) else {
            unread.extend(is_meant_for_us(&shown).then_some(shown));
            continue;
        };
        let (true, Some(text)) = (name.to_str().is_some(), text.to_str()) else {
            unreadable.push(shown);
            continue;
        };
        let keys = keys_of(keys);
        set(&mut table, Some(&defaults), &keys, text);
        origins.insert(keys.join("."), shown);
    }
    // A variable may hold the whole `[kafka.client]` table.
    flatten_properties(&mut table);
    Ok(Layered { table, origins, unread, unreadable })
}

/// Whether a variable names a section of the settings behind our name, however it is written.
fn is_meant_for_us(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace(['.', '-'], "_");
    let Some(keys) = name.strip_prefix("OVERHEARD_") else { return false };
    let section = keys.trim_start_matches('_').split('_').next().unwrap_or_default().to_ascii_lowercase();
    DEFAULTS.lines().any(|line| {
        let header = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        header.is_some_and(|header| header.split('.').next() == Some(&section))
    })
}

fn parse(name: &str, text: &str) -> Result<Table, ConfigError> {
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
        // The line itself is left out, since it may hold a password.
        let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        ConfigError::one(format!("{name}: line {line}: {}", error.message()))
    })?;
    flatten_properties(&mut table);
    Ok(table)
}

fn flatten_properties(table: &mut Table) {
    let [section, client] = DOTTED_TABLE;
    if let Some(Value::Table(client)) = table.get_mut(section).and_then(|section| section.get_mut(client)) {
        *client = flat(std::mem::take(client));
    }
}

/// TOML reads an unquoted `security.protocol` as a nested table, but it is one property.
fn flat(table: Table) -> Table {
    let mut properties = Table::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => {
                properties
                    .extend(flat(inner).into_iter().map(|(below, value)| (format!("{key}.{below}"), value)));
            }
            value => drop(properties.insert(key, value)),
        }
    }
    properties
}

fn keys_of(name: &str) -> Vec<String> {
    let mut keys: Vec<String> = name.split("__").map(str::to_lowercase).collect();
    if keys.len() == 3 && keys[..2] == DOTTED_TABLE {
        // The suffix of secrets in files keeps its underscore.
        keys[2] = match keys[2].strip_suffix("_file") {
            Some(secret) => format!("{}_file", secret.replace('_', ".")),
            None => keys[2].replace('_', "."),
        };
    }
    keys
}

fn merge(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => drop(below.insert(key, value)),
        }
    }
}

/// Sets a value. The defaults decide its type and which keys are tables, so that a mistake in the
/// file does not change how a variable is read.
fn set(table: &mut Table, defaults: Option<&Table>, keys: &[String], text: &str) {
    let Some((first, rest)) = keys.split_first() else { return };
    let default = defaults.and_then(|defaults| defaults.get(first));
    if rest.is_empty() {
        table.insert(first.clone(), value_like(default, text));
        return;
    }
    let below = default.and_then(Value::as_table);
    match table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new())) {
        Value::Table(inner) => set(inner, below, rest, text),
        // The file has another value where a table belongs; the reader refuses it.
        _ if below.is_some() => {}
        // The variable names a key below a plain value; the reader refuses it.
        other => {
            let mut inner = Table::new();
            set(&mut inner, None, rest, text);
            *other = Value::Table(inner);
        }
    }
}

/// The text as a value of the default's type. What does not parse stays a string, which the reader
/// refuses.
fn value_like(default: Option<&Value>, text: &str) -> Value {
    let literal = || format!("value = {text}").parse::<Table>().ok()?.remove("value");
    let parsed = match default {
        Some(Value::String(_)) | None => None,
        Some(_) => literal(),
    };
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(file: Option<&str>, environment: &[(&str, &str)]) -> Layered {
        let pairs = environment.iter().map(|(k, v)| (OsString::from(k), OsString::from(v)));
        lay(file.map(|text| ("test.toml", text)), pairs).unwrap()
    }

    #[test]
    fn the_environment_goes_over_the_file_and_the_file_over_the_defaults() {
        let file = "[kafka]\ngroup = \"file\"\nbrokers = \"file:1\"";
        let laid = laid(Some(file), &[("OVERHEARD__KAFKA__GROUP", "env"), ("UNRELATED", "x")]);
        assert_eq!(laid.table["kafka"]["group"].as_str(), Some("env"));
        assert_eq!(laid.table["kafka"]["brokers"].as_str(), Some("file:1"));
        assert_eq!(laid.table["kafka"]["start"].as_str(), Some("earliest"));
        assert_eq!(laid.origins["kafka.group"], "OVERHEARD__KAFKA__GROUP");
    }

    #[test]
    fn environment_values_take_the_type_of_the_setting() {
        let laid = laid(
            None,
            &[
                ("OVERHEARD__POSTGRES__MIGRATE", "true"),
                ("OVERHEARD__PIPELINE__QUEUE", "5"),
                ("OVERHEARD__KAFKA__TOPICS", "[{ name = \"a\", format = \"post\" }]"),
                ("OVERHEARD__KAFKA__GROUP", "7"),
                ("OVERHEARD__KAFKA__CLIENT__SASL_MECHANISM", "PLAIN"),
            ],
        );
        assert_eq!(laid.table["postgres"]["migrate"].as_bool(), Some(true));
        assert_eq!(laid.table["pipeline"]["queue"].as_integer(), Some(5));
        assert_eq!(laid.table["kafka"]["topics"][0]["name"].as_str(), Some("a"));
        assert_eq!(laid.table["kafka"]["group"].as_str(), Some("7"));
        assert_eq!(laid.table["kafka"]["client"]["sasl.mechanism"].as_str(), Some("PLAIN"));
    }

    #[test]
    fn librdkafkas_properties_need_no_quotes() {
        let file = "[kafka.client]\nsecurity.protocol = \"SSL\"\nssl.key.password_file = \"a\"\nssl.ca.location = \"b\"";
        let laid = laid(
            Some(file),
            &[
                ("OVERHEARD__KAFKA__CLIENT__SECURITY_PROTOCOL", "SASL_SSL"),
                ("OVERHEARD__KAFKA__CLIENT__SSL_KEYSTORE_PASSWORD_FILE", "c"),
            ],
        );
        let client = laid.table["kafka"]["client"].as_table().unwrap();
        let texts: Vec<_> =
            client.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap())).collect();
        assert_eq!(
            texts,
            [
                ("security.protocol", "SASL_SSL"),
                ("ssl.ca.location", "b"),
                ("ssl.key.password_file", "a"),
                ("ssl.keystore.password_file", "c"),
            ]
        );
    }

    #[test]
    fn a_variable_may_hold_a_whole_table() {
        let laid = laid(None, &[("OVERHEARD__KAFKA__CLIENT", "{ security.protocol = \"SSL\" }")]);
        assert_eq!(laid.table["kafka"]["client"]["security.protocol"].as_str(), Some("SSL"));
    }

    #[test]
    fn variables_that_look_like_ours_are_told() {
        let ours = [
            ("OVERHEARD_KAFKA_BROKERS", "x"),
            ("OVERHEARD_KAFKA__GROUP", "x"),
            ("Overheard__log__filter", "x"),
        ];
        let others = [("OVERHEARD_SERVICES", "native"), ("OVERHEARDX_KAFKA", "x"), ("KAFKA_BROKERS", "x")];
        assert_eq!(laid(None, &ours).unread, ours.map(|(name, _)| name));
        assert!(laid(None, &others).unread.is_empty());
    }

    #[test]
    fn a_variable_below_a_plain_value_makes_a_table() {
        let laid = laid(None, &[("OVERHEARD__KAFKA__GROUP__NAME", "x")]);
        assert!(laid.table["kafka"]["group"].is_table());
    }

    #[test]
    fn invalid_toml_is_reported_by_line_number_without_the_line() {
        let error = parse("a.toml", "[postgres]\npassword = \"hunter2\n").unwrap_err().to_string();
        assert!(error.starts_with("a.toml: line 2: "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
