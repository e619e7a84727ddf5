//! Which language a text is in.
//!
//! The script comes first. Texts in Latin letters go to `whichlang`, which is right more often and
//! faster by far than others on posts, but always answers with one of sixteen languages. Other
//! scripts go to `whatlang`, which knows more of them. No crate knows Hindi in Latin letters, as it
//! is mostly posted, so that is told by its commonest words. What a post's client claims counts
//! where the text does not tell. docs/sentiment.md says it all, with what was measured.

use std::collections::HashSet;

use whatlang::{Lang, Script, detect_script};

use crate::domain::Language;

/// Fewer letters of a Latin text than this don't tell its language.
const ENOUGH_LETTERS: usize = 16;
/// With fewer than this, another language than English needs a claim or a second opinion.
const SURE_LETTERS: usize = 32;

/// The language of a text, whose post's client claims the language of this BCP 47 tag. `None` where
/// nothing tells it.
pub fn detect(text: &str, claimed: Option<&str>) -> Option<Language> {
    let words: Vec<&str> = text.split_whitespace().filter(|word| !is_address(word)).collect();
    let text = words.join(" ");
    let claimed = claimed.and_then(real);
    match detect_script(&text) {
        Some(Script::Latin) => Some(of_latin(&text, claimed)),
        Some(script) => of_script(&text, script, claimed),
        // Emoji, numbers: nothing speaks against English.
        None => Some(claimed.unwrap_or(Language::ENGLISH)),
    }
}

/// Names of users and links are in no language.
fn is_address(word: &str) -> bool {
    word.starts_with('@') || word.starts_with("www.") || word.contains("://")
}

fn of_latin(text: &str, claimed: Option<Language>) -> Language {
    if is_hindi(text) {
        return language("hi");
    }
    let letters = text.chars().filter(|character| character.is_alphabetic()).count();
    if letters < ENOUGH_LETTERS {
        return claimed.unwrap_or(Language::ENGLISH);
    }
    let code = whichlang::detect_language(text).three_letter_code();
    let mut detected = language(code);
    let is_sure = letters >= SURE_LETTERS || detected == Language::ENGLISH || claimed == Some(detected);
    if !is_sure && is_rather_english(text, code) {
        detected = Language::ENGLISH;
    }
    match claimed {
        // Its Latin form is unknown here, so nothing speaks against it.
        Some(claimed) if claimed.as_str() == "hi" => claimed,
        // A language that can't be detected. But many who write English have never set theirs.
        Some(claimed) if !can_be_detected(claimed) && detected != Language::ENGLISH => claimed,
        _ => detected,
    }
}

/// Whether `whatlang` takes a text for English rather than for the language of this code.
fn is_rather_english(text: &str, code: &str) -> bool {
    Lang::from_code(code).is_some_and(|other| {
        whatlang::Detector::with_allowlist(vec![other, Lang::Eng]).detect_lang(text) == Some(Lang::Eng)
    })
}

fn of_script(text: &str, script: Script, claimed: Option<Language>) -> Option<Language> {
    let found = whatlang::detect(text)?;
    let is_written_in_it = |claimed| script.langs().iter().any(|lang| language(lang.code()) == claimed);
    let main = match script {
        Script::Arabic => Lang::Ara,
        Script::Devanagari => Lang::Hin,
        _ => found.lang(),
    };
    match claimed {
        _ if found.is_reliable() => Some(language(found.lang().code())),
        Some(claimed) if is_written_in_it(claimed) => Some(claimed),
        _ => Some(language(main.code())),
    }
}

/// Whether Latin texts are told apart from others by knowing this language.
fn can_be_detected(claimed: Language) -> bool {
    whichlang::LANGUAGES.iter().any(|known| language(known.three_letter_code()) == claimed)
}

/// A tag's language, if there is such a language.
fn real(tag: &str) -> Option<Language> {
    let claimed: Language = tag.parse().ok()?;
    let known = isolang::Language::from_639_1(claimed.as_str())
        .or_else(|| isolang::Language::from_639_3(claimed.as_str()))?;
    let is_one = !matches!(known.to_639_3(), "und" | "zxx" | "mul" | "mis");
    is_one.then(|| language(known.to_639_3()))
}

/// A language by its code of ISO 639-3, as posts name it: by two letters where there are two.
fn language(code: &str) -> Language {
    let short = match code {
        // Of these, the codes of two letters stand for the macrolanguage.
        "cmn" => Some("zh"),
        "pes" => Some("fa"),
        _ => isolang::Language::from_639_3(code).and_then(|known| known.to_639_1()),
    };
    short.unwrap_or(code).parse().expect("a code of ISO 639 is two or three letters")
}

