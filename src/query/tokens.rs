//! The words and signs of a query.

use url::Url;

use super::Mistake;
use crate::domain::{Place, PostKind, Property, Span, Term};

/// How many words `NEAR` and `ONEAR` without a number reach.
pub const DEFAULT_DISTANCE: u16 = 5;
/// The most words that `NEAR/n` reaches.
pub const FURTHEST: u16 = 100;
/// The fewest letters before a `*`.
pub const SHORTEST_PREFIX: usize = 3;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Near {
        distance: u16,
        ordered: bool,
    },
    Term(Term),
    /// `#tag`, `@handle`.
    Signed(Place, Term),
    /// `in:alt`, before what holds there.
    In(Place),
    Is(Property),
    /// A part with a mistake that was noted.
    Broken,
}

/// Cuts a query into tokens with their places. Mistakes are added to the list.
pub(super) fn tokens(query: &str, mistakes: &mut Vec<Mistake>) -> Vec<(Token, Span)> {
    let mut reader = Reader { query, at: 0, mistakes };
    let mut tokens = Vec::new();
    while let Some(c) = reader.peek() {
        let start = reader.at;
        if c.is_whitespace() {
            reader.at += c.len_utf8();
            continue;
        }
        let token = reader.token(c);
        tokens.push((token, Span { start, end: reader.at }));
    }
    tokens
}

/// Whether a word without spaces can stand in a query without quotes and means itself.
pub(super) fn is_bare(word: &str) -> bool {
    let special = |c: char| c.is_whitespace() || c.is_control() || is_delimiter(c) || "*?\\:".contains(c);
    !word.is_empty()
        && !word.contains(special)
        && !word.starts_with(['#', '@', '＃', '＠', '-', '+', '!', '\'', '‘', '’', '~', '`', '´'])
        && !word.ends_with([',', ';'])
        && !is_operator(word)
        && !word.chars().all(|c| "&|".contains(c))
}

fn is_operator(word: &str) -> bool {
    ["and", "or", "not", "near", "onear"].iter().any(|operator| word.eq_ignore_ascii_case(operator))
        || distance_of(word).is_some()
}

/// What follows `NEAR` or `ONEAR` in any case, if no letter does.
fn distance_of(word: &str) -> Option<(&str, &str)> {
    let length = ["onear", "near"].iter().map(|name| name.len()).find(|&length| {
        word.get(..length)
            .is_some_and(|head| head.eq_ignore_ascii_case("onear") || head.eq_ignore_ascii_case("near"))
    })?;
    let (name, rest) = word.split_at(length);
    (!rest.starts_with(char::is_alphabetic)).then_some((name, rest))
}

/// Whether this opens or closes a phrase. People paste queries out of text processors.
pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '＂' | '〝' | '〞')
}

pub(super) fn is_delimiter(c: char) -> bool {
    is_quote(c) || matches!(c, '(' | ')' | '（' | '）' | '{' | '}')
}

struct Reader<'q, 'm> {
    query: &'q str,
    at: usize,
    mistakes: &'m mut Vec<Mistake>,
}

/// Text between quotes or braces.
struct Quoted {
    text: String,
    prefix: bool,
}

