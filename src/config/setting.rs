//! The kinds of values that settings have, and how each is written in TOML.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use toml::Value;

/// A kind of value that can be read from TOML.
pub trait Setting: Sized {
    /// What to write, in words that complete "is not …".
    const EXPECTED: &'static str;

    /// The value, or none if it is of another kind or out of range.
    fn read(value: &Value) -> Option<Self>;

    /// Stands in for a wrong value until the configuration is refused.
    fn placeholder() -> Self;
}

impl Setting for String {
    const EXPECTED: &'static str = "a text";
    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
    fn placeholder() -> Self {
        Self::new()
    }
}

impl Setting for bool {
    const EXPECTED: &'static str = "true or false";
    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
    fn placeholder() -> Self {
        false
    }
}

impl Setting for u32 {
    const EXPECTED: &'static str = "a whole number from 0 up";
    fn read(value: &Value) -> Option<Self> {
        value.as_integer()?.try_into().ok()
    }
    fn placeholder() -> Self {
        0
    }
}

impl Setting for NonZeroUsize {
    const EXPECTED: &'static str = "a whole number from 1 up";
    fn read(value: &Value) -> Option<Self> {
        usize::try_from(value.as_integer()?).ok().and_then(Self::new)
    }
    fn placeholder() -> Self {
        Self::MIN
    }
}

impl Setting for f64 {
    const EXPECTED: &'static str = "a number";
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
    const EXPECTED: &'static str = "a path";
    fn read(value: &Value) -> Option<Self> {
        value.as_str().filter(|text| !text.is_empty()).map(Self::from)
    }
    fn placeholder() -> Self {
        Self::new()
    }
}

impl Setting for SocketAddr {
    const EXPECTED: &'static str = "an address and port such as \"127.0.0.1:9464\"";
    fn read(value: &Value) -> Option<Self> {
        value.as_str()?.parse().ok()
    }
    fn placeholder() -> Self {
        Self::from(([127, 0, 0, 1], 0))
    }
}

impl Setting for Duration {
    const EXPECTED: &'static str = "a duration such as \"250ms\", \"30s\", \"10m\", \"12h\" or \"7d\"";
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

/// A number of bytes, written with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub usize);

impl Setting for Bytes {
    const EXPECTED: &'static str = "a size such as \"512KiB\" or \"8MiB\"";
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

impl<T: Setting> Setting for Vec<T> {
    const EXPECTED: &'static str = "an array of values of one kind, such as [\"a\", \"b\"]";
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
