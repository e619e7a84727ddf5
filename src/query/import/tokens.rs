//! The words and signs of the two tools.

use super::super::Mistake;
use super::Tool;
use crate::domain::Span;

/// A word or sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    /// The second begins at most this many words after the first ends; 1 is next to it.
    Near {
        distance: u16,
        ordered: bool,
    },
    /// Both in one sentence.
    Sentence,
    /// `~5`: at most this many words between those before it.
    Slop(u16),
    Word(String),
    Quoted(String),
    /// Only in this case and with these signs: `{BT}`.
    AsWritten(String),
    /// The sign before a word or phrase that asks for the same: `++BT`.
    AsWrittenSign,
    /// `title:`, without the colon.
    Field(String),
    /// `[1 TO 5]`.
    Range,
}

/// A token, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) at: Span,
}

/// Cuts a query into its words and signs.
pub(super) fn tokens(source: &str, tool: Tool) -> Result<Vec<Lexeme>, Vec<Mistake>> {
    let mut scanner = Scanner { source, tool, at: 0, lexemes: Vec::new(), mistakes: Vec::new() };
    while let Some(next) = scanner.rest().chars().next() {
        scanner.step(next);
    }
    if scanner.mistakes.is_empty() { Ok(scanner.lexemes) } else { Err(scanner.mistakes) }
}

struct Scanner<'s> {
    source: &'s str,
    tool: Tool,
    at: usize,
    lexemes: Vec<Lexeme>,
    mistakes: Vec<Mistake>,
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»')
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn push(&mut self, token: Token, length: usize) {
        let at = Span { start: self.at, end: self.at + length };
        self.lexemes.push(Lexeme { token, at });
        self.at = at.end;
    }

    fn refuse(&mut self, length: usize, message: impl Into<String>) {
        let at = Span { start: self.at, end: self.at + length };
        self.mistakes.push(Mistake::new(at, message));
        self.at = at.end;
    }

    fn after_a_field(&self) -> bool {
        matches!(self.lexemes.last(), Some(Lexeme { token: Token::Field(_), .. }))
    }

    fn step(&mut self, next: char) {
        match next {
            c if c.is_whitespace() => self.at += c.len_utf8(),
            '(' => self.push(Token::Open, 1),
            ')' => self.push(Token::Close, 1),
            '~' => self.slop(),
            '<' if self.tool == Tool::Brandwatch && self.rest().starts_with("<<<") => self.comment(),
            '{' if self.tool == Tool::Brandwatch => self.enclosed('}', Token::AsWritten),
            '[' if self.after_a_field() => self.enclosed(']', |_| Token::Range),
            c if is_quote(c) => self.quoted(c),
            '+' | '-' if !self.after_a_field() && self.a_word_follows() => self.sign(next),
            _ => self.word(),
        }
    }

    /// Whether the sign here stands right before a word and not by itself.
    fn a_word_follows(&self) -> bool {
        let rest = self.rest().trim_start_matches(['+', '-']);
        rest.starts_with(|c: char| !c.is_whitespace() && c != ')')
    }

    fn sign(&mut self, sign: char) {
        match (self.tool, sign) {
            (Tool::Talkwalker, '-') => self.push(Token::Not, 1),
            (Tool::Talkwalker, _) if self.rest().starts_with("++") => self.push(Token::AsWrittenSign, 2),
            // It keeps accents apart, and so do we.
            (Tool::Talkwalker, _) => self.at += 1,
            (Tool::Brandwatch, '-') => {
                self.refuse(1, "write NOT for what shall be left out, or quotes around a word with a dash");
            }
            (Tool::Brandwatch, _) => self.refuse(1, "Brandwatch has no `+` before words; leave it out"),
        }
    }

    fn slop(&mut self) {
        let digits = digits(&self.rest()[1..]);
        match digits.parse::<u16>() {
            Ok(words) => self.push(Token::Slop(words), 1 + digits.len()),
            Err(_) => self.refuse(1 + digits.len(), "say after `~` how many words may stand between: `~5`"),
        }
    }

    fn comment(&mut self) {
        match self.rest().find(">>>") {
            Some(end) => self.at += end + 3,
            None => self.refuse(self.rest().len(), "the comment does not end: close it with `>>>`"),
        }
    }

    fn enclosed(&mut self, close: char, token: fn(String) -> Token) {
        match self.rest().find(close) {
            Some(end) => {
                let inside = self.rest()[1..end].trim().to_owned();
                self.push(token(inside), end + close.len_utf8());
            }
            None => self.refuse(self.rest().len(), format!("`{close}` is missing")),
        }
    }

    fn quoted(&mut self, open: char) {
        let mut text = String::new();
        let inside = &self.source[self.at + open.len_utf8()..];
        let mut characters = inside.char_indices();
        while let Some((at, c)) = characters.next() {
            if is_quote(c) {
                self.push(Token::Quoted(text), open.len_utf8() + at + c.len_utf8());
                return;
            }
            match (c, characters.as_str().chars().next()) {
                ('\\', Some(escaped)) if is_quote(escaped) => text.extend(characters.next().map(|(_, c)| c)),
                _ => text.push(c),
            }
        }
        self.refuse(self.rest().len(), "the quote is not closed");
    }

    fn word(&mut self) {
        let (tool, rest) = (self.tool, self.rest());
        let ends = |c: char| {
            c.is_whitespace()
                || matches!(c, '(' | ')' | '~')
                || is_quote(c)
                || (tool == Tool::Brandwatch && matches!(c, '{' | '}'))
        };
        let word =
            &rest[..rest.find(ends).unwrap_or(rest.len()).max(rest.chars().next().map_or(0, char::len_utf8))];
        let word = word.find("<<<").filter(|at| *at > 0).map_or(word, |at| &word[..at]).to_owned();
        if !self.after_a_field() {
            if let Some(name) = field(&word) {
                return self.push(Token::Field(name.to_owned()), name.len() + 1);
            }
            if let Some(token) = self.operator(&word) {
                return match token {
                    Ok(token) => self.push(token, word.len()),
                    Err(message) => self.refuse(word.len(), message),
                };
            }
        }
        let length = word.len();
        self.push(Token::Word(word), length);
    }

    fn operator(&self, word: &str) -> Option<Result<Token, String>> {
        let token = match (word, self.tool) {
            ("AND", _) => Token::And,
            ("OR", _) => Token::Or,
            ("NOT", _) => Token::Not,
            ("SENTENCE" | "OSENTENCE", Tool::Talkwalker) => Token::Sentence,
            _ => return near(word, self.tool),
        };
        Some(Ok(token))
    }
}

