//! From text to a query.

use super::Mistake;
use super::tokens::{Token, tokens};
use crate::domain::{Near, Property, Query, Span};

/// How deep parentheses, NOT and `in:` may stand in each other.
pub const DEEPEST: usize = 32;
/// The longest query in bytes.
pub const LONGEST: usize = 64 * 1024;

/// Reads a query.
///
/// # Errors
/// All mistakes, in the order of their places.
pub fn parse(query: &str) -> Result<Query, Vec<Mistake>> {
    let whole = Span { start: 0, end: query.len() };
    if query.len() > LONGEST {
        let message =
            format!("the query has {} bytes; {LONGEST} are the most, so split the brand in two", query.len());
        return Err(vec![Mistake::new(whole, message)]);
    }
    let mut mistakes = Vec::new();
    let tokens = tokens(query, &mut mistakes);
    if tokens.is_empty() {
        return Err(vec![Mistake::new(whole, "the query is empty; write at least one word")]);
    }
    let mut parser =
        Parser { tokens: &tokens, next: 0, depth: 0, too_deep: false, end: query.len(), mistakes };
    let part = parser.whole();
    let mut mistakes = parser.mistakes;
    if let Some(free) = part.as_ref().and_then(|part| part.free)
        && mistakes.is_empty()
    {
        mistakes.push(Mistake::new(
            free,
            "this matches without any word, tag, handle, site or link; add one with AND",
        ));
    }
    mistakes.sort_by_key(|mistake| (mistake.at.start, mistake.at.end));
    match part {
        Some(part) if mistakes.is_empty() => Ok(part.query),
        _ => Err(mistakes),
    }
}

/// A part of the query and where it stands.
struct Part {
    query: Query,
    at: Span,
    /// The first part in it that would match without anything literal.
    free: Option<Span>,
    /// Why it can't stand in NEAR, with the part that it is about.
    placeless: Option<(Span, &'static str)>,
}

struct Parser<'t> {
    tokens: &'t [(Token, Span)],
    next: usize,
    depth: usize,
    /// Whether reading was given up, since parts stand too deep in each other.
    too_deep: bool,
    end: usize,
    mistakes: Vec<Mistake>,
}

