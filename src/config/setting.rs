//! The types of values that settings have, and how each is written in TOML.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value as Schema, json};
use toml::Value;

/// A type of value that can be read from TOML.
pub trait Setting: Sized {
    /// What to write, in words that complete "is not ...".
    const EXPECTED: &'static str;

    /// The value, or `None` if the TOML value has another type or can't be represented.
    fn read(value: &Value) -> Option<Self>;

    /// The JSON schema of what is written.
    fn schema() -> Schema;

    /// Replaces a wrong value, so that reading can go on and find further mistakes.
    fn placeholder() -> Self;
}

/// A type of value that a range can bound.
pub trait Bounded: Setting {
    /// What is compared.
    type Bound: PartialOrd + Copy;

    /// The value, to be compared.
    fn bound(&self) -> Self::Bound;

    /// A bound as it is written in the file, with its unit.
    fn written(bound: Self::Bound) -> String;
}

/// Whether a text has a control character that no editor shows, such as the carriage return that a
/// variable gets from a file of another system. Line breaks and tabs may be meant.
pub(super) fn has_stray_control(text: &str) -> bool {
    let text = text.replace("\r\n", "\n");
    text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\t'))
}

impl Setting for String {
    const EXPECTED: &'static str = "a string without control characters";
    fn schema() -> Schema {
        json!({"type": "string"})
    }
    fn read(value: &Value) -> Option<Self> {
        value.as_str().filter(|text| !has_stray_control(text)).map(str::to_owned)
    }
    fn placeholder() -> Self {
        Self::new()
    }
}

impl Setting for bool {
    const EXPECTED: &'static str = "true or false";
    fn schema() -> Schema {
        json!({"type": "boolean"})
    }
    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
    fn placeholder() -> Self {
        false
    }
}

impl Setting for u32 {
    const EXPECTED: &'static str = "a whole number from 0 up";
    fn schema() -> Schema {
        json!({"type": "integer", "minimum": 0})
    }
    fn read(value: &Value) -> Option<Self> {
        value.as_integer()?.try_into().ok()
    }
    fn placeholder() -> Self {
        0
    }
}

impl Bounded for u32 {
    type Bound = Self;
    fn bound(&self) -> Self {
        *self
    }
    fn written(bound: Self) -> String {
        bound.to_string()
    }
}

impl Setting for NonZeroUsize {
    const EXPECTED: &'static str = "a whole number from 1 up";
    fn schema() -> Schema {
        json!({"type": "integer", "minimum": 1})
    }
    fn read(value: &Value) -> Option<Self> {
        usize::try_from(value.as_integer()?).ok().and_then(Self::new)
    }
    fn placeholder() -> Self {
        Self::MIN
    }
}

impl Bounded for NonZeroUsize {
    type Bound = usize;
    fn bound(&self) -> usize {
        self.get()
    }
    fn written(bound: usize) -> String {
        bound.to_string()
    }
}

impl Setting for f64 {
    const EXPECTED: &'static str = "a number";
    fn schema() -> Schema {
        json!({"type": "number"})
    }
    fn read(value: &Value) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "settings are far below 2^52")]
        let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as Self))?;
        number.is_finite().then_some(number)
    }
    fn placeholder() -> Self {
        0.0
    }
}

impl Setting for PathBuf {
    const EXPECTED: &'static str = "a path without control characters";
    fn schema() -> Schema {
        json!({"type": "string", "minLength": 1})
    }
    fn read(value: &Value) -> Option<Self> {
        value.as_str().filter(|text| !text.is_empty() && !text.contains(char::is_control)).map(Self::from)
    }
    fn placeholder() -> Self {
        Self::new()
    }
}

impl Setting for SocketAddr {
    const EXPECTED: &'static str = "an address and port such as \"127.0.0.1:9464\"";
    fn schema() -> Schema {
        json!({"type": "string"})
    }
    fn read(value: &Value) -> Option<Self> {
        value.as_str()?.parse().ok()
    }
    fn placeholder() -> Self {
        Self::from(([127, 0, 0, 1], 0))
    }
}

