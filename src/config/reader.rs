//! Reads settings from TOML tables and collects every problem, each with its key path.
//!
//! A getter that reads a wrong value notes the problem and returns a placeholder, so that one pass
//! finds all problems; [`Problems::finish`] then returns them. Checks skip values that are
//! placeholders, so that one mistake is reported once.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use toml::{Table, Value};

use super::recorder::Recorder;
use super::setting::{Bounded, Setting, has_stray_control};
use crate::domain::SecretString;

/// All that is wrong with a configuration. Never empty.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    /// A single problem.
    pub fn one(problem: impl Into<String>) -> Self {
        Self(vec![problem.into()])
    }

    /// The same problems, each prefixed with the file that it is in.
    #[must_use]
    pub fn within(self, file: &std::path::Path) -> Self {
        Self(self.0.into_iter().map(|problem| format!("{}: {problem}", file.display())).collect())
    }

    /// All problems of several errors in one error.
    ///
    /// # Errors
    /// There is at least one error.
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
    /// Key path -> the environment variable that its value comes from.
    origins: BTreeMap<String, String>,
    /// Key paths whose values are missing or wrong and were replaced by placeholders.
    broken: RefCell<BTreeSet<String>>,
    recorder: Recorder,
}

impl Problems {
    /// Names, in problems, the environment variables that values come from.
    pub fn with_origins(origins: BTreeMap<String, String>) -> Self {
        Self { origins, ..Self::default() }
    }

    /// Records which keys are read.
    pub(super) fn recording(recorder: &Recorder) -> Self {
        Self { recorder: recorder.clone(), ..Self::default() }
    }

    /// Notes a problem with the value at a key path, unless the value is a placeholder.
    pub fn note(&self, path: &str, problem: impl fmt::Display) {
        if !self.is_sound(path) {
            return;
        }
        let origin = self_and_above(path).find_map(|path| self.origins.get(path));
        let origin = origin.map(|origin| format!(" (from {origin})")).unwrap_or_default();
        self.found.borrow_mut().push(format!("{path}{origin}: {problem}"));
    }

    /// Notes a problem and skips later checks of this key path and all below it.
    fn note_broken(&self, path: &str, problem: impl fmt::Display) {
        self.note(path, problem);
        self.broken.borrow_mut().insert(path.to_owned());
    }

    /// Whether the value at a key path is the configured one, not a placeholder.
    pub fn is_sound(&self, path: &str) -> bool {
        let broken = self.broken.borrow();
        !self_and_above(path).any(|path| broken.contains(path))
    }

    /// The result, if no problem was noted.
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

/// `a.b[0].c`, `a.b[0]`, `a.b`, `a`.
fn self_and_above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rfind(['.', '[']).map(|end| &path[..end]))
}

