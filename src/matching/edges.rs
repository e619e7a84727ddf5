//! Edges: where a word, a hashtag or a handle may begin and end.

use std::cell::OnceCell;

use regex_syntax::is_word_character;
use unicode_segmentation::UnicodeSegmentation;

use crate::domain::Span;

/// Looks at the places between the characters of one text.
#[derive(Debug)]
pub(super) struct Edges<'t> {
    text: &'t str,
    /// Where UAX #29 has a word boundary. Few texts need them.
    boundaries: OnceCell<Vec<usize>>,
}

impl<'t> Edges<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, boundaries: OnceCell::new() }
    }

    /// Whether both ends of a span are edges of words.
    pub(super) fn frame_a_word(&self, span: Span) -> bool {
        self.is_edge(span.start) && self.is_edge(span.end)
    }

    /// Whether a span that starts with `#` is a hashtag from end to end. A tag goes on for as long
    /// as word characters do, in any script.
    pub(super) fn frame_a_hashtag(&self, span: Span) -> bool {
        let starts = self.before(span.start).is_none_or(|c| !is_word_character(c) && c != '&');
        starts && self.after(span.end).is_none_or(|c| !is_word_character(c))
    }

    /// Whether a span that starts with `@` is a handle from end to end. What stands before must
    /// not make it an e-mail address; a dot or dash continues it only if a name follows, so that
    /// a sentence may end with a handle.
    pub(super) fn frame_a_handle(&self, span: Span) -> bool {
        let starts = self.before(span.start).is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
        starts && self.is_edge(span.end) && !self.name_continues(span.end)
    }

    /// Whether a name with inner dots and dashes goes on: `@vmware` in `@vmware.fans`.
    pub(super) fn name_continues(&self, at: usize) -> bool {
        let mut rest = self.text[at..].bytes();
        matches!(rest.next(), Some(b'.' | b'-'))
            && rest.next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
    }

    /// Whether a word may begin or end here.
    pub(super) fn is_edge(&self, at: usize) -> bool {
        let (Some(before), Some(after)) = (self.before(at), self.after(at)) else { return true };
        !is_word_character(before)
            || !is_word_character(after)
            // Korean writes its particles onto the word: `VMware는`.
            || is_hangul(before) != is_hangul(after)
            || self.boundaries().binary_search(&at).is_ok()
    }

    fn before(&self, at: usize) -> Option<char> {
        self.text[..at].chars().next_back()
    }

    fn after(&self, at: usize) -> Option<char> {
        self.text[at..].chars().next()
    }

    fn boundaries(&self) -> &[usize] {
        self.boundaries.get_or_init(|| self.text.split_word_bound_indices().map(|(at, _)| at).collect())
    }
}

fn is_hangul(character: char) -> bool {
    matches!(character,
        '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}')
}