/// Words of Hindi in Latin letters that the other languages told apart here don't have.
const HINDI_WORDS: &[&str] = &[
    "aaj", "aap", "aapka", "aapke", "aapki", "aapko", "aapne", "aata", "abhi", "accha", "achha", "agar",
    "aisa", "apka", "apki", "apko", "apna", "apne", "apni", "baad", "bahut", "bhai", "bhi", "bohot",
    "chahiye", "dekh", "dekho", "diya", "gaya", "gayi", "ghar", "gya", "gye", "hain", "hamara", "hamare",
    "hoga", "hogi", "hota", "hoti", "hua", "humko", "iska", "iski", "itna", "jaise", "jaldi", "kabhi",
    "kaha", "kahan", "karega", "karke", "karna", "karne", "karo", "khud", "kisi", "kitne", "kiya", "koi",
    "krna", "krne", "krte", "kuch", "kya", "kyu", "kyun", "kyunki", "lagta", "lekin", "liya", "liye", "mera",
    "mere", "meri", "mujhe", "mujhko", "nahi", "nahin", "nhi", "pehle", "phir", "raha", "rahe", "rahi",
    "rha", "rhe", "saath", "sabse", "sakta", "sakte", "sirf", "soch", "tarah", "thodi", "toh", "tujhe",
    "tumhe", "unka", "unke", "uska", "uske", "usko", "usse", "wapas", "yaad", "yaar", "yahi",
];
/// Words that one of them may have, too; two different ones tell.
const ALSO_HINDI_WORDS: &[&str] = &[
    "aur", "baar", "baat", "ek", "hai", "hote", "hum", "jab", "ji", "ka", "kaam", "kab", "kaise", "kar",
    "ke", "ki", "ko", "kr", "maine", "naam", "pata", "sab", "sahi", "sath", "tera", "tere", "teri", "tha",
    "thi", "tum", "vo", "woh", "ye", "yeh",
];

fn is_hindi(text: &str) -> bool {
    let mut found = HashSet::new();
    text.split(|character: char| !character.is_alphabetic()).any(|word| {
        // None of the words is longer.
        if !(2..=8).contains(&word.len()) {
            return false;
        }
        let word = word.to_ascii_lowercase();
        if HINDI_WORDS.binary_search(&word.as_str()).is_ok() {
            return true;
        }
        ALSO_HINDI_WORDS.binary_search(&word.as_str()).is_ok_and(|place| {
            found.insert(place);
            found.len() == 2
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn detected(text: &str, claimed: Option<&str>) -> String {
        detect(text, claimed).map(|language| language.to_string()).unwrap_or_default()
    }

    #[test]
    fn sentences_are_told_apart() {
        for (text, code) in [
            ("The new update broke everything and support never answers", "en"),
            ("Das neue Update ist leider völlig unbrauchbar, schade", "de"),
            ("Je ne comprends pas pourquoi l'application plante tout le temps", "fr"),
            ("La nueva versión funciona de maravilla, muchas gracias", "es"),
            ("L'aggiornamento è fantastico, finalmente funziona tutto bene", "it"),
            ("Não consigo entrar na minha conta, alguém mais com esse problema?", "pt"),
            ("الخدمة سيئة جدا ولا أحد يرد على الهاتف", "ar"),
            ("यह फोन बहुत अच्छा है और बैटरी भी", "hi"),
            ("bhai ye phone bahut accha hai, maza aa gaya", "hi"),
            ("isse pehle ka update theek tha, kyun badla", "hi"),
            ("De nieuwe versie werkt helemaal niet meer, wat jammer", "nl"),
            ("今日はとても良い天気ですね", "ja"),
            ("这个手机很好用", "zh"),
            ("서비스가 정말 마음에 들어요", "ko"),
            ("Новая версия работает просто отлично, спасибо", "ru"),
            ("Τι ωραία μέρα", "el"),
            ("VMware Horizon rocks!", "en"),
            ("Das ist wirklich super", "de"),
            ("สินค้าดีมาก", "th"),
        ] {
            assert_eq!(detected(text, None), code, "{text}");
            assert_eq!(detected(&format!("@somebody {text} https://example.com/eine-seite"), None), code);
        }
    }

    #[test]
    fn what_does_not_tell_is_what_is_claimed_or_english() {
        for text in
            ["fine", "VMware rocks!", "lol", "👍👍", "", "2026", "@jemand https://beispiel.de/alles-gute"]
        {
            assert_eq!(detected(text, None), "en", "{text}");
            assert_eq!(detected(text, Some("de-at")), "de", "{text}");
            assert_eq!(detected(text, Some("und")), "en", "{text}");
            assert_eq!(detected(text, Some("xq")), "en", "no language has that code");
        }
    }

    #[test]
    fn a_claim_counts_where_the_text_does_not_tell() {
        let polish = "Ten telefon jest naprawdę świetny, polecam wszystkim";
        assert_eq!(detected(polish, Some("pl")), "pl");
        let english = "The new update broke everything and support never answers";
        for wrong in ["pl", "de", "ja", "und"] {
            assert_eq!(detected(english, Some(wrong)), "en", "{wrong}");
        }
        assert_eq!(detected("match dekhne chalte hain kal", Some("hi")), "hi");
        assert_eq!(detected("این گوشی خیلی خوب است", Some("fa")), "fa");
        assert_eq!(detected("این", Some("pes")), "fa");
    }

    #[test]
    fn the_words_are_in_order() {
        for words in [HINDI_WORDS, ALSO_HINDI_WORDS] {
            assert!(words.is_sorted() && words.iter().all(|word| (2..=8).contains(&word.len())));
        }
    }

    proptest! {
        #[test]
        fn any_text_and_claim_get_an_answer_without_a_panic(text in ".{0,60}", claimed in "[a-z]{2,3}") {
            detect(&text, Some(&claimed));
            detect(&text, None);
        }
    }
}
