//! What the words and letters of a text say of its language, among those in Latin letters.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::language;
use super::prose::Prose;
use crate::domain::Language;

/// A line for each language: its code, and its most common words in lower case. `en+` are words that
/// are less common in English.
const WORDS: &str = include_str!("words.txt");
/// Letters that few languages have.
const LETTERS: &[(&str, &str)] = &[
    ("de", "ßäöü"),
    ("fr", "àâçèéêëîïôùûœ"),
    ("es", "áéíñóú"),
    ("it", "àèéìòù"),
    ("pt", "áâãçéêíóôõú"),
    ("nl", "ëï"),
    ("sv", "åäö"),
    ("da", "æøå"),
    ("no", "æøå"),
    ("fi", "äö"),
    ("pl", "ąćęłńóśźż"),
    ("cs", "áčďéěíňřšťúůýž"),
    ("sk", "áäčďéíľĺňóôŕšťúýž"),
    ("hu", "áéíóöőúüű"),
    ("ro", "ăâîșțşţ"),
    ("tr", "çğıöşü"),
    ("az", "əçğıöşü"),
    ("vi", "ăâđêôơưàáảãạèéẻẽẹìíỉĩịòóỏõọùúủũụỳýỷỹỵắằẳẵặấầẩẫậếềểễệốồổỗộớờởỡợứừửữự"),
    ("hr", "čćđšž"),
    ("ca", "àçèéíïòóúü"),
    ("et", "äõöü"),
    ("lv", "āčēģīķļņšūž"),
    ("lt", "ąčęėįšųūž"),
    ("sq", "çë"),
    ("gl", "áéíñóú"),
    ("is", "áðéíóúýþæö"),
];
/// Ends of longer words that the tables don't have.
const ENDS: &[(&str, &str)] = &[
    (
        "de",
        "ung ungen lich liche licher lichen liches keit heit schaft isch ische ischer isches ieren iert ierte chen zeug haft bar sam",
    ),
    (
        "fr",
        "eux euse ement ements aient ique iques ité eaux aux ois oise isme tion ette eur eurs elle és ées ée",
    ),
    ("es", "ción ciones dad mente ando iendo illo illa ísimo ado ada ados adas aron ería"),
    ("it", "zione zioni mente ità ando endo issimo issima iamo ato ata ati ate etto ezza aggio"),
    ("pt", "ção ções mente dade ando indo inho inha ado ada ados adas ista ões ável"),
    ("nl", "heid lijk lijke tje tjes ische ij"),
    ("sv", "ning ligt ande het heter arna erna"),
    ("fi", "nen sta stä ssa ssä lla llä lta minen tta ttä ää"),
    ("pl", "ość ych ego ów anie enie owy ować"),
    ("tr", "lar ler yor ları leri dır miş lik"),
    ("en", "ing ings ness ly ful less ed tion ment ity able ible ers ship ous ical"),
];

/// The points that things give, found on posts in eight languages.
const WORD: f32 = 1.0;
/// A word that came before.
const AGAIN: f32 = 0.5;
/// A word of `en+`.
const RARER: f32 = 0.6;
/// A word that only Hindi has. Such posts are half English, which has many more words in its table.
const HINDI: f32 = 6.0;
/// One of so many words.
const HINDI_PART: usize = 6;
const LETTER: f32 = 3.0;
/// A letter in a word with a capital, which may be a name: Nestlé, Beyoncé.
const LETTER_OF_NAME: f32 = 0.7;
const END: f32 = 0.6;
/// Points are divided by the number of languages to this power.
const SHARED: f32 = 0.2;
/// Ends of shorter words say little.
const SHORTEST_WITH_END: usize = 6;
/// Stands for `en+` among the languages' bits.
const RARER_BIT: u64 = 1 << 63;

/// How well a word is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Common,
    Rarer,
    Unknown,
}

/// What the words of a text say.
#[derive(Clone)]
pub(super) struct Words {
    /// Of each word.
    pub(super) kinds: Vec<Kind>,
    /// Of each language in the tables.
    points: Vec<f32>,
    /// How many different words Hindi has and English doesn't, and how many of them only Hindi has.
    hindi: (usize, usize),
}

struct Tables {
    languages: Vec<Language>,
    /// The languages that have it, a bit for each.
    words: HashMap<&'static str, u64>,
    letters: HashMap<char, u64>,
    ends: HashMap<&'static str, u64>,
    /// The bits of these two.
    english: u64,
    hindi: u64,
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::read);

impl Tables {
    fn read() -> Self {
        let mut tables = Self {
            languages: Vec::new(),
            words: HashMap::new(),
            letters: HashMap::new(),
            ends: HashMap::new(),
            english: 0,
            hindi: 0,
        };
        tables.english = tables.bit("en");
        tables.hindi = tables.bit("hi");
        for (code, words) in WORDS.lines().filter_map(|line| line.split_once(':')) {
            let bit = if code == "en+" { RARER_BIT } else { tables.bit(code) };
            for word in words.split_whitespace() {
                *tables.words.entry(word).or_default() |= bit;
            }
        }
        for (code, ends) in ENDS {
            let bit = tables.bit(code);
            for end in ends.split(' ') {
                *tables.ends.entry(end).or_default() |= bit;
            }
        }
        for (code, letters) in LETTERS {
            let bit = tables.bit(code);
            for letter in letters.chars() {
                *tables.letters.entry(letter).or_default() |= bit;
            }
        }
        tables
    }

