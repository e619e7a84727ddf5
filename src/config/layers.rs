//! The layers of settings: embedded defaults, the file, the environment.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::ConfigError;

/// The commented default file; also the defaults themselves.
pub const DEFAULTS: &str = include_str!("../../config/overheard.toml");

const PREFIX: &str = "OVERHEARD__";
/// A table whose keys are librdkafka's: they hold dots, which environment names can't.
const DOTTED_TABLE: [&str; 2] = ["kafka", "client"];

/// Settings laid over each other, and where those came from that are not in a file.
#[derive(Debug)]
pub struct Layered {
    /// The result.
    pub table: Table,
    /// Key path -> name of the environment variable.
    pub origins: BTreeMap<String, String>,
}

/// Lays a file (if there is one) and the environment over the defaults.
///
/// # Errors
/// The file is not TOML.
pub fn lay(
    file: Option<(&str, &str)>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Layered, ConfigError> {
    let mut table = parse("the built-in defaults", DEFAULTS)?;
    if let Some((name, text)) = file {
        merge(&mut table, parse(name, text)?);
    }
    let mut origins = BTreeMap::new();
    for (name, text) in environment {
        let Some(keys) = name.strip_prefix(PREFIX) else { continue };
        let keys = keys_of(keys);
        origins.insert(keys.join("."), name);
        set(&mut table, &keys, &text);
    }
    Ok(Layered { table, origins })
}

fn parse(name: &str, text: &str) -> Result<Table, ConfigError> {
    text.parse().map_err(|error| ConfigError::one(format!("{name}: {error}")))
}

fn keys_of(name: &str) -> Vec<String> {
    let mut keys: Vec<String> = name.split("__").map(str::to_lowercase).collect();
    if keys.len() == 3 && keys[..2] == DOTTED_TABLE {
        keys[2] = keys[2].replace('_', ".");
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

fn set(table: &mut Table, keys: &[String], text: &str) {
    let Some((first, rest)) = keys.split_first() else { return };
    if rest.is_empty() {
        let value = value_like(table.get(first), text);
        table.insert(first.clone(), value);
    } else if let Value::Table(inner) =
        table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()))
    {
        set(inner, rest, text);
    } else {
        // A value stands where a table is named: the text replaces it and is refused by its path.
        table.insert(first.clone(), Value::String(text.to_owned()));
    }
}

/// The text as a value of the kind that the setting has now. A text that is not of that kind
/// stays a text, and is refused where the setting is read.
fn value_like(now: Option<&Value>, text: &str) -> Value {
    let literal = || format!("value = {text}").parse::<Table>().ok()?.remove("value");
    let parsed = match now {
        Some(Value::String(_)) | None => None,
        Some(_) => literal(),
    };
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(file: Option<&str>, environment: &[(&str, &str)]) -> Layered {
        let pairs = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
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
    fn environment_values_take_the_kind_of_the_setting() {
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
}
