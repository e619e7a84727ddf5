//! Reads settings out of TOML tables and gathers every problem on the way, each with its key path.
//!
//! A getter that meets a wrong value notes the problem and returns a placeholder, so that one
//! pass finds all of them; [`Problems::finish`] then refuses the whole.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use toml::{Table, Value};

use super::setting::Setting;

/// All that is wrong with a configuration. Never empty.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    /// One problem alone.
    pub fn one(problem: impl Into<String>) -> Self {
        Self(vec![problem.into()])
    }

    /// The same problems, each with the file that it is in.
    #[must_use]
    pub fn within(self, file: &std::path::Path) -> Self {
        Self(self.0.into_iter().map(|problem| format!("{}: {problem}", file.display())).collect())
    }

    /// The problems of several parts together; none if there are none.
    ///
    /// # Errors
    /// All problems at once.
    pub fn together(errors: impl IntoIterator<Item = Self>) -> Result<(), Self> {
        let all: Vec<String> = errors.into_iter().flat_map(|error| error.0).collect();
        if all.is_empty() { Ok(()) } else { Err(Self(all)) }
    }

    /// The problems, each with its key path.
    pub fn problems(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.join("\n"))
    }
}

/// Collects problems while sections are read.
#[derive(Debug, Default)]
pub struct Problems {
    found: RefCell<Vec<String>>,
    /// Key path -> where its value came from, where that is not the file itself.
    origins: BTreeMap<String, String>,
}

impl Problems {
    /// Knows which keys came from elsewhere, to name that place in problems.
    pub fn with_origins(origins: BTreeMap<String, String>) -> Self {
        Self { found: RefCell::default(), origins }
    }

    /// Notes a problem with the value at a key path.
    pub fn note(&self, path: &str, problem: impl fmt::Display) {
        let origin = self.origins.get(path).map(|origin| format!(" (from {origin})")).unwrap_or_default();
        self.found.borrow_mut().push(format!("{path}{origin}: {problem}"));
    }

    /// The result, if nothing was wrong.
    ///
    /// # Errors
    /// All problems at once.
    pub fn finish<T>(self, result: T) -> Result<T, ConfigError> {
        let mut found = self.found.into_inner();
        if found.is_empty() {
            return Ok(result);
        }
        found.sort();
        found.dedup();
        Err(ConfigError(found))
    }
}

/// One table of settings. Keys are taken out as they are read; what is left at the end is unknown.
#[derive(Debug)]
pub struct Section<'a> {
    path: String,
    table: Table,
    known: Vec<String>,
    problems: &'a Problems,
}

impl<'a> Section<'a> {
    /// The outermost table, with an empty path.
    pub fn root(table: Table, problems: &'a Problems) -> Self {
        Self { path: String::new(), table, known: Vec::new(), problems }
    }

    /// The path of a key in this section, such as `kafka.brokers`.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Notes a problem with a key of this section.
    pub fn note(&self, key: &str, problem: impl fmt::Display) {
        self.problems.note(&self.path_of(key), problem);
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.known.push(key.to_owned());
        self.table.remove(key)
    }

    /// The value of a key that must be there.
    pub fn required<T: Setting>(&mut self, key: &str) -> T {
        let Some(value) = self.take(key) else {
            self.note(key, format_args!("is missing; it wants {}", T::EXPECTED));
            return T::placeholder();
        };
        self.convert(key, &value)
    }

    /// The value of a key that may be absent or an empty text.
    pub fn optional<T: Setting>(&mut self, key: &str) -> Option<T> {
        let value = self.take(key)?;
        (value != Value::String(String::new())).then(|| self.convert(key, &value))
    }

    /// The value of a key, or `default` where it is absent.
    pub fn or<T: Setting>(&mut self, key: &str, default: T) -> T {
        match self.take(key) {
            Some(value) => self.convert(key, &value),
            None => default,
        }
    }

    /// A text that a type of its own parses. None where a problem was noted.
    pub fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, key: &str) -> Option<T> {
        let Some(value) = self.take(key) else {
            self.note(key, "is missing; it wants a text");
            return None;
        };
        let Value::String(text) = value else {
            self.note(key, format_args!("{} is not a text", shown(&value)));
            return None;
        };
        text.parse().map_err(|error| self.note(key, error)).ok()
    }

    fn convert<T: Setting>(&self, key: &str, value: &Value) -> T {
        T::read(value).unwrap_or_else(|| {
            self.note(key, format_args!("{} is not {}", shown(value), T::EXPECTED));
            T::placeholder()
        })
    }

    /// The table below a key; an empty one where it is absent.
    #[must_use]
    pub fn section(&mut self, key: &str) -> Section<'a> {
        let table = match self.take(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(other) => {
                self.note(key, format_args!("{} is not a table of settings", shown(&other)));
                Table::new()
            }
        };
        Section { path: self.path_of(key), table, known: Vec::new(), problems: self.problems }
    }

    /// The tables of an array below a key, such as `[[brand]]`.
    pub fn sections(&mut self, key: &str) -> Vec<Section<'a>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let Value::Array(items) = value else {
            self.note(key, format_args!("{} is not an array of tables", shown(&value)));
            return Vec::new();
        };
        let mut sections = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let path = format!("{}[{index}]", self.path_of(key));
            match item {
                Value::Table(table) => {
                    sections.push(Section { path, table, known: Vec::new(), problems: self.problems });
                }
                other => self.problems.note(&path, format_args!("{} is not a table", shown(&other))),
            }
        }
        sections
    }

    /// Every key of this section with its value as text: for settings that are passed through.
    pub fn pass_through(mut self) -> BTreeMap<String, String> {
        let table = std::mem::take(&mut self.table);
        let mut passed = BTreeMap::new();
        for (key, value) in table {
            match value {
                Value::String(text) => drop(passed.insert(key, text)),
                Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {
                    passed.insert(key, value.to_string());
                }
                other => {
                    self.note(&key, format_args!("{} is not a text, number or truth value", shown(&other)));
                }
            }
        }
        passed
    }

    /// Notes every key that nobody asked for.
    pub fn finish(self) {
        for key in self.table.keys() {
            self.note(key, format_args!("unknown key; known here: {}", self.known.join(", ")));
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Table(_) => "a table".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        other => other.to_string(),
    }
}
