//! From tokens to a tree. Both tools share their grammar; what binds how tightly is only told apart
//! from what was guessed.

use super::super::Mistake;
use super::tokens::{Lexeme, Token, tokens};
use super::{Fate, Note, Tool};
use crate::domain::Span;

/// More parentheses in each other than this are refused.
const MAX_DEPTH: usize = 60;

/// A piece of a query as the other tool understands it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Span,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Word(String),
    Phrase(String),
    /// A word or phrase in this case and with these signs.
    AsWritten(String),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Near {
        sides: Box<(Node, Node)>,
        distance: u16,
        ordered: bool,
    },
    Sentence(Box<(Node, Node)>),
    /// The words of a phrase with at most `between` words among them.
    Loose {
        phrase: String,
        between: u16,
    },
    Field {
        name: String,
        value: Box<Node>,
    },
    Range,
}

/// Reads a query; the notes tell what was guessed.
pub(super) fn read(source: &str, tool: Tool) -> Result<(Node, Vec<Note>), Vec<Mistake>> {
    let lexemes = tokens(source, tool)?;
    let end = Span { start: source.trim_end().len(), end: source.len() };
    let mut parser = Parser { lexemes: &lexemes, at: 0, depth: 0, end, notes: Vec::new() };
    if lexemes.is_empty() {
        return Err(vec![Mistake::new(end, "there is no query")]);
    }
    let node = parser.any().map_err(|mistake| vec![mistake])?;
    match parser.peek() {
        None => Ok((node, parser.notes)),
        Some(left) => Err(vec![Mistake::new(left.at, "this parenthesis closes nothing")]),
    }
}

struct Parser<'l> {
    lexemes: &'l [Lexeme],
    at: usize,
    depth: usize,
    end: Span,
    notes: Vec<Note>,
}

