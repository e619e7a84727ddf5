//! Which language a text is in.
//!
//! The words decide: names of brands, addresses and tags are taken out first. Then the script that
//! the words are written in, since a script has few languages. Between those of Latin letters decide
//! tables of common words and `whichlang`; between neighbours in one script the letters and words
//! that only one of them has. Claims count where they fit what is written. docs/sentiment.md has the
//! details.

mod latin;
mod neighbours;
mod prose;
mod script;
mod words;

use crate::domain::{Language, Span};
use prose::Prose;
use script::{Census, Script};
use words::Words;

/// The language of a text. `claimed` are the BCP 47 tags that the client of its post claims, and
/// `names` the places in it that name brands. `None` if the language can't be determined.
pub fn detect(text: &str, claimed: &[String], names: &[Span]) -> Option<Language> {
    let claims: Vec<Language> = claimed.iter().filter_map(|tag| real(tag)).collect();
    let prose = Prose::of(text, names);
    let census = Census::of(&prose);
    let words = Words::of(&prose);
    match census.main(&prose, &words) {
        None => Some(claims.first().copied().unwrap_or(Language::ENGLISH)),
        Some(Script::Latin) => Some(latin::language_of(&prose, &words, &claims)),
        Some(script) => neighbours::language_of(&prose, script, &census, &claims),
    }
}

/// The language of a tag, if it is the code of one language.
fn real(tag: &str) -> Option<Language> {
    let claimed: Language = tag.parse().ok()?;
    let known = isolang::Language::from_639_1(claimed.as_str())
        .or_else(|| isolang::Language::from_639_3(claimed.as_str()))?;
    let is_one = !matches!(known.to_639_3(), "und" | "zxx" | "mul" | "mis");
    is_one.then(|| language(known.to_639_3()))
}

/// The language of an ISO 639 code, as a two-letter code where there is one, as posts have it.
fn language(code: &str) -> Language {
    let short = match code {
        // ISO 639 has two-letter codes only for the macrolanguages of these.
        "cmn" => Some("zh"),
        "pes" => Some("fa"),
        _ => isolang::Language::from_639_3(code).and_then(|known| known.to_639_1()),
    };
    short.unwrap_or(code).parse().expect("a code of ISO 639 is two or three letters")
}

#[cfg(test)]
mod tests;
