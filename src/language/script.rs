//! Scripts, and which of them a text is written in.

use super::prose::Prose;
use super::words::{Kind, Words};

/// A script, or several that are written together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Script {
    Latin,
    Cyrillic,
    Greek,
    Arabic,
    Devanagari,
    Han,
    Kana,
    Hangul,
    Hebrew,
    Bengali,
    Gurmukhi,
    Gujarati,
    Oriya,
    Tamil,
    Telugu,
    Kannada,
    Malayalam,
    Sinhala,
    Thai,
    Lao,
    Tibetan,
    Burmese,
    Georgian,
    Armenian,
    Ethiopic,
    Khmer,
    Thaana,
    Tifinagh,
    Mongolian,
    Cherokee,
    Syllabics,
}

/// Where the letters of scripts are, in order.
const RANGES: &[(u32, u32, Script)] = &[
    (0x41, 0x24F, Script::Latin),
    (0x250, 0x2AF, Script::Latin),
    (0x370, 0x3FF, Script::Greek),
    (0x400, 0x52F, Script::Cyrillic),
    (0x530, 0x58F, Script::Armenian),
    (0x590, 0x5FF, Script::Hebrew),
    (0x600, 0x6FF, Script::Arabic),
    (0x750, 0x77F, Script::Arabic),
    (0x780, 0x7BF, Script::Thaana),
    (0x8A0, 0x8FF, Script::Arabic),
    (0x900, 0x97F, Script::Devanagari),
    (0x980, 0x9FF, Script::Bengali),
    (0xA00, 0xA7F, Script::Gurmukhi),
    (0xA80, 0xAFF, Script::Gujarati),
    (0xB00, 0xB7F, Script::Oriya),
    (0xB80, 0xBFF, Script::Tamil),
    (0xC00, 0xC7F, Script::Telugu),
    (0xC80, 0xCFF, Script::Kannada),
    (0xD00, 0xD7F, Script::Malayalam),
    (0xD80, 0xDFF, Script::Sinhala),
    (0xE00, 0xE7F, Script::Thai),
    (0xE80, 0xEFF, Script::Lao),
    (0xF00, 0xFFF, Script::Tibetan),
    (0x1000, 0x109F, Script::Burmese),
    (0x10A0, 0x10FF, Script::Georgian),
    (0x1100, 0x11FF, Script::Hangul),
    (0x1200, 0x139F, Script::Ethiopic),
    (0x13A0, 0x13FF, Script::Cherokee),
    (0x1400, 0x167F, Script::Syllabics),
    (0x1780, 0x17FF, Script::Khmer),
    (0x1800, 0x18AF, Script::Mongolian),
    (0x1C80, 0x1C8F, Script::Cyrillic),
    (0x1C90, 0x1CBF, Script::Georgian),
    (0x1E00, 0x1EFF, Script::Latin),
    (0x1F00, 0x1FFF, Script::Greek),
    (0x2D00, 0x2D2F, Script::Georgian),
    (0x2D30, 0x2D7F, Script::Tifinagh),
    (0x3005, 0x3007, Script::Han),
    (0x3040, 0x30FF, Script::Kana),
    (0x3100, 0x312F, Script::Han),
    (0x3130, 0x318F, Script::Hangul),
    (0x31F0, 0x31FF, Script::Kana),
    (0x3400, 0x9FFF, Script::Han),
    (0xAB70, 0xABBF, Script::Cherokee),
    (0xAC00, 0xD7FF, Script::Hangul),
    (0xF900, 0xFAFF, Script::Han),
    (0xFB50, 0xFDFF, Script::Arabic),
    (0xFE70, 0xFEFF, Script::Arabic),
    (0xFF66, 0xFF9D, Script::Kana),
    (0xFFA0, 0xFFDC, Script::Hangul),
    (0x20000, 0x323AF, Script::Han),
];

/// Letters of Latin words weigh this much beside those of other scripts: their texts name brands and
/// products in Latin letters, and not the other way round.
const LATIN: f32 = 0.7;
/// What a common word of a language in Latin letters weighs, as letters do.
const COMMON_WORD: f32 = 8.0;

/// How many letters of each script a text has.
pub(super) struct Census(Vec<(Script, usize)>);

impl Script {
    /// The script of a letter.
    fn of(letter: char) -> Option<Self> {
        let code = letter as u32;
        let index = RANGES.partition_point(|(_, last, _)| *last < code);
        RANGES.get(index).filter(|(first, _, _)| *first <= code).map(|(_, _, script)| *script)
    }

    /// How many Latin letters tell as much as one of its.
    fn weight(self) -> f32 {
        match self {
            Self::Han | Self::Kana | Self::Hangul => 2.5,
            _ => 1.0,
        }
    }
}

impl Census {
    pub(super) fn of(prose: &Prose) -> Self {
        let mut counts: Vec<(Script, usize)> = Vec::new();
        for script in prose.text.chars().filter(|letter| letter.is_alphabetic()).filter_map(Script::of) {
            match counts.iter_mut().find(|(counted, _)| *counted == script) {
                Some((_, count)) => *count += 1,
                None => counts.push((script, 1)),
            }
        }
        Self(counts)
    }

    pub(super) fn count(&self, script: Script) -> usize {
        self.0.iter().find(|(counted, _)| *counted == script).map_or(0, |(_, count)| *count)
    }

    /// The script that the words are written in; none without letters.
    pub(super) fn main(&self, prose: &Prose, words: &Words) -> Option<Script> {
        let weight = |(script, count): (Script, usize)| {
            #[expect(clippy::cast_precision_loss, reason = "a text has at most some thousand letters")]
            let letters = count as f32;
            letters * script.weight()
        };
        let others = self.0.iter().copied().filter(|(script, _)| *script != Script::Latin);
        let Some(other) = others.max_by(|a, b| weight(*a).total_cmp(&weight(*b))) else {
            return self.0.first().map(|(script, _)| *script);
        };
        let latin: f32 = prose.words().zip(&words.kinds).map(|(word, kind)| latin_weight(word, *kind)).sum();
        Some(if weight(other) >= LATIN * latin { other.0 } else { Script::Latin })
    }
}

/// A word with a capital may be a name, and so may one that no table knows.
fn latin_weight(word: &str, kind: Kind) -> f32 {
    if word.chars().next().and_then(Script::of) != Some(Script::Latin) {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "a text has at most some thousand letters")]
    let letters = word.len() as f32;
    match kind {
        _ if word.contains(char::is_uppercase) => 0.3 * letters,
        Kind::Common => COMMON_WORD,
        Kind::Rarer => letters,
        Kind::Unknown => 0.5 * letters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_in_order_and_letters_are_found() {
        assert!(RANGES.windows(2).all(|pair| pair[0].1 < pair[1].0));
        assert!(RANGES.iter().all(|(first, last, _)| first <= last));
        for (letter, script) in [
            ('a', Script::Latin),
            ('ß', Script::Latin),
            ('ệ', Script::Latin),
            ('ж', Script::Cyrillic),
            ('が', Script::Kana),
            ('ｶ', Script::Kana),
            ('高', Script::Han),
            ('한', Script::Hangul),
            ('ے', Script::Arabic),
            ('ळ', Script::Devanagari),
        ] {
            assert_eq!(Script::of(letter), Some(script), "{letter}");
        }
        assert_eq!(Script::of('！'), None);
    }
}