/// One table of settings. Reading a key removes it; keys that remain at the end are unknown.
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

    fn note_broken(&self, key: &str, problem: impl fmt::Display) {
        self.problems.note_broken(&self.path_of(key), problem);
    }

    /// Whether the value that was read for a key is the configured one, not a placeholder.
    pub fn is_sound(&self, key: &str) -> bool {
        self.problems.is_sound(&self.path_of(key))
    }

    /// Whether the value of a key comes from the environment.
    pub fn is_from_environment(&self, key: &str) -> bool {
        self_and_above(&self.path_of(key)).any(|path| self.problems.origins.contains_key(path))
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.known.push(key.to_owned());
        self.table.remove(key)
    }

    fn record(&self, key: &str, schema: serde_json::Value, is_required: bool) {
        self.problems.recorder.record(&self.path_of(key), schema, is_required);
    }

    /// The value of a required key.
    pub fn required<T: Setting>(&mut self, key: &str) -> T {
        self.record(key, T::schema(), true);
        let Some(value) = self.take(key) else {
            self.note_broken(key, format_args!("is missing; write {}", T::EXPECTED));
            return T::placeholder();
        };
        self.convert(key, &value)
    }

    /// The value of a required key, within a range.
    pub fn within<T: Bounded>(&mut self, key: &str, range: RangeInclusive<T::Bound>) -> T {
        let value = self.required(key);
        self.judge(key, value, &range)
    }

    /// The value of a key, within a range; `None` where it is absent or an empty string.
    pub fn optional_within<T: Bounded>(&mut self, key: &str, range: RangeInclusive<T::Bound>) -> Option<T> {
        let value = self.optional(key);
        let [lowest, highest] = [*range.start(), *range.end()].map(T::written);
        self.problems.recorder.bound(&self.path_of(key), lowest, highest);
        value.map(|value| self.judge(key, value, &range))
    }

    fn judge<T: Bounded>(&self, key: &str, value: T, range: &RangeInclusive<T::Bound>) -> T {
        let [lowest, highest] = [*range.start(), *range.end()].map(T::written);
        self.problems.recorder.bound(&self.path_of(key), lowest, highest);
        if self.is_sound(key) && !range.contains(&value.bound()) {
            let [lowest, highest, given] = [*range.start(), *range.end(), value.bound()].map(T::written);
            self.note_broken(key, format_args!("{given} is out of range; write {lowest} to {highest}"));
        }
        value
    }

    /// The value of a key; `None` where it is absent or an empty string.
    pub fn optional<T: Setting>(&mut self, key: &str) -> Option<T> {
        self.record(key, serde_json::json!({"anyOf": [T::schema(), {"const": ""}]}), false);
        let value = self.take(key)?;
        (value != Value::String(String::new())).then(|| self.convert(key, &value))
    }

    /// The value of a key, or `default` where it is absent.
    pub fn or<T: Setting>(&mut self, key: &str, default: T) -> T {
        self.record(key, T::schema(), false);
        match self.take(key) {
            Some(value) => self.convert(key, &value),
            None => default,
        }
    }

    /// A string that `T` parses. `None` where a problem was noted.
    pub fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, key: &str) -> Option<T> {
        self.record(key, String::schema(), true);
        let Some(value) = self.take(key) else {
            self.note_broken(key, "is missing; write a string");
            return None;
        };
        let Value::String(text) = value else {
            self.note_broken(key, format_args!("{} is not a string", shown(&value)));
            return None;
        };
        text.parse().map_err(|error| self.note_broken(key, error)).ok()
    }

    /// A string that is never shown in a message. `None` where it is absent or empty.
    pub fn secret(&mut self, key: &str) -> Option<SecretString> {
        self.record(key, String::schema(), false);
        let value = self.take(key)?;
        let Value::String(text) = value else {
            self.note_broken(key, "is not a string (the value is not shown); write it in quotes");
            return None;
        };
        if has_stray_control(&text) {
            self.note_broken(
                key,
                "has a control character (the value is not shown), such as a carriage return; take it out",
            );
            return None;
        }
        (!text.is_empty()).then(|| SecretString::from(text))
    }

    fn convert<T: Setting>(&self, key: &str, value: &Value) -> T {
        T::read(value).unwrap_or_else(|| {
            self.note_broken(key, format_args!("{} is not {}", shown(value), T::EXPECTED));
            T::placeholder()
        })
    }

    /// The table below a key; an empty one where it is absent.
    #[must_use]
    pub fn section(&mut self, key: &str) -> Section<'a> {
        let table = match self.take(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            // The value is not shown: it may be a secret.
            Some(other) => {
                let kind = other.type_str();
                self.note_broken(key, format_args!("is not a table of settings but of type {kind}"));
                Table::new()
            }
        };
        Section { path: self.path_of(key), table, known: Vec::new(), problems: self.problems }
    }

    /// The tables of an array below a key, such as `[[brand]]`.
    pub fn sections(&mut self, key: &str) -> Vec<Section<'a>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let Value::Array(items) = value else {
            self.note_broken(key, format_args!("{} is not an array of tables", shown(&value)));
            return Vec::new();
        };
        let mut sections = Vec::with_capacity(items.len());
        let mut one_is_broken = false;
        for (index, item) in items.into_iter().enumerate() {
            let path = format!("{}[{index}]", self.path_of(key));
            match item {
                Value::Table(table) => {
                    self.problems.recorder.table_of_array(&path);
                    sections.push(Section { path, table, known: Vec::new(), problems: self.problems });
                }
                other => {
                    self.problems.note(&path, format_args!("{} is not a table", shown(&other)));
                    one_is_broken = true;
                }
            }
        }
        if one_is_broken {
            // Checks of the whole array are skipped.
            self.problems.broken.borrow_mut().insert(self.path_of(key));
        }
        sections
    }

    /// Every key of this section with its value as a string, for settings that are passed through.
    pub fn pass_through(&mut self) -> BTreeMap<String, String> {
        let plain = serde_json::json!({"type": ["string", "number", "boolean", "object"]});
        let schema = serde_json::json!({"type": "object", "additionalProperties": plain});
        self.problems.recorder.record(&self.path, schema, false);
        let table = std::mem::take(&mut self.table);
        let mut passed = BTreeMap::new();
        for (key, value) in table {
            match value {
                Value::String(text) if has_stray_control(&text) => {
                    self.note_broken(&key, "has a control character (the value is not shown), such as a carriage return; take it out");
                }
                Value::String(text) => drop(passed.insert(key, text)),
                Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {
                    passed.insert(key, value.to_string());
                }
                _ => self.note_broken(&key, "is not a string, number or boolean"),
            }
        }
        passed
    }

    /// Notes every key that was not read as unknown.
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
