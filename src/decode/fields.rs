//! Reads fields of JSON objects. Every error is a rejection that names the field's path.
//!
//! A field that is `null` counts as absent, because many producers write `null` for absent fields.
//! A part that a post can do without is read through [`Object::optional`] or one of the lists: what
//! can't be read of it is left out and noted.

use std::fmt;

use serde_json::{Map, Value};

use super::notes::{Notes, Repair};
use crate::domain::{Rejection, RejectionReason};

/// The largest integer that every JSON implementation represents exactly, 2^53 - 1.
const LARGEST_EXACT: u64 = (1 << 53) - 1;

/// A JSON object and its path in the payload.
#[derive(Debug)]
pub(super) struct Object<'a> {
    path: String,
    map: &'a Map<String, Value>,
    notes: &'a Notes,
}

impl<'a> Object<'a> {
    /// The payload as an object.
    pub(super) fn root(value: &'a Value, notes: &'a Notes) -> Result<Self, Rejection> {
        Self::at("", value, notes)
    }

    /// A value as an object at a path.
    pub(super) fn at(path: &str, value: &'a Value, notes: &'a Notes) -> Result<Self, Rejection> {
        match value {
            Value::Object(map) => Ok(Self { path: path.to_owned(), map, notes }),
            other => {
                let what = if path.is_empty() { "the payload".to_owned() } else { format!("`{path}`") };
                Err(shape(format_args!("{what} is {}, not an object", kind_of(other))))
            }
        }
    }

    /// The rejection of a field that has the right type and an invalid value.
    pub(super) fn wrong_value(&self, key: &str, problem: impl fmt::Display) -> Rejection {
        Rejection::new(RejectionReason::Value, format!("`{}` {problem}", self.path_of(key)))
    }

    /// Notes that something was left out or mended.
    pub(super) fn note(&self, repair: Repair) {
        self.notes.note(repair);
    }

    /// What was read of a part that the post can do without; nothing where it can't be read.
    pub(super) fn optional<T: Default>(&self, part: Repair, read: Result<T, Rejection>) -> T {
        self.notes.or_left_out(part, read)
    }

    /// The string in a required field.
    pub(super) fn text(&self, key: &str) -> Result<&'a str, Rejection> {
        self.optional_text(key)?.ok_or_else(|| self.missing(key))
    }

    /// The string in an optional field.
    pub(super) fn optional_text(&self, key: &str) -> Result<Option<&'a str>, Rejection> {
        match self.present(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.misshapen(key, other, "a text")),
        }
    }

    /// The object in a required field.
    pub(super) fn object(&self, key: &str) -> Result<Object<'a>, Rejection> {
        self.optional_object(key)?.ok_or_else(|| self.missing(key))
    }

    /// The object in an optional field.
    pub(super) fn optional_object(&self, key: &str) -> Result<Option<Object<'a>>, Rejection> {
        match self.present(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Object { path: self.path_of(key), map, notes: self.notes })),
            Some(other) => Err(self.misshapen(key, other, "an object")),
        }
    }

    /// The objects in an array field; what is none is left out.
    pub(super) fn objects(&self, key: &str, part: Repair) -> Vec<Object<'a>> {
        let object = |(index, item): (usize, &'a Value)| {
            let Value::Object(map) = item else {
                self.note(part);
                return None;
            };
            Some(Object { path: format!("{}[{index}]", self.path_of(key)), map, notes: self.notes })
        };
        self.items(key, part).iter().enumerate().filter_map(object).collect()
    }

    /// Each item of an array field, to be taken or rejected by itself.
    pub(super) fn each(&self, key: &str) -> Vec<Result<Object<'a>, Rejection>> {
        let at = |index| format!("{}[{index}]", self.path_of(key));
        let items = self.items(key, Repair::Attachment).iter().enumerate();
        items.map(|(index, item)| Object::at(&at(index), item, self.notes)).collect()
    }

    /// The strings in an array field, or one alone; what is none is left out.
    pub(super) fn texts(&self, key: &str, part: Repair) -> Vec<&'a str> {
        if let Some(Value::String(text)) = self.present(key) {
            return vec![text];
        }
        let text = |item: &'a Value| {
            let text = item.as_str();
            if text.is_none() {
                self.note(part);
            }
            text
        };
        self.items(key, part).iter().filter_map(text).collect()
    }

    /// The boolean in an optional field.
    pub(super) fn optional_flag(&self, key: &str) -> Result<Option<bool>, Rejection> {
        match self.present(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.misshapen(key, other, "true or false")),
        }
    }

    /// The integer in an optional field, 0..=2^53 - 1. As in JSON Schema, `3.0` is an integer.
    pub(super) fn optional_whole(&self, key: &str) -> Result<Option<u64>, Rejection> {
        let number = match self.present(key) {
            None => return Ok(None),
            Some(Value::Number(number)) => number,
            Some(other) => return Err(self.misshapen(key, other, "a whole number")),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be whole and in range"
        )]
        #[expect(clippy::cast_precision_loss, reason = "the limit is exact")]
        let from_float = |float: f64| {
            (float.fract() == 0.0 && (0.0..=LARGEST_EXACT as f64).contains(&float)).then_some(float as u64)
        };
        let whole = number.as_u64().or_else(|| number.as_f64().and_then(from_float));
        whole.filter(|whole| *whole <= LARGEST_EXACT).map(Some).ok_or_else(|| {
            self.wrong_value(key, format_args!("is {number}, not a whole number from 0 to {LARGEST_EXACT}"))
        })
    }

    /// The value of a field of any kind.
    pub(super) fn present(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// The items of an array field; none, and a note, where it is no array.
    pub(super) fn items(&self, key: &str, part: Repair) -> &'a [Value] {
        match self.present(key) {
            None => &[],
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.note(part);
                &[]
            }
        }
    }

    pub(super) fn missing(&self, key: &str) -> Rejection {
        shape(format_args!("`{}` is missing", self.path_of(key)))
    }

    fn misshapen(&self, key: &str, found: &Value, expected: &str) -> Rejection {
        shape(format_args!("`{}` is {}, not {expected}", self.path_of(key), kind_of(found)))
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

fn shape(detail: fmt::Arguments<'_>) -> Rejection {
    Rejection::new(RejectionReason::Shape, detail.to_string())
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