    fn index(&self, language: Language) -> Option<usize> {
        self.languages.iter().position(|known| *known == language)
    }

    fn bit(&mut self, code: &str) -> u64 {
        let language = language(code);
        let index = self.index(language).unwrap_or_else(|| {
            self.languages.push(language);
            self.languages.len() - 1
        });
        1 << index
    }

    /// The languages of the longest end of a word, in lower case, that is listed.
    fn end(&self, word: &str) -> Option<u64> {
        let letters = word.chars().count();
        if letters < SHORTEST_WITH_END {
            return None;
        }
        let mut starts = word.char_indices().map(|(start, _)| start).skip(letters.saturating_sub(6).max(3));
        starts.find_map(|start| self.ends.get(&word[start..])).copied()
    }
}

impl Words {
    pub(super) fn of(prose: &Prose) -> Self {
        let tables = &*TABLES;
        let mut found = Self { kinds: Vec::new(), points: vec![0.0; tables.languages.len()], hindi: (0, 0) };
        let mut seen: Vec<&str> = Vec::new();
        let mut letters_seen: Vec<char> = Vec::new();
        let mut lower = String::new();
        for word in prose.words() {
            lower.clear();
            lower.extend(word.chars().flat_map(char::to_lowercase));
            let known = tables.words.get_key_value(lower.as_str());
            found.kinds.push(match known {
                Some((_, &RARER_BIT)) => Kind::Rarer,
                Some(_) => Kind::Common,
                None => Kind::Unknown,
            });
            if let Some((&word, &languages)) = known {
                let is_new = !seen.contains(&word);
                let points = if is_new { WORD } else { AGAIN };
                if is_new {
                    seen.push(word);
                    let is_english = languages & (tables.english | RARER_BIT) != 0;
                    found.hindi.0 += usize::from(languages & tables.hindi != 0 && !is_english);
                    found.hindi.1 += usize::from(languages == tables.hindi);
                }
                found.add(languages, if languages == tables.hindi { points * HINDI } else { points });
            } else if let Some(languages) = tables.end(&lower) {
                found.add(languages, END);
            }
            if lower.is_ascii() {
                continue;
            }
            let is_name = word.starts_with(char::is_uppercase);
            for letter in lower.chars() {
                if let Some(&languages) = tables.letters.get(&letter)
                    && !letters_seen.contains(&letter)
                {
                    letters_seen.push(letter);
                    found.add(languages, if is_name { LETTER_OF_NAME } else { LETTER });
                }
            }
        }
        found
    }

    fn add(&mut self, languages: u64, points: f32) {
        #[expect(clippy::cast_precision_loss, reason = "at most 64")]
        let share = points / (languages.count_ones() as f32).powf(SHARED);
        for (index, of_language) in self.points.iter_mut().enumerate() {
            if languages & (1 << index) != 0 {
                *of_language += share;
            }
        }
        if languages & RARER_BIT != 0 && languages & TABLES.english == 0 {
            self.give(Language::ENGLISH, share * RARER);
        }
    }

    /// Gives a language more points. False where it has no table.
    pub(super) fn give(&mut self, language: Language, more: f32) -> bool {
        let Some(index) = TABLES.index(language) else { return false };
        self.points[index] += more;
        true
    }

    /// The points of a language, 0 where it has no table.
    pub(super) fn points(&self, language: Language) -> f32 {
        TABLES.index(language).map_or(0.0, |index| self.points[index])
    }

    /// Whether two different words are Hindi that no other language has, or one of them with others
    /// makes a part of the text.
    pub(super) fn may_be_hindi(&self) -> bool {
        let (words, only_hindi) = self.hindi;
        only_hindi >= 2 || only_hindi == 1 && words >= 2 && words * HINDI_PART >= self.kinds.len()
    }

    /// Whether any word may be Hindi.
    pub(super) fn has_hindi(&self) -> bool {
        self.hindi.0 > 0
    }

    /// The language with the most points, and these; English where nothing has more.
    pub(super) fn best(&self) -> (Language, f32) {
        let mut best = (Language::ENGLISH, self.points(Language::ENGLISH));
        for (language, points) in TABLES.languages.iter().zip(&self.points) {
            if *points > best.1 && (language.as_str() != "hi" || self.may_be_hindi()) {
                best = (*language, *points);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_hold_lower_case_words_of_real_languages() {
        for line in WORDS.lines() {
            let (code, words) = line.split_once(": ").unwrap();
            assert!(words.split(' ').is_sorted(), "{code}");
            for word in words.split(' ') {
                assert!(!word.is_empty() && word == word.to_lowercase(), "{code}: {word}");
            }
        }
        assert!(TABLES.languages.len() < 63);
    }
}