impl<'l> Parser<'l> {
    fn peek(&self) -> Option<&'l Lexeme> {
        self.lexemes.get(self.at)
    }

    fn peek_token(&self) -> Option<&'l Token> {
        self.peek().map(|lexeme| &lexeme.token)
    }

    fn take(&mut self, token: &Token) -> Option<Span> {
        let lexeme = self.peek().filter(|lexeme| lexeme.token == *token)?;
        self.at += 1;
        Some(lexeme.at)
    }

    fn assume(&mut self, at: Span, why: &str) {
        self.notes.push(Note { at, fate: Fate::Assumed, why: why.to_owned() });
    }

    fn any(&mut self) -> Result<Node, Mistake> {
        let (first, mut joined) = self.all()?;
        let mut alternatives = vec![first];
        while self.take(&Token::Or).is_some() {
            let (next, joins) = self.all()?;
            alternatives.push(next);
            joined = joined.or(joins);
        }
        if let Some(at) = joined.filter(|_| alternatives.len() > 1) {
            self.assume(
                at,
                "OR stands beside it without parentheses, so this was taken to bind more tightly; \
                 put parentheses around what belongs together",
            );
        }
        Ok(collect(alternatives, Kind::Any))
    }

    /// A conjunction, and where it is joined without parentheses.
    fn all(&mut self) -> Result<(Node, Option<Span>), Mistake> {
        let mut parts = Vec::new();
        let mut joined = None;
        loop {
            let and = self.take(&Token::And);
            if parts.is_empty() && and.is_some() {
                return Err(self.missing("before AND"));
            }
            let not = self.take(&Token::Not);
            let (part, near) = self.near()?;
            if !parts.is_empty() {
                joined = joined.or(and).or(not).or(Some(part.at));
                if and.is_none() && not.is_none() {
                    self.assume(
                        part.at,
                        "no operator stands before it, so AND was taken; write the one that is meant",
                    );
                }
            }
            joined = joined.or(near);
            parts.push(match not {
                Some(not) => {
                    let at = Span { start: not.start, end: part.at.end };
                    Node { at, kind: Kind::Not(Box::new(part)) }
                }
                None => part,
            });
            if matches!(self.peek_token(), None | Some(Token::Or | Token::Close)) {
                return Ok((collect(parts, Kind::All), joined));
            }
        }
    }

    fn near(&mut self) -> Result<(Node, Option<Span>), Mistake> {
        let mut left = self.primary()?;
        let mut joined = None;
        while let Some(Lexeme { token: token @ (Token::Near { .. } | Token::Sentence), at }) = self.peek() {
            self.at += 1;
            let right = self.primary()?;
            if joined.is_some() {
                self.assume(*at, "it was taken to be near what the first two found; put parentheses where that is not meant");
            }
            joined = joined.or(Some(*at));
            let at = Span { start: left.at.start, end: right.at.end };
            let sides = Box::new((left, right));
            let kind = match token {
                Token::Near { distance, ordered } => {
                    Kind::Near { sides, distance: *distance, ordered: *ordered }
                }
                _ => Kind::Sentence(sides),
            };
            left = Node { at, kind };
        }
        Ok((left, joined))
    }

    fn primary(&mut self) -> Result<Node, Mistake> {
        let Some(lexeme) = self.peek() else { return Err(self.missing("at the end")) };
        self.at += 1;
        let at = lexeme.at;
        match &lexeme.token {
            Token::Open => self.group(at),
            Token::Field(name) => {
                let value = Box::new(self.primary()?);
                let at = Span { start: at.start, end: value.at.end };
                Ok(Node { at, kind: Kind::Field { name: name.clone(), value } })
            }
            Token::Word(word) => Ok(Node { at, kind: Kind::Word(word.clone()) }),
            Token::Quoted(text) if text.trim().is_empty() => {
                Err(Mistake::new(at, "nothing stands in the quotes"))
            }
            Token::Quoted(text) => Ok(self.phrase(at, text)),
            Token::AsWritten(text) if text.is_empty() => {
                Err(Mistake::new(at, "nothing stands in the braces"))
            }
            Token::AsWritten(text) => Ok(Node { at, kind: Kind::AsWritten(text.clone()) }),
            Token::AsWrittenSign => match self.peek() {
                Some(Lexeme { token: Token::Word(text) | Token::Quoted(text), at: end }) => {
                    self.at += 1;
                    let at = Span { start: at.start, end: end.end };
                    Ok(Node { at, kind: Kind::AsWritten(text.clone()) })
                }
                _ => Err(Mistake::new(at, "a word or phrase must follow")),
            },
            Token::Range => Ok(Node { at, kind: Kind::Range }),
            Token::Slop(_) => {
                Err(Mistake::new(at, "it must follow a phrase in quotes or a group in parentheses"))
            }
            Token::Close => Err(Mistake::new(at, "something is missing before this parenthesis")),
            Token::And | Token::Or | Token::Not | Token::Near { .. } | Token::Sentence => {
                Err(Mistake::new(at, "something is missing before this operator"))
            }
        }
    }

    fn group(&mut self, open: Span) -> Result<Node, Mistake> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Mistake::new(open, format!("more than {MAX_DEPTH} parentheses stand in each other")));
        }
        let mut inside = self.any()?;
        self.depth -= 1;
        let Some(close) = self.take(&Token::Close) else {
            return Err(Mistake::new(open, "this parenthesis is not closed"));
        };
        if matches!(inside.kind, Kind::All(_) | Kind::Any(_)) {
            inside.at = Span { start: open.start, end: close.end };
        }
        let Some(Lexeme { token: Token::Slop(between), at }) = self.peek() else { return Ok(inside) };
        self.at += 1;
        let Kind::All(parts) = inside.kind else {
            return Err(Mistake::new(
                *at,
                "before it there must be two groups with AND: `((a OR b) AND (c OR d))~5`",
            ));
        };
        let Ok([left, right]) = <[Node; 2]>::try_from(parts) else {
            return Err(Mistake::new(
                *at,
                "before it there must be exactly two groups; write NEAR/x for more",
            ));
        };
        let (sides, distance) = (Box::new((left, right)), between.saturating_add(1));
        let at = Span { start: open.start, end: at.end };
        Ok(Node { at, kind: Kind::Near { sides, distance, ordered: false } })
    }

    fn phrase(&mut self, at: Span, text: &str) -> Node {
        let Some(Lexeme { token: Token::Slop(between), at: end }) = self.peek() else {
            return Node { at, kind: Kind::Phrase(text.to_owned()) };
        };
        self.at += 1;
        let at = Span { start: at.start, end: end.end };
        Node { at, kind: Kind::Loose { phrase: text.to_owned(), between: *between } }
    }

    fn missing(&self, place: &str) -> Mistake {
        let at = self.peek().map_or(self.end, |lexeme| lexeme.at);
        Mistake::new(at, format!("a word or group is missing {place}"))
    }
}

/// One node stays as it is.
fn collect(mut nodes: Vec<Node>, kind: fn(Vec<Node>) -> Kind) -> Node {
    if nodes.len() == 1
        && let Some(only) = nodes.pop()
    {
        return only;
    }
    let start = nodes.first().map_or(0, |node| node.at.start);
    let end = nodes.last().map_or(0, |node| node.at.end);
    Node { at: Span { start, end }, kind: kind(nodes) }
}