impl<'q> Reader<'q, '_> {
    fn peek(&self) -> Option<char> {
        self.query[self.at..].chars().next()
    }

    fn note(&mut self, start: usize, message: impl Into<String>) -> Token {
        let at = Span { start, end: self.at };
        self.mistakes.push(Mistake::new(at, message));
        Token::Broken
    }

    fn token(&mut self, c: char) -> Token {
        let start = self.at;
        match c {
            '(' | '（' => self.sign(c, Token::Open),
            ')' | '）' => self.sign(c, Token::Close),
            '}' => {
                self.at += 1;
                self.note(start, "there is no `{` to this `}`; write {GAP} for a word in this case only")
            }
            '{' => self.quoted(true).map_or(Token::Broken, |quoted| self.term(quoted, true, start)),
            _ if is_quote(c) => {
                self.quoted(false).map_or(Token::Broken, |quoted| self.term(quoted, false, start))
            }
            _ => self.word(),
        }
    }

    fn sign(&mut self, c: char, token: Token) -> Token {
        self.at += c.len_utf8();
        token
    }

    /// Reads what stands between quotes or braces. `\` takes its meaning from the next sign.
    fn quoted(&mut self, braces: bool) -> Option<Quoted> {
        let start = self.at;
        let closes = |c: char| if braces { c == '}' } else { is_quote(c) };
        let mut text = String::new();
        let mut prefix = false;
        let mut wildcard = None;
        let mut characters = self.query[start..].char_indices().skip(1);
        let mut end = None;
        while let Some((at, c)) = characters.next() {
            if closes(c) {
                end = Some(start + at + c.len_utf8());
                break;
            }
            if prefix && wildcard.is_none() {
                wildcard = Some(start + at - 1);
            }
            match c {
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                '*' => prefix = true,
                '?' => wildcard = wildcard.or(Some(start + at)),
                _ => text.push(c),
            }
        }
        let Some(end) = end else {
            self.at = start + self.peek_at(start).len_utf8();
            while self.peek().is_some_and(|c| !c.is_whitespace()) {
                self.at += self.peek().map_or(0, char::len_utf8);
            }
            let closing = if braces { "}" } else { "\"" };
            let opened = self.peek_at(start);
            self.note(start, format!("this `{opened}` is never closed; write `{closing}` where it ends"));
            self.at = self.query.len();
            return None;
        };
        self.at = end;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(at) = wildcard {
            let sign = self.peek_at(at);
            let at = Span { start: at, end: at + 1 };
            let message = if sign == '?' {
                "`?` stands for no letter here; write the spellings with OR between them, or `\\?` for the sign itself"
            } else {
                "a `*` stands only at the end; write the spellings with OR between them, or `\\*` for the sign itself"
            };
            self.mistakes.push(Mistake::new(at, message));
            return None;
        }
        let next = self.peek();
        if next.is_some_and(|c| !c.is_whitespace() && !matches!(c, ')' | '）')) {
            let after = self.at;
            while self.peek().is_some_and(|c| !c.is_whitespace() && !is_delimiter(c)) {
                self.at += self.peek().map_or(0, char::len_utf8);
            }
            let message = match next {
                Some('~') => {
                    "a phrase with a distance is written with NEAR between its words: red NEAR/3 bull"
                }
                Some('*') => "the `*` stands inside the quotes: \"red bul*\"",
                _ => "put a space after the phrase",
            };
            self.note(after, message);
            return None;
        }
        if text.is_empty() {
            self.note(start, "there is nothing between these signs; write a word, or take them out");
            return None;
        }
        Some(Quoted { text, prefix })
    }

    fn peek_at(&self, at: usize) -> char {
        self.query[at..].chars().next().unwrap_or_default()
    }

    fn term(&mut self, quoted: Quoted, exact_case: bool, start: usize) -> Token {
        let Quoted { text, prefix } = quoted;
        match self.checked(Term { text, prefix, exact_case }, start) {
            Some(term) => Token::Term(term),
            None => Token::Broken,
        }
    }

    /// A term that something can be found by.
    fn checked(&mut self, term: Term, start: usize) -> Option<Term> {
        let last = term.text.rsplit(' ').next().unwrap_or_default();
        let letters = last.chars().rev().take_while(|c| c.is_alphanumeric()).count();
        if term.prefix && letters < SHORTEST_PREFIX {
            let message = format!(
                "at least {SHORTEST_PREFIX} letters stand before a `*`, or it would find far too much; write more of the word"
            );
            self.note(start, message);
            return None;
        }
        if !term.text.chars().any(names_something) {
            self.note(start, "no letter, digit or symbol is in it that could be found; write a word");
            return None;
        }
        Some(term)
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        let rest = &self.query[start..];
        let end = rest.find(|c: char| c.is_whitespace() || is_delimiter(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        self.at += end;
        if self.peek().is_some_and(|c| is_quote(c) || c == '{')
            && !word.ends_with(':')
            && !word.starts_with("in:")
        {
            return self.before_a_quote(word, start);
        }
        match word {
            "AND" => return Token::And,
            "OR" => return Token::Or,
            "NOT" => return Token::Not,
            _ => {}
        }
        if let Some(lower) = ["and", "or", "not"].into_iter().find(|name| word.eq_ignore_ascii_case(name)) {
            let message = format!(
                "write {} in capitals to join, or \"{word}\" in quotes for the word itself",
                lower.to_ascii_uppercase()
            );
            return self.note(start, message);
        }
        if let Some((name, distance)) = distance_of(word) {
            return self.near(name, distance, start);
        }
        if let Some(name) = word.strip_prefix(['#', '＃']) {
            return self.signed(Place::Tag, name, start);
        }
        if let Some(name) = word.strip_prefix(['@', '＠']) {
            return self.signed(Place::Handle, name, start);
        }
        if let Some((field, value)) = word.split_once(':')
            && field.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
        {
            return self.field(field, value, start);
        }
        self.bare(word, start).map_or(Token::Broken, Token::Term)
    }

    fn before_a_quote(&mut self, word: &str, start: usize) -> Token {
        let message = match word {
            "AND" | "OR" | "NOT" => format!("put a space after {word}"),
            "#" | "＃" => "a tag of several words is written in:tag(\"red bull\")".to_owned(),
            "-" | "!" => "write NOT before what must not be there".to_owned(),
            _ => format!("put a space between {word} and what follows"),
        };
        self.note(start, message)
    }

    fn near(&mut self, name: &str, distance: &str, start: usize) -> Token {
        let capitals = name.to_ascii_uppercase();
        if name != capitals {
            let message = format!(
                "write {capitals}{distance} in capitals, or \"{name}\" in quotes for the word itself"
            );
            return self.note(start, message);
        }
        let ordered = capitals == "ONEAR";
        if distance.is_empty() {
            return Token::Near { distance: DEFAULT_DISTANCE, ordered };
        }
        let number = distance.strip_prefix('/').unwrap_or_default();
        if let Some(number) = number.strip_suffix('f').filter(|number| number.parse::<u16>().is_ok()) {
            return self.note(start, format!("words in this order are written ONEAR/{number}"));
        }
        match number.parse() {
            Ok(distance @ 1..=FURTHEST) => Token::Near { distance, ordered },
            _ => self.note(start, format!("write {capitals}/5, with a number of words from 1 to {FURTHEST}")),
        }
    }

    fn signed(&mut self, place: Place, name: &str, start: usize) -> Token {
        if name.is_empty() {
            let (what, example) =
                if place == Place::Tag { ("tag", "#vmware") } else { ("account", "@vmware") };
            return self.note(start, format!("the name of the {what} is missing; write it like {example}"));
        }
        self.bare(name, start).map_or(Token::Broken, |term| Token::Signed(place, term))
    }

    /// A word without quotes, perhaps with a `*` at its end.
    fn bare(&mut self, word: &str, start: usize) -> Option<Term> {
        let (text, prefix) = word.strip_suffix('*').map_or((word, false), |text| (text, true));
        let message = match text.chars().next() {
            Some('-' | '!') if text.len() > 1 => format!("write NOT {} for what must not be there", &text[1..]),
            Some('+') if text.len() > 1 => format!("write {}; all words are needed anyway", &text[1..]),
            Some('\'' | '‘' | '`' | '´') => {
                "a phrase stands in double quotes: \"red bull\"".to_owned()
            }
            _ if text.contains('*') => {
                "a `*` stands only at the end of a word; write the spellings with OR between them".to_owned()
            }
            _ if text.is_empty() => "a `*` stands at the end of a word, such as vmw*".to_owned(),
            _ if text.contains('?') => {
                "`?` stands for no letter here; write the spellings with OR between them".to_owned()
            }
            _ if text.contains('\\') => format!("write \"{}\" in quotes", text.replace('\\', "\\\\")),
            _ if text.contains(':') => format!("write \"{text}\" in quotes"),
            _ if text.chars().all(|c| c == '&') => "write AND for words that must all be there".to_owned(),
            _ if text.chars().all(|c| c == '|') => "write OR for words of which one is enough".to_owned(),
            _ if text.ends_with([',', ';']) => {
                "a comma joins nothing; write OR for words of which one is enough, AND for words that must all be there"
                    .to_owned()
            }
            _ => return self.checked(Term { text: text.to_owned(), prefix, exact_case: false }, start),
        };
        self.note(start, message);
        None
    }

    fn field(&mut self, field: &str, value: &'q str, start: usize) -> Token {
        if field.eq_ignore_ascii_case("in") {
            return match place(value) {
                Some(place) => Token::In(place),
                None => self.note(
                    start,
                    "write in:text, in:tag, in:link, in:alt or in:handle before what stands there",
                ),
            };
        }
        let value = if value.is_empty() && self.peek().is_some_and(is_quote) {
            match self.quoted(false) {
                Some(quoted) if !quoted.prefix => quoted.text,
                Some(_) => {
                    return self
                        .note(start, format!("`*` has no meaning in {field}:; write the whole of it"));
                }
                None => return Token::Broken,
            }
        } else {
            value.to_owned()
        };
        if value.is_empty() {
            let message = format!(
                "something has to stand right after {field}: without a space, or in quotes if the colon is part of a word"
            );
            return self.note(start, message);
        }
        match property(&field.to_ascii_lowercase(), &value) {
            Ok(property) => Token::Is(property),
            Err(message) => self.note(start, message),
        }
    }
}

/// Whether a character can be looked for: no white space, no punctuation, nothing invisible.
fn names_something(c: char) -> bool {
    c.is_alphanumeric()
        || (!c.is_ascii()
            && !c.is_whitespace()
            && !c.is_control()
            && !"\u{AD}\u{200B}\u{200C}\u{200D}\u{2060}\u{FEFF}\u{FE0E}\u{FE0F}“”„‘’…–—".contains(c))
}

fn place(name: &str) -> Option<Place> {
    Some(match name.to_ascii_lowercase().as_str() {
        "text" => Place::Text,
        "tag" => Place::Tag,
        "link" => Place::Link,
        "alt" => Place::Alt,
        "handle" => Place::Handle,
        _ => return None,
    })
}

fn property(field: &str, value: &str) -> Result<Property, String> {
    let lower = value.to_lowercase();
    if value.contains('*') && field != "link" {
        return Err(format!("`*` has no meaning in {field}:; write the whole of it"));
    }
    match field {
        "lang" => match value.parse() {
            Ok(language) => Ok(Property::Language(language)),
            Err(_) => Err(format!("{value} is no language; write its code, such as lang:en")),
        },
        "source" => Ok(Property::Source(lower)),
        "author" => {
            let name = lower.trim_start_matches('@');
            if name.is_empty() {
                Err("write the author's name, such as author:vmware".to_owned())
            } else {
                Ok(Property::Author(name.to_owned()))
            }
        }
        "site" if is_host(&lower) => Ok(Property::Site(lower)),
        "site" => Err(format!(
            "{value} is no plain host; write it like site:example.com, or link:example.com/path for a part of an address"
        )),
        "link" => Ok(Property::Link(lower)),
        "has" if lower == "image" => Ok(Property::HasImage),
        "has" => Err("write has:image; nothing else is known after has:".to_owned()),
        "is" => PostKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == lower)
            .map(Property::Kind)
            .ok_or_else(|| "write is:reply, is:repost, is:quote or is:original".to_owned()),
        "http" | "https" => Err(format!("write link:{}", value.trim_start_matches('/'))),
        _ => Err(format!(
            "{field}: is not known; lang, source, author, site, link, has, is and in are; write \"{field}:{value}\" in quotes if the colon is part of the word"
        )),
    }
}

/// Whether this is a host name with dots and nothing else.
pub fn is_host(host: &str) -> bool {
    // A plain host is a name with dots, and a URL made from it has no other part.
    let alone = Url::parse(&format!("http://{host}/")).is_ok_and(|url| {
        url.host_str().is_some_and(|parsed| parsed.contains('.'))
            && url.path() == "/"
            && url.port().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    alone
        && !host.contains(['/', ':', '?', '#', '@', '*', '\\'])
        && !host.contains(char::is_whitespace)
        && !host.starts_with('.')
        && !host.ends_with('.')
}
