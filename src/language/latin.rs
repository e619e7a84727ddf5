//! Languages in Latin letters.

use std::sync::LazyLock;

use super::language;
use super::neighbours::is_written_otherwise;
use super::prose::Prose;
use super::words::Words;
use crate::domain::Language;

/// With fewer letters, `whichlang` is not asked.
const ENOUGH_LETTERS: usize = 10;
/// Up to this many letters its answer counts little, since it guesses; then more and more.
const GUESSES: f32 = 30.0;
/// With so many letters more its answer counts in full.
const TO_SURE: f32 = 75.0;
/// With fewer letters, `whatlang` is asked for its opinion too.
const SURE_LETTERS: usize = 64;
/// A text with fewer letters hardly tells.
const FEW_LETTERS: usize = 16;

/// Points, beside those that words give.
const GUESS: f32 = 0.3;
const SURE: f32 = 5.0;
const SECOND_OPINION: f32 = 0.6;
/// With such a lead no second opinion is needed.
const CLEAR: f32 = 2.5;
/// Of a claim, where the text is short, and else.
const CLAIM_ON_FEW: f32 = 2.5;
const CLAIM: f32 = 1.5;
/// English that is claimed says little: it is what clients are set to.
const CLAIM_OF_ENGLISH: f32 = 0.3;
/// English has this lead. A single word of another language makes up for it where there is no more
/// than one besides, as in "danke" or "muchas gracias".
const ENGLISH: f32 = 1.1;
const ENGLISH_OF_TWO: f32 = 0.95;
/// A language that `whichlang` does not know, with this lead over the one that it names, is no
/// matter for it.
const UNKNOWN_LEAD: f32 = 5.0;
/// With so many points from words, a text is English for sure.
const SURELY_ENGLISH: f32 = 3.0;

/// Hindi's neighbours, which look the same in Latin letters.
const LIKE_HINDI: &[&str] = &["ur", "pa", "bho", "mr", "mai", "ne", "gu", "raj", "awa", "skr", "pnb"];

pub(super) fn language_of(prose: &Prose, words: &Words, claims: &[Language]) -> Language {
    let hindi = language("hi");
    let of_words = words;
    let is_english =
        of_words.points(Language::ENGLISH) >= SURELY_ENGLISH && of_words.best().0 == Language::ENGLISH;
    if claims.contains(&hindi) && (of_words.has_hindi() || !is_english) {
        return hindi;
    }
    let mut words = words.clone();
    ask_detectors(prose, &mut words);
    words.give(Language::ENGLISH, if words.kinds.len() > 2 { ENGLISH } else { ENGLISH_OF_TWO });
    let mut without_table = None;
    for claim in claims {
        let points = match claim {
            &Language::ENGLISH => CLAIM_OF_ENGLISH,
            _ if prose.letters < FEW_LETTERS => CLAIM_ON_FEW,
            _ => CLAIM,
        };
        if !words.give(*claim, points) {
            without_table = without_table.or(Some(*claim));
        }
    }
    let (best, points) = words.best();
    if claims.contains(&best) {
        return best;
    }
    match without_table {
        Some(claim) if best == hindi && LIKE_HINDI.contains(&claim.as_str()) => claim,
        // What is usually written in other letters is heard only where the text does not tell.
        Some(claim) if is_written_otherwise(claim) => {
            if prose.letters < FEW_LETTERS && points < CLAIM_ON_FEW { claim } else { best }
        }
        Some(claim) if !is_english => claim,
        _ => best,
    }
}

/// The languages that `whichlang` knows.
static KNOWN: LazyLock<Vec<Language>> =
    LazyLock::new(|| whichlang::LANGUAGES.iter().map(|known| language(known.three_letter_code())).collect());

/// `whichlang` is right on longer texts, and always answers with one of the languages that it knows.
fn ask_detectors(prose: &Prose, words: &mut Words) {
    if prose.letters < ENOUGH_LETTERS {
        return;
    }
    let code = whichlang::detect_language(&prose.text).three_letter_code();
    let named = language(code);
    let (best, lead) = words.best();
    let is_known = KNOWN.contains(&best);
    if best.as_str() == "hi" || !is_known && lead >= words.points(named) + UNKNOWN_LEAD {
        return;
    }
    #[expect(clippy::cast_precision_loss, reason = "a text has at most some thousand letters")]
    let sureness = ((prose.letters as f32 - GUESSES) / TO_SURE).clamp(0.0, 1.0);
    words.give(named, GUESS + SURE * sureness);
    if named != Language::ENGLISH
        && prose.letters < SURE_LETTERS
        && (words.points(named) - words.points(Language::ENGLISH)).abs() < CLEAR
        && let Some(other) = whatlang::Lang::from_code(code)
    {
        let either = whatlang::Detector::with_allowlist(vec![other, whatlang::Lang::Eng]);
        let agrees = either.detect_lang(&prose.text) == Some(other);
        words.give(named, if agrees { SECOND_OPINION } else { -SECOND_OPINION });
    }
}
