//! What is wrong with a query, and where.

use crate::domain::Span;

/// A mistake in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The bytes of the query that it is about. Empty at its end where something is missing.
    pub at: Span,
    /// A sentence without a full stop that says the way out.
    pub message: String,
}

impl Mistake {
    pub(super) fn new(at: Span, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// Where it begins, for people: `column 7`, or `line 2, column 7` in a query of several lines.
    /// Columns count characters, from 1.
    pub fn place(&self, query: &str) -> String {
        let (line, before, _) = self.line(query);
        let column = before.chars().count() + 1;
        if query.contains('\n') {
            format!("line {}, column {column}", line + 1)
        } else {
            format!("column {column}")
        }
    }

    /// The line of the query and, below it, a line that points at the mistake.
    pub fn pointer(&self, query: &str) -> String {
        let (_, before, rest) = self.line(query);
        let blank: String = before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let marked = query.get(self.at.start..self.at.end).unwrap_or_default();
        let length = marked.lines().next().map_or(0, |first| first.chars().count()).max(1);
        format!("{before}{rest}\n{blank}{}", "^".repeat(length))
    }

    /// The number of its first line from 0, and what stands there before and after its beginning.
    fn line<'q>(&self, query: &'q str) -> (usize, &'q str, &'q str) {
        let (before, after) = query.split_at(query.floor_char_boundary(self.at.start));
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count(), &before[start..], after.lines().next().unwrap_or_default())
    }
}
