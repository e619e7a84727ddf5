//! Records which keys are read from the configuration files.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

/// Description of one key.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The JSON schema of its value.
    pub schema: Value,
    /// Whether the file must contain it. Settings have defaults and never need to.
    pub is_required: bool,
    /// The lowest and the highest value, where there is a range.
    pub range: Option<(String, String)>,
}

/// Key path -> key. Array elements are written `[]`.
pub type Keys = BTreeMap<String, Key>;

/// Where readers record the keys that they read.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorder(Rc<RefCell<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    keys: Keys,
    /// How often each key was read.
    asked: BTreeMap<String, usize>,
    /// How many tables each array has.
    tables: BTreeMap<String, usize>,
}

impl Recorder {
    pub(super) fn record(&self, path: &str, schema: Value, is_required: bool) {
        let mut recorded = self.0.borrow_mut();
        let path = without_numbers(path);
        *recorded.asked.entry(path.clone()).or_default() += 1;
        recorded.keys.entry(path).or_insert(Key { schema, is_required, range: None });
    }

    pub(super) fn bound(&self, path: &str, lowest: String, highest: String) {
        if let Some(key) = self.0.borrow_mut().keys.get_mut(&without_numbers(path)) {
            key.range = Some((lowest, highest));
        }
    }

    pub(super) fn table_of_array(&self, path: &str) {
        *self.0.borrow_mut().tables.entry(without_numbers(path)).or_default() += 1;
    }

    pub(super) fn keys(self) -> Keys {
        let Recorded { mut keys, asked, tables } = self.0.take();
        for (path, key) in &mut keys {
            // A key that only some tables of an array have is not required.
            let array = path.rfind("[]").map(|end| &path[..end + 2]);
            let tables = array.and_then(|array| tables.get(array));
            key.is_required &= tables.is_none_or(|tables| asked.get(path) == Some(tables));
            // A schema can express ranges of numbers only; durations and sizes are strings.
            if let Some((lowest, highest)) = &key.range
                && let (Ok(lowest), Ok(highest)) = (lowest.parse::<u64>(), highest.parse::<u64>())
            {
                key.schema["minimum"] = lowest.into();
                key.schema["maximum"] = highest.into();
            }
        }
        keys
    }
}

/// `brand[3].words` -> `brand[].words`.
fn without_numbers(path: &str) -> String {
    let mut parts = path.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| path + "[" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}
