//! References to characters as HTML writes them: `&amp;`, `&#39;`, `&#x27;`, `&rsquo;`.

use std::borrow::Cow;

use quick_xml::escape::resolve_html5_entity;

/// The longest reference, `&CounterClockwiseContourIntegral;`.
const LONGEST: usize = 33;

/// What the numbers 128 to 159 mean: they are bytes of Windows-1252, as browsers take them.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// The text with its character references decoded, once: `&amp;lt;` becomes `&lt;`. What is no
/// reference stays as it is, and so does one without its semicolon.
pub fn unescape_html(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = reference(rest, &mut decoded).unwrap_or_else(|| {
            decoded.push('&');
            1
        });
        rest = &rest[length..];
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// Decodes the reference that a text begins with and returns its length.
fn reference(text: &str, decoded: &mut String) -> Option<usize> {
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let name = text.get(1..end)?;
    match name.strip_prefix('#') {
        Some(number) => decoded.push(numbered(number)?),
        None => decoded.push_str(resolve_html5_entity(name)?),
    }
    Some(end + 1)
}

/// The character with a number, decimal or after `x` hexadecimal; U+FFFD where there is none.
fn numbered(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let number = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    Some(match number {
        0 => char::REPLACEMENT_CHARACTER,
        128..=159 => WINDOWS_1252[number as usize - 128],
        _ => char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_once_and_nothing_else_changes() {
        for (written, meant) in [
            ("AT&amp;T is down", "AT&T is down"),
            ("I &lt;3 this", "I <3 this"),
            ("Don&#39;t, can&#x27;t, isn&rsquo;t, won&#146;t", "Don't, can't, isn’t, won’t"),
            ("&amp;lt; &amp;amp;", "&lt; &amp;"),
            ("&#0;&#xD83D;&#99999999999;", "\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("AT&T; R&D &nosuch; & &; &#; &#x; &#12a; &amp", "AT&T; R&D &nosuch; & &; &#; &#x; &#12a; &amp"),
            ("&é;&#128;&hellip;", "&é;€…"),
        ] {
            assert_eq!(unescape_html(written), meant);
        }
        assert!(matches!(unescape_html("plain"), Cow::Borrowed("plain")));
        assert_eq!(unescape_html(&"&".repeat(100_000)).len(), 100_000);
    }
}
