//! Queries of other tools, carried over into ours.
//!
//! What can be said exactly is. What can't is named, piece by piece, with what was done about it and
//! whether the query now finds more or fewer posts than it did there. Nothing is narrowed but where
//! there is no other way: an alternative of an `OR` that has no equivalent.

mod brandwatch;
mod carry;
mod grammar;
mod literal;
mod operator;
mod talkwalker;
mod tokens;

#[cfg(test)]
mod tests;

use super::Mistake;
use crate::domain::{Query, Span};

/// The most characters of the source that a note shows.
const LONGEST_SHOWN: usize = 60;

/// A tool that queries are brought from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Brandwatch Consumer Research.
    Brandwatch,
    /// Talkwalker, also as Hootsuite Listening.
    Talkwalker,
}

/// A query that was carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The query in our language. Its text parses back to it.
    pub query: Query,
    /// What is not the same, in the order of the source.
    pub notes: Vec<Note>,
}

/// A piece of the source that is not carried over as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The bytes of the source.
    pub at: Span,
    /// What became of it.
    pub fate: Fate,
    /// Why, and what can be done. A sentence without a full stop.
    pub why: String,
}

/// What became of a piece of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is not in the query.
    LeftOut(Effect),
    /// Something close to it is in the query, which finds more than it did.
    Widened,
    /// It could be read in two ways.
    Assumed,
}

/// What leaving a piece out does to the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It finds more posts.
    More,
    /// It loses the posts that only this piece found.
    Fewer,
}

impl Note {
    /// What it says, for people: where it stands, what became of it, and why.
    pub fn describe(&self, source: &str) -> String {
        let Self { at, fate, why } = self;
        let place = Mistake::new(*at, "").place(source);
        let shown =
            source.get(at.start..at.end).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let shown = match shown.char_indices().nth(LONGEST_SHOWN) {
            Some((end, _)) => format!("{}…", &shown[..end]),
            None => shown,
        };
        let fate = match fate {
            Fate::LeftOut(Effect::More) => "left out, so more posts are found",
            Fate::LeftOut(Effect::Fewer) => "left out, so the posts are lost that only this finds",
            Fate::Widened => "widened, so more posts are found",
            Fate::Assumed => "not clear",
        };
        format!("{place}: `{shown}` {fate}: {why}")
    }
}

impl Import {
    /// Whether something is not in the query that was in the source.
    pub fn is_incomplete(&self) -> bool {
        self.notes.iter().any(|note| matches!(note.fate, Fate::LeftOut(_)))
    }
}

/// Carries a query of another tool over.
///
/// # Errors
/// It can't be read, or nothing of it can be carried over; every mistake points into the source.
pub fn import(source: &str, from: Tool) -> Result<Import, Vec<Mistake>> {
    let (tree, mut notes) = grammar::read(source, from)?;
    let query = carry::carry(&tree, from, &mut notes)?;
    notes.sort_by_key(|note| note.at);
    Ok(Import { query, notes })
}