impl Setting for Duration {
    const EXPECTED: &'static str = "a duration such as \"250ms\", \"30s\", \"10m\", \"12h\" or \"7d\"";
    fn schema() -> Schema {
        json!({"type": "string", "pattern": "^[0-9.]+ *(ms|s|m|h|d)$"})
    }
    fn read(value: &Value) -> Option<Self> {
        let (number, unit) = split_unit(value.as_str()?)?;
        let seconds = match unit {
            "ms" => number / 1000.0,
            "s" => number,
            "m" => number * 60.0,
            "h" => number * 3600.0,
            "d" => number * 86_400.0,
            _ => return None,
        };
        Self::try_from_secs_f64(seconds).ok()
    }
    fn placeholder() -> Self {
        Self::ZERO
    }
}

impl Bounded for Duration {
    type Bound = Self;
    fn bound(&self) -> Self {
        *self
    }
    fn written(bound: Self) -> String {
        let units = [
            ("d", 86_400_000_000_000),
            ("h", 3_600_000_000_000),
            ("m", 60_000_000_000),
            ("s", 1_000_000_000),
        ];
        match in_largest_unit(bound.as_nanos(), &units) {
            Some(text) => text,
            None => format!("{}ms", bound.as_secs_f64() * 1000.0),
        }
    }
}

/// A number of bytes, written with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub usize);

impl Setting for Bytes {
    const EXPECTED: &'static str = "a size such as \"512KiB\" or \"8MiB\"";
    fn schema() -> Schema {
        json!({"type": "string", "pattern": "^[0-9.]+ *(B|KiB|MiB|GiB)$"})
    }
    fn read(value: &Value) -> Option<Self> {
        let (number, unit) = split_unit(value.as_str()?)?;
        let factor = match unit {
            "B" => 1.0,
            "KiB" => 1024.0,
            "MiB" => 1024.0 * 1024.0,
            "GiB" => 1024.0 * 1024.0 * 1024.0,
            _ => return None,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
        (number >= 0.0 && number * factor < 2f64.powi(52)).then_some(Self((number * factor) as usize))
    }
    fn placeholder() -> Self {
        Self(0)
    }
}

impl Bounded for Bytes {
    type Bound = usize;
    fn bound(&self) -> usize {
        self.0
    }
    fn written(bound: usize) -> String {
        let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        in_largest_unit(bound as u128, &units).unwrap_or_else(|| format!("{bound}B"))
    }
}

impl<T: Setting> Setting for Vec<T> {
    const EXPECTED: &'static str = "an array of values of one type, such as [\"a\", \"b\"]";
    fn schema() -> Schema {
        json!({"type": "array", "items": T::schema()})
    }
    fn read(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::read).collect()
    }
    fn placeholder() -> Self {
        Self::new()
    }
}

fn split_unit(text: &str) -> Option<(f64, &str)> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    Some((number.trim().parse().ok()?, unit))
}

/// The number in the first unit that divides it.
fn in_largest_unit(number: u128, units: &[(&str, u128)]) -> Option<String> {
    let (unit, factor) = units.iter().find(|(_, factor)| number > 0 && number.is_multiple_of(*factor))?;
    Some(format!("{}{unit}", number / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_as_the_same() {
        for text in ["1ms", "1.5ms", "90s", "61m", "36h", "7d"] {
            let read = Duration::read(&Value::String(text.to_owned())).unwrap();
            assert_eq!(Duration::written(read), text);
        }
        for text in ["1B", "1025B", "3KiB", "1025MiB", "64GiB"] {
            let read = Bytes::read(&Value::String(text.to_owned())).unwrap();
            assert_eq!(Bytes::written(read.0), text);
        }
    }

    #[test]
    fn numbers_without_units_are_refused() {
        assert_eq!(Duration::read(&Value::Integer(5)), None);
        assert_eq!(Duration::read(&Value::String("5".to_owned())), None);
        assert_eq!(Bytes::read(&Value::String("5".to_owned())), None);
        assert_eq!(Bytes::read(&Value::String("5kB".to_owned())), None);
    }
}
