//! What single characters become.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Stands behind a digit, `#` or `*` and makes a picture of a key of it.
pub(super) const KEYCAP: char = '\u{20E3}';

/// Whether nobody sees a character: it has no width, no ink and no meaning for words.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// The stroke that makes Arabic words wider.
pub(super) const TATWEEL: char = '\u{640}';

/// Whether a character belongs to the one before it: combining marks, the voicing marks of half-width
/// kana, and the vowels and finals of Hangul that is written letter by letter.
pub(crate) fn continues(c: char) -> bool {
    !c.is_ascii()
        && (matches!(c, '\u{FF9E}'..='\u{FFDC}' | '\u{1160}'..='\u{11FF}' | '\u{D7B0}'..='\u{D7FB}')
            || is_combining_mark(c))
}

/// Whether folding leaves a character as it is if no mark follows: the most common ones of scripts without
/// case.
pub(super) fn is_itself(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FC}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}')
}

/// Writes a character and its marks, decomposed and folded.
pub(super) fn fold_into(piece: &[char], any_case: bool, out: &mut String) {
    for &c in piece {
        if keeps_its_form(c) {
            out.push(c);
        } else if let Some(plain) = punctuation(c) {
            out.push(plain);
        } else {
            decompose_compatible(c, |part| fold_part(part, any_case, out));
        }
    }
}

fn fold_part(c: char, any_case: bool, out: &mut String) {
    if is_arabic_mark(c) || c == TATWEEL || is_invisible(c) {
        return;
    }
    let c = punctuation(c).unwrap_or_else(|| arabic_letter(c));
    if c.is_whitespace() {
        out.push(' ');
        return;
    }
    if !any_case {
        out.push(c);
        return;
    }
    // There and back, since some letters have only one of both, and some two of one.
    for upper in c.to_lowercase().flat_map(char::to_uppercase) {
        for lower in upper.to_lowercase() {
            // The Turkish dotted i in lower case, be it one character or two.
            if !(lower == '\u{307}' && out.ends_with('i')) {
                out.push(lower);
            }
        }
    }
}

/// Signs that NFKC would make letters or digits of, though to readers they are none, and accents that stand
/// alone.
fn keeps_its_form(c: char) -> bool {
    matches!(c,
        '™' | '℠' | '®' | '©' | '¨' | '¯' | '¸' | '˘'..='˝' | '¹' | '²' | '³' | '⁰' | '⁴'..='⁹' | '\u{37A}'
        | '\u{384}' | '\u{385}' | '\u{1FBD}'..='\u{1FC1}' | '\u{1FCD}'..='\u{1FCF}' | '\u{1FDD}'..='\u{1FDF}'
        | '\u{1FED}' | '\u{1FEE}' | '\u{1FFE}' | '\u{203E}' | '\u{309B}' | '\u{309C}'
        // Numbers in circles, in brackets and with a full stop.
        | '\u{2460}'..='\u{249B}' | '\u{24EA}' | '\u{3251}'..='\u{325F}' | '\u{32B1}'..='\u{32BF}'
        | '\u{1F100}'..='\u{1F10A}')
}

/// The plain form of an apostrophe, a hyphen or a dash.
fn punctuation(c: char) -> Option<char> {
    match c {
        '`' | '´' | '\u{2BB}' | '\u{2BC}' | '\u{2BD}' | '\u{2B9}' | '\u{2C8}' | '\u{2CA}' | '\u{2CB}'
        | '\u{374}' | '\u{55A}' | '\u{5F3}' | '\u{1FEF}' | '\u{1FFD}' | '\u{2018}' | '\u{2019}'
        | '\u{201B}' | '\u{2032}' | '\u{2035}' | '\u{FF07}' | '\u{FF40}' => Some('\''),
        '\u{58A}'
        | '\u{5BE}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{2212}'
        | '\u{FE58}'
        | '\u{FE63}'
        | '\u{FF0D}'
        | '\u{FE31}'
        | '\u{FE32}' => Some('-'),
        _ => None,
    }
}

/// Short vowels, doubling, and the hamza and madda above and below letters.
fn is_arabic_mark(c: char) -> bool {
    matches!(c, '\u{610}'..='\u{61A}' | '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{6D6}'..='\u{6DC}' | '\u{6DF}'..='\u{6E4}' | '\u{6E7}' | '\u{6E8}' | '\u{6EA}'..='\u{6ED}')
}

/// The everyday letters that are written one for the other.
fn arabic_letter(c: char) -> char {
    match c {
        // Alef wasla; alef with hamza or madda lose them as marks.
        '\u{671}' => '\u{627}',
        // Teh marbuta and the Persian and Urdu heh -> heh.
        '\u{629}' | '\u{6C1}' | '\u{6C3}' | '\u{6D5}' => '\u{647}',
        // Alef maksura and the Persian yeh -> yeh.
        '\u{649}' | '\u{6CC}' => '\u{64A}',
        // The Persian kaf -> kaf.
        '\u{6A9}' => '\u{643}',
        _ => c,
    }
}
