//! Areas: the texts of a post that words are looked for in, and where in them a word, a hashtag, a handle
//! or an address may begin and end. All positions are those of the folded text.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use regex_syntax::is_word_character;
use unicode_segmentation::UnicodeSegmentation;

use super::links::{self, ends_a_link};
use crate::domain::Span;
use crate::folding::{Folded, continues};

/// The most bytes before a place that are looked at for a `#` or `@`. It bounds the work on a
/// text that is one very long word.
const LONGEST_WORD: usize = 256;

/// Which text of the post it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AreaKind {
    /// What the post says.
    Text,
    /// The description of the picture with this number.
    Alt(usize),
    /// A tag beside the text.
    Tag,
    /// An address beside the text.
    Link,
}

/// What a place in a text is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    RunningText,
    Tag,
    Handle,
    Link,
    /// A mail address, which names its owner's host and nobody's brand.
    Mail,
}

/// What stands between white space, quotes or brackets.
#[derive(Clone, Copy, Debug, Default)]
struct Chunk {
    start: usize,
    end: usize,
    /// From where on it is an address.
    address: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Area<'t> {
    pub(super) kind: AreaKind,
    raw: Cow<'t, str>,
    folded: Folded,
    has_hash: bool,
    has_at: bool,
    /// The word without white space that was looked at last.
    chunk: Cell<Chunk>,
    /// UAX #29 word boundaries, computed on first use because few texts need them.
    boundaries: OnceCell<Vec<usize>>,
    /// The words by UAX #29, for distances.
    words: OnceCell<Vec<Span>>,
}

impl<'t> Area<'t> {
    pub(super) fn new(kind: AreaKind, raw: impl Into<Cow<'t, str>>) -> Self {
        let raw = raw.into();
        let folded = Folded::new(&raw);
        Self {
            kind,
            has_hash: folded.as_str().contains('#'),
            has_at: folded.as_str().contains('@'),
            raw,
            folded,
            chunk: Cell::default(),
            boundaries: OnceCell::new(),
            words: OnceCell::new(),
        }
    }

    /// Whether there may be hashtags in it.
    pub(super) fn has_hash(&self) -> bool {
        self.has_hash
    }

    pub(super) fn folded(&self) -> &str {
        self.folded.as_str()
    }

    /// The bytes of the post's own text that a place came from.
    pub(super) fn original(&self, place: Span) -> Span {
        self.folded.original(place.start, place.end)
    }

    /// What stands there in the post's own spelling.
    pub(super) fn written(&self, place: Span) -> &str {
        let span = self.original(place);
        &self.raw[span.start..span.end]
    }

    /// Where the `#` of the hashtag stands that a position is part of.
    pub(super) fn tag_around(&self, at: usize) -> Option<usize> {
        if !self.has_hash {
            return None;
        }
        let head = &self.folded()[self.folded().floor_char_boundary(at.saturating_sub(LONGEST_WORD))..at];
        let before = head.trim_end_matches(is_word_character);
        let sign = at - (head.len() - before.len());
        (before.ends_with('#') && self.begins_a_tag(sign - 1)).then(|| sign - 1)
    }

    /// Whether a hashtag may begin with the `#` here.
    pub(super) fn begins_a_tag(&self, at: usize) -> bool {
        self.before(at).is_none_or(|c| !is_word_character(c) && c != '&')
    }

    /// Whether a hashtag ends here: before the first character that is no word character, in any script.
    pub(super) fn ends_a_tag(&self, at: usize) -> bool {
        self.after(at).is_none_or(|c| !is_word_character(c))
    }

    /// Whether a span that starts with `@` is a whole handle and not part of an e-mail address. A
    /// dot or dash continues a handle only if a name character follows, so that a sentence can end
    /// with a handle.
    pub(super) fn frames_a_handle(&self, span: Span) -> bool {
        let starts = self.before(span.start).is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
        starts && self.is_edge(span.end) && !self.name_continues(span.end)
    }

    /// Whether a name continues with a dot or dash, like `@vmware` in `@vmware.fans`.
    pub(super) fn name_continues(&self, at: usize) -> bool {
        let mut rest = self.folded()[at..].bytes();
        matches!(rest.next(), Some(b'.' | b'-'))
            && rest.next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
    }

    /// Whether a word may begin or end here.
    pub(super) fn is_edge(&self, at: usize) -> bool {
        let (Some(before), Some(after)) = (self.before(at), self.after(at)) else { return true };
        if !is_word_character(before) || !is_word_character(after) {
            return true;
        }
        if before.is_ascii() && after.is_ascii() || continues(after) {
            return false;
        }
        // Korean attaches particles to the word: `VMware는`.
        is_hangul(before) != is_hangul(after) || self.boundaries().binary_search(&at).is_ok()
    }