/// Parts with a mistake are `None`; what follows them is still read, for more mistakes.
impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    /// Where the next token stands, or the end of the query.
    fn here(&self) -> Span {
        self.tokens.get(self.next).map_or(Span { start: self.end, end: self.end }, |(_, at)| *at)
    }

    fn note(&mut self, at: Span, message: impl Into<String>) {
        self.mistakes.push(Mistake::new(at, message));
    }

    fn whole(&mut self) -> Option<Part> {
        let mut part = self.any();
        while self.next < self.tokens.len() {
            // Only a `)` ends an expression early.
            self.note(self.here(), "there is no `(` to this `)`; take it out, or open it before");
            self.next += 1;
            if self.next < self.tokens.len() {
                self.any();
            }
            part = None;
        }
        part
    }

    fn any(&mut self) -> Option<Part> {
        let mut parts = vec![self.all()];
        while self.peek() == Some(&Token::Or) {
            self.next += 1;
            parts.push(self.all());
        }
        let parts: Vec<Part> = parts.into_iter().collect::<Option<_>>()?;
        if parts.len() == 1 {
            return parts.into_iter().next();
        }
        let at = around(&parts);
        let free = parts.iter().find_map(|part| part.free);
        let placeless = parts.iter().find_map(|part| part.placeless);
        Some(Part { query: Query::any(parts.into_iter().map(|part| part.query)), at, free, placeless })
    }

    fn all(&mut self) -> Option<Part> {
        let mut parts = vec![self.not()];
        loop {
            match self.peek() {
                Some(Token::And) => self.next += 1,
                None | Some(Token::Or | Token::Close) => break,
                // Side by side.
                Some(_) => {}
            }
            parts.push(self.not());
        }
        let parts: Vec<Part> = parts.into_iter().collect::<Option<_>>()?;
        if parts.len() == 1 {
            return parts.into_iter().next();
        }
        let at = around(&parts);
        let free = parts.iter().all(|part| part.free.is_some()).then_some(at);
        let reason = "AND has no place that something could be near to; write a phrase in quotes, or join NEARs with AND";
        let placeless = Some((at, reason));
        Some(Part { query: Query::all(parts.into_iter().map(|part| part.query)), at, free, placeless })
    }

    fn not(&mut self) -> Option<Part> {
        if self.peek() != Some(&Token::Not) {
            return self.near();
        }
        let start = self.here();
        self.next += 1;
        let inner = self.deeper(start, Self::not)?;
        let at = Span { start: start.start, end: inner.at.end };
        let placeless =
            Some((at, "NOT has no place that something could be near to; write it outside, after AND"));
        Some(Part { query: Query::Not(Box::new(inner.query)), at, free: Some(at), placeless })
    }

    fn near(&mut self) -> Option<Part> {
        let mut left = self.primary();
        while let Some(&Token::Near { distance, ordered }) = self.peek() {
            self.next += 1;
            if self.peek() == Some(&Token::Not) {
                self.note(
                    self.here(),
                    "NOT has no place that something could be near to; write AND NOT (a NEAR/5 b)",
                );
                self.next += 1;
                left = None;
            }
            let right = self.primary();
            let (Some(one), Some(other)) = (left, right) else {
                left = None;
                continue;
            };
            let at = Span { start: one.at.start, end: other.at.end };
            let placeless = one.placeless.or(other.placeless);
            if let Some((at, reason)) = placeless {
                self.note(at, reason);
            }
            let near = Near { left: one.query, right: other.query, distance, ordered };
            left = placeless.is_none().then(|| Part {
                query: Query::Near(Box::new(near)),
                at,
                free: None,
                placeless: None,
            });
        }
        left
    }

    fn primary(&mut self) -> Option<Part> {
        let at = self.here();
        let Some(token) = self.peek().cloned() else {
            self.missing(at);
            return None;
        };
        let literal = |query| Some(Part { query, at, free: None, placeless: None });
        match token {
            Token::And | Token::Or | Token::Near { .. } | Token::Close => {
                self.missing(at);
                None
            }
            Token::Not => self.not(),
            Token::Broken => {
                self.next += 1;
                None
            }
            Token::Term(term) => {
                self.next += 1;
                literal(Query::Term(term))
            }
            Token::Signed(place, term) => {
                self.next += 1;
                literal(Query::In(place, Box::new(Query::Term(term))))
            }
            Token::Is(property) => {
                self.next += 1;
                let is_literal = matches!(property, Property::Site(_) | Property::Link(_));
                let reason =
                    "a field has no place that something could be near to; write it outside, after AND";
                let free = (!is_literal).then_some(at);
                Some(Part { query: Query::Is(property), at, free, placeless: Some((at, reason)) })
            }
            Token::In(place) => {
                self.next += 1;
                if matches!(self.peek(), Some(Token::Not)) {
                    self.note(self.here(), "write NOT before in:");
                }
                let inner = self.deeper(at, Self::primary)?;
                if let Some(message) = unfit_inside(&inner.query) {
                    self.note(inner.at, message);
                    return None;
                }
                let at = Span { start: at.start, end: inner.at.end };
                Some(Part {
                    query: Query::In(place, Box::new(inner.query)),
                    at,
                    free: inner.free.map(|_| at),
                    placeless: inner.placeless,
                })
            }
            Token::Open => {
                self.next += 1;
                let inner = self.deeper(at, Self::any);
                let end = self.here();
                if self.peek() == Some(&Token::Close) {
                    self.next += 1;
                } else if self.next >= self.tokens.len() && !self.too_deep {
                    self.note(at, "this `(` is never closed; write `)` where the group ends");
                    return None;
                }
                let inner = inner?;
                Some(Part { at: Span { start: at.start, end: end.end }, ..inner })
            }
        }
    }

    fn deeper(&mut self, at: Span, read: impl FnOnce(&mut Self) -> Option<Part>) -> Option<Part> {
        if self.depth == DEEPEST {
            let message = format!("more than {DEEPEST} parts stand in each other here; write it flatter");
            self.note(at, message);
            self.too_deep = true;
            // What follows is not read: its mistakes would only be those of this one.
            self.next = self.tokens.len();
            return None;
        }
        self.depth += 1;
        let part = read(self);
        self.depth -= 1;
        part
    }

    /// Notes that a word was expected where something else, or nothing, stands.
    fn missing(&mut self, at: Span) {
        // One `(` that is never closed, or one part that is too deep, is one mistake.
        if self.mistakes.iter().any(|mistake| mistake.at == at) || self.too_deep {
            return;
        }
        let before =
            self.next.checked_sub(1).and_then(|before| self.tokens.get(before)).map(|(token, _)| token);
        let message = match (self.peek(), before) {
            (Some(Token::Close), Some(Token::Open)) => {
                "there is nothing in these parentheses; write a word in them, or take them out"
            }
            (Some(Token::Close) | None, Some(_)) => {
                "a word, phrase or group is missing here; write one, or take out the sign before it"
            }
            _ => {
                "a word, phrase or group is missing before this; write one, or put it in quotes if it is a word itself"
            }
        };
        self.note(at, message);
    }
}

fn around(parts: &[Part]) -> Span {
    let start = parts.first().map_or(0, |part| part.at.start);
    let end = parts.last().map_or(0, |part| part.at.end);
    Span { start, end }
}

/// Why a part can't stand in `in:alt(…)`.
fn unfit_inside(query: &Query) -> Option<&'static str> {
    match query {
        Query::Term(_) => None,
        Query::All(parts) | Query::Any(parts) => parts.iter().find_map(unfit_inside),
        Query::Not(part) => unfit_inside(part),
        Query::Near(near) => unfit_inside(&near.left).or_else(|| unfit_inside(&near.right)),
        Query::In(..) => {
            Some("one place can't stand inside another; write them side by side, with AND or OR")
        }
        Query::Is(_) => Some("a field belongs to the whole post; write it outside, after AND"),
    }
}