fn digits(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())]
}

/// `NEAR/5`, `NEAR/5f`, `ONEAR/5`. Both tools count the words between, we the steps from one to the other.
fn near(word: &str, tool: Tool) -> Option<Result<Token, String>> {
    let (name, number) = word.split_once('/').unwrap_or((word, ""));
    let ordered = match name.to_ascii_uppercase().as_str() {
        "NEAR" => false,
        "ONEAR" => true,
        _ => return None,
    };
    let (number, forward) = match (tool, number.strip_suffix(['f', 'F'])) {
        (Tool::Brandwatch, Some(number)) => (number, true),
        _ => (number, false),
    };
    if name != name.to_ascii_uppercase() {
        // A word of its own, unless it carries a number as only the operator does.
        return (!number.is_empty())
            .then(|| Err(format!("write operators in capitals: `{}`", word.to_ascii_uppercase())));
    }
    if name == "ONEAR" && tool == Tool::Brandwatch {
        return Some(Err("Brandwatch writes this as `NEAR/5f`".to_owned()));
    }
    Some(match number.parse::<u16>().ok().and_then(|between| between.checked_add(1)) {
        Some(distance) => Ok(Token::Near { distance, ordered: ordered || forward }),
        None => Err(format!("say how many words may stand between: `{name}/5`")),
    })
}

/// The name of `name:value`. `https://` is no field, nor is `10:30`.
fn field(word: &str) -> Option<&str> {
    let (name, value) = word.split_once(':')?;
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'));
    (named && !value.starts_with("//")).then_some(name)
}