    /// Whether a word may begin or end here inside a hashtag: also at an underscore, a number and a
    /// capital, as in `#boycott_vmware`, `#VMware2026` and `#ILoveVMware`.
    pub(super) fn is_edge_in_tag(&self, at: usize) -> bool {
        let (Some(before), Some(after)) = (self.before(at), self.after(at)) else { return true };
        before == '_'
            || after == '_'
            || before.is_numeric() != after.is_numeric()
            || self.is_edge(at)
            || self.is_at_a_capital(at)
    }

    /// Whether a capital begins a word here: after a small letter, or before one.
    fn is_at_a_capital(&self, at: usize) -> bool {
        let at = self.folded.original(at, at).start;
        let before = self.raw[..at].chars().rev().find(|c| c.is_alphanumeric());
        let mut after = self.raw[at..].chars();
        after.next().is_some_and(char::is_uppercase)
            && (before.is_some_and(char::is_lowercase) || after.next().is_some_and(char::is_lowercase))
    }

    /// The first edge at or after a position.
    pub(super) fn next_edge(&self, at: usize, in_tag: bool) -> usize {
        let rest = &self.folded()[at..];
        let is_edge = |at| if in_tag { self.ends_a_tag(at) } else { self.is_edge(at) };
        rest.char_indices()
            .map(|(offset, _)| at + offset)
            .find(|&at| is_edge(at))
            .unwrap_or(self.folded().len())
    }

    /// What a place is part of.
    pub(super) fn within(&self, place: Span) -> Within {
        if self.kind == AreaKind::Link {
            return Within::Link;
        }
        let chunk = self.chunk_around(place);
        if chunk.address.is_some_and(|address| address <= place.start) {
            return Within::Link;
        }
        if self.has_at
            && let Some(within) = self.around_an_at(place)
        {
            return within;
        }
        let is_tag = self.folded()[place.start..].starts_with('#') || self.tag_around(place.start).is_some();
        if is_tag { Within::Tag } else { Within::RunningText }
    }

    fn chunk_around(&self, place: Span) -> Chunk {
        let known = self.chunk.get();
        if (known.start..known.end).contains(&place.start) {
            return known;
        }
        let text = self.folded();
        let head = text[..place.start].rsplit(ends_a_link).next().unwrap_or_default();
        let start = place.start - head.len();
        // What ends a link may be part of the place itself.
        let tail = &text[place.end..];
        let end = place.end + tail.find(ends_a_link).unwrap_or(tail.len());
        let address = links::address_in(&text[start..end]).map(|at| start + at);
        let chunk = Chunk { start, end, address };
        self.chunk.set(chunk);
        chunk
    }

    /// Whether a place belongs to a handle or a mail address.
    fn around_an_at(&self, place: Span) -> Option<Within> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-');
        let text = self.folded();
        if text[place.start..].starts_with('@') {
            return Some(Within::Handle);
        }
        let head = &text[text.floor_char_boundary(place.start.saturating_sub(LONGEST_WORD))..place.start];
        if let Some(owner) = head.trim_end_matches(is_name).strip_suffix('@') {
            let is_mail =
                owner.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && !is_handle(owner);
            return Some(if is_mail { Within::Mail } else { Within::Handle });
        }
        let tail = text[place.end..].trim_start_matches(is_name);
        let is_mail = tail.strip_prefix('@')?.starts_with(|c: char| c.is_ascii_alphanumeric());
        is_mail.then_some(Within::Mail)
    }

    /// The words that a place takes up: the number of the first and of the last one, from 0. Words are
    /// those of UAX #29: in Chinese and in hiragana each character is one.
    pub(super) fn words_of(&self, place: Span) -> (usize, usize) {
        let words = self.words.get_or_init(|| {
            let words = self.folded().unicode_word_indices();
            words.map(|(start, word)| Span { start, end: start + word.len() }).collect()
        });
        let first = words.partition_point(|word| word.end <= place.start);
        let after = words.partition_point(|word| word.start < place.end);
        (first, after.saturating_sub(1))
    }

    pub(super) fn before(&self, at: usize) -> Option<char> {
        self.folded()[..at].chars().next_back()
    }

    pub(super) fn after(&self, at: usize) -> Option<char> {
        self.folded()[at..].chars().next()
    }

    fn boundaries(&self) -> &[usize] {
        self.boundaries.get_or_init(|| self.folded().split_word_bound_indices().map(|(at, _)| at).collect())
    }
}

/// Whether this is the beginning of a handle such as `@joe` in `@joe@social.example`.
fn is_handle(text: &str) -> bool {
    text.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')).ends_with('@')
}

fn is_hangul(character: char) -> bool {
    matches!(character,
        '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}')
}
