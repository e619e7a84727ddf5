//! JSON as sources write it.
//!
//! What RFC 8259 allows is read at once. Only what that refuses is looked at again, and mended where
//! it can be without a guess: lone surrogates become U+FFFD, `NaN`, infinities and numbers that are
//! too large become `null`, raw control characters are escaped, and values nested more deeply than
//! any format needs become `null`. Of a key that comes twice the last value counts.

use serde_json::Value;

/// The deepest nesting that is kept in a record that is mended; the parser's own limit is 128.
const DEEPEST: usize = 100;

/// Reads a JSON value, and says whether it had to be mended. A byte order mark is passed over.
///
/// # Errors
/// It is not JSON even so, or not UTF-8.
pub fn read_json(bytes: &[u8]) -> Result<(Value, bool), serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let error = match serde_json::from_slice(bytes) {
        Ok(value) => return Ok((value, false)),
        Err(error) => error,
    };
    let mended = std::str::from_utf8(bytes).ok().and_then(mend).ok_or(error)?;
    serde_json::from_str(&mended).map(|value| (value, true))
}

/// The text with everything mended that can be; none where there is nothing to mend.
fn mend(text: &str) -> Option<String> {
    let mut scanner = Scanner { text, at: 0, mended: String::with_capacity(text.len()), repairs: 0 };
    scanner.run();
    (scanner.repairs > 0).then_some(scanner.mended)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    mended: String,
    repairs: usize,
}

impl<'a> Scanner<'a> {
    fn run(&mut self) {
        let mut depth = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.string(true),
                b'[' | b'{' if depth >= DEEPEST => self.skip_container(),
                b'[' | b'{' => {
                    depth += 1;
                    self.copy(1);
                }
                b']' | b'}' => {
                    depth = depth.saturating_sub(1);
                    self.copy(1);
                }
                b'-' | b'+' | b'0'..=b'9' | b'N' | b'I' => self.number(),
                _ => self.copy_char(),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Copies bytes that end at a character's border.
    fn copy(&mut self, bytes: usize) {
        let text = self.text;
        self.mended.push_str(&text[self.at..self.at + bytes]);
        self.at += bytes;
    }

    fn copy_char(&mut self) {
        self.copy(self.rest().chars().next().map_or(0, char::len_utf8));
    }

    fn replace(&mut self, bytes: usize, with: &str) {
        self.mended.push_str(with);
        self.at += bytes;
        self.repairs += 1;
    }

    /// Copies a string, or passes over it.
    fn string(&mut self, keep: bool) {
        let kept = self.mended.len();
        let repairs = self.repairs;
        self.copy(1);
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.copy(1);
                    break;
                }
                b'\\' => self.escape(),
                control if control < 0x20 => {
                    let escaped = format!("\\u{control:04x}");
                    self.replace(1, &escaped);
                }
                _ => {
                    let plain = |byte: &u8| *byte != b'"' && *byte != b'\\' && *byte >= 0x20;
                    let length = self.rest().bytes().take_while(plain).count();
                    self.copy(length);
                }
            }
        }
        if !keep {
            self.mended.truncate(kept);
            self.repairs = repairs;
        }
    }

    fn escape(&mut self) {
        match unit(self.rest()) {
            Some(0xD800..=0xDBFF) if matches!(self.rest().get(6..).and_then(unit), Some(0xDC00..=0xDFFF)) => {
                self.copy(12);
            }
            Some(0xD800..=0xDFFF) => self.replace(6, "\\uFFFD"),
            _ => {
                self.copy(1);
                self.copy_char();
            }
        }
    }

    fn number(&mut self) {
        let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = self.rest().bytes().take_while(token).count();
        let number = &self.rest()[..length];
        let is_none = ["NaN", "Infinity", "-Infinity"].contains(&number)
            || number.parse::<f64>().is_ok_and(f64::is_infinite);
        if is_none { self.replace(length, "null") } else { self.copy(length) }
    }

    /// Puts `null` in place of an array or object.
    fn skip_container(&mut self) {
        let mut depth = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string(false);
                    continue;
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            self.at += self.rest().chars().next().map_or(1, char::len_utf8);
            if depth == 0 {
                self.replace(0, "null");
                return;
            }
        }
    }
}

/// The UTF-16 unit that a text begins with as an escape.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value {
        let (value, mended) = read_json(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(mended, "{text}");
        value
    }

    #[test]
    fn what_sources_write_is_mended() {
        assert_eq!(
            read(r#"{"a": "x\ud83d y", "b": "\udc00", "c": "\ud83d\ude00"}"#),
            json!({"a": "x\u{FFFD} y", "b": "\u{FFFD}", "c": "😀"})
        );
        assert_eq!(read(r#"["\ud83d\ud83d\ude00", "\\ud83d"]"#), json!(["\u{FFFD}😀", "\\ud83d"]));
        assert_eq!(
            read(r#"{"a": NaN, "b": -Infinity, "c": 1e999, "d": -1.5e3}"#),
            json!({"a": null, "b": null, "c": null, "d": -1500.0})
        );
        assert_eq!(read("{\"a\": \"two\nlines\tand \u{1}\"}"), json!({"a": "two\nlines\tand \u{1}"}));
        let deep = |depth: usize| {
            format!("{{\"extra\": {}\"]\"{}, \"text\": \"x\"}}", "[".repeat(depth), "]".repeat(depth))
        };
        assert_eq!(read(&deep(200))["text"], "x");
        assert_eq!(read(&deep(100_000))["text"], "x");
        let twice = read_json(b"\xEF\xBB\xBF{\"a\": 1, \"a\": 2}\r\n").unwrap();
        assert_eq!(twice, (json!({"a": 2}), false));
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for text in [
            "",
            "{",
            "nonsense",
            "{\"a\": 1} more",
            "{'a': 1}",
            "\"\\ud83d",
            "[NaN",
            "[1,]",
            "\0\0\0\0\u{1}{}",
        ] {
            assert!(read_json(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read_json(b"{\"a\": \"\\ud83d\xFF\"}").is_err());
        assert!(read_json("[".repeat(1_000_000).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_mended_is_json_or_refused(text in r#"[\[\]{}":,\\ud83NaI0-9eE+.é\n -]{0,60}"#) {
            let _ = read_json(text.as_bytes());
        }
    }
}
