//! Reads fields out of JSON objects. Whatever is amiss becomes a rejection with the field's path.
//!
//! A field that is `null` counts as absent: many producers write one for the other.

use std::fmt;

use serde_json::{Map, Value};

use crate::domain::{Rejection, RejectionReason};

/// The largest whole number that every JSON implementation keeps exactly, 2^53 - 1.
const LARGEST_EXACT: u64 = (1 << 53) - 1;

/// A JSON object and where it stands in the payload.
#[derive(Debug)]
pub(super) struct Object<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// The payload itself.
    pub(super) fn root(value: &'a Value) -> Result<Self, Rejection> {
        match value {
            Value::Object(map) => Ok(Self { path: String::new(), map }),
            other => Err(shape(format_args!("the payload is {}, not an object", kind_of(other)))),
        }
    }

    /// A field that has the right shape and a value out of its range.
    pub(super) fn wrong_value(&self, key: &str, problem: impl fmt::Display) -> Rejection {
        Rejection::new(RejectionReason::Value, format!("`{}` {problem}", self.path_of(key)))
    }

    /// The text of a field.
    pub(super) fn text(&self, key: &str) -> Result<&'a str, Rejection> {
        self.optional_text(key)?.ok_or_else(|| self.missing(key))
    }

    /// The text of a field that may be absent.
    pub(super) fn optional_text(&self, key: &str) -> Result<Option<&'a str>, Rejection> {
        match self.present(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.misshapen(key, other, "a text")),
        }
    }

    /// The object below a field.
    pub(super) fn object(&self, key: &str) -> Result<Object<'a>, Rejection> {
        self.optional_object(key)?.ok_or_else(|| self.missing(key))
    }

    /// The object below a field that may be absent.
    pub(super) fn optional_object(&self, key: &str) -> Result<Option<Object<'a>>, Rejection> {
        match self.present(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Object { path: self.path_of(key), map })),
            Some(other) => Err(self.misshapen(key, other, "an object")),
        }
    }

    /// The objects in the array of a field; none where it is absent.
    pub(super) fn objects(&self, key: &str) -> Result<Vec<Object<'a>>, Rejection> {
        let as_object = |(index, item): (usize, &'a Value)| match item {
            Value::Object(map) => Ok(Object { path: format!("{}[{index}]", self.path_of(key)), map }),
            other => Err(self.misshapen(&format!("{key}[{index}]"), other, "an object")),
        };
        self.items(key)?.iter().enumerate().map(as_object).collect()
    }

    /// The texts in the array of a field; none where it is absent.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<&'a str>, Rejection> {
        let as_text = |(index, item): (usize, &'a Value)| match item {
            Value::String(text) => Ok(text.as_str()),
            other => Err(self.misshapen(&format!("{key}[{index}]"), other, "a text")),
        };
        self.items(key)?.iter().enumerate().map(as_text).collect()
    }

    /// The whole number of a field that may be absent, 0..=2^53 - 1. As in JSON Schema, `3.0` is
    /// a whole number.
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

    fn present(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn items(&self, key: &str) -> Result<&'a [Value], Rejection> {
        match self.present(key) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(self.misshapen(key, other, "an array")),
        }
    }

    fn missing(&self, key: &str) -> Rejection {
        shape(format_args!("`{}` is missing", self.path_of(key)))
    }

    fn misshapen(&self, key: &str, found: &Value, expected: &str) -> Rejection {
        shape(format_args!("`{}` is {}, not {expected}", self.path_of(key), kind_of(found)))
    }

    fn path_of(&self, key: &str) -> String {
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
