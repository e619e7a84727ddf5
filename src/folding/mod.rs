//! Folding: one spelling of a text, with the way back to its bytes.
//!
//! Texts that people read as the same become the same: in any case (full case folding, and the four
//! Turkish letters i are one), in any of Unicode's normal forms (NFKC; full-width and half-width signs,
//! ligatures, mathematical letters), with or without what nobody sees (soft hyphens, joiners, variation
//! selectors, marks of direction), with any apostrophe, hyphen or dash, with any white space, and in
//! Arabic with or without marks and tatweel, and with any of the everyday forms of a letter. Accents
//! stay: `café` is not `cafe`. docs/queries.md tells users.

mod characters;
#[cfg(test)]
mod tests;

use unicode_normalization::UnicodeNormalization;

use crate::domain::Span;
pub(crate) use characters::continues;
use characters::{KEYCAP, TATWEEL, fold_into, is_invisible, is_itself};

/// A folded text.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    text: String,
    /// Runs of the text and where they came from, in order. Empty where no byte has moved.
    runs: Vec<Run>,
}

/// A part of a folded text, from `at` to where the next one begins.
#[derive(Clone, Copy, Debug)]
struct Run {
    at: usize,
    /// Where it came from.
    original: Span,
    /// Whether each byte of it came from one of the original, in order.
    is_plain: bool,
}

impl Folded {
    /// Folds a text.
    pub fn new(original: &str) -> Self {
        if moves_nothing(original) {
            let mut text = original.to_ascii_lowercase();
            if text.contains('`') {
                text = text.replace('`', "'");
            }
            return Self { text, runs: Vec::new() };
        }
        let mut folding = Folding::new(original.len(), true);
        folding.read(original);
        folding.folded
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The bytes of the original that a range of the folded text came from. Both lie on character
    /// boundaries; a range that ends inside of what came from one character takes in all of it.
    pub fn original(&self, start: usize, end: usize) -> Span {
        if self.runs.is_empty() {
            return Span { start, end };
        }
        let begin = self.run(start).map_or(0, |run| {
            if run.is_plain { run.original.start + start - run.at } else { run.original.start }
        });
        if end <= start {
            return Span { start: begin, end: begin };
        }
        let finish = self.run(end - 1).map_or(begin, |run| {
            if run.is_plain { run.original.start + end - run.at } else { run.original.end }
        });
        Span { start: begin, end: finish }
    }

    fn run(&self, at: usize) -> Option<&Run> {
        self.runs.get(self.runs.partition_point(|run| run.at <= at).checked_sub(1)?)
    }
}

/// A term, folded and without white space around it.
pub fn folded_term(term: &str) -> String {
    Folded::new(term.trim()).text.trim().to_owned()
}

/// A text folded in everything but case.
pub fn folded_but_case(text: &str) -> String {
    let mut folding = Folding::new(text.len(), false);
    folding.read(text);
    folding.folded.text
}

/// The invisible character in a text, if there is one: people paste them without knowing.
pub fn invisible_in(text: &str) -> Option<char> {
    text.chars().find(|c| is_invisible(*c))
}

/// Whether a text is ASCII whose only white space is single spaces, so that offsets don't change. The first
/// look has no early end, so that it takes many bytes at once.
fn moves_nothing(text: &str) -> bool {
    let bytes = text.as_bytes();
    let moves = |byte: u8| !byte.is_ascii() || (b'\t'..=b'\r').contains(&byte);
    let any_moves = bytes.iter().map(|byte| u8::from(moves(*byte))).fold(0, |any, moves| any | moves) != 0;
    let mut pairs = bytes.iter().zip(bytes.iter().skip(1));
    !any_moves && !pairs.any(|pair| pair == (&b' ', &b' '))
}

/// Folds piece by piece: a character and the marks that follow it are one piece.
struct Folding {
    folded: Folded,
    any_case: bool,
    in_space: bool,
    piece: Vec<char>,
    place: Span,
    buffer: String,
}

impl Folding {
    fn new(capacity: usize, any_case: bool) -> Self {
        let folded = Folded { text: String::with_capacity(capacity), runs: Vec::new() };
        Self {
            folded,
            any_case,
            in_space: false,
            piece: Vec::new(),
            place: Span { start: 0, end: 0 },
            buffer: String::new(),
        }
    }

    fn read(&mut self, original: &str) {
        for (at, character) in original.char_indices() {
            let end = at + character.len_utf8();
            if character == KEYCAP {
                // A digit on a key is a picture, no digit of a word.
                if matches!(self.piece[..], ['0'..='9' | '#' | '*']) {
                    self.piece = vec!['\u{FFFC}'];
                    self.place.end = end;
                }
                continue;
            }
            if is_invisible(character) || character == TATWEEL {
                continue;
            }
            if self.piece.first().is_some_and(|first| !first.is_whitespace()) && continues(character) {
                self.piece.push(character);
                self.place.end = end;
                continue;
            }
            self.finish_piece();
            self.place = Span { start: at, end };
            self.piece.push(character);
        }
        self.finish_piece();
        if self.folded.runs.is_empty() {
            // Only what nobody sees.
            self.folded.runs.push(Run { at: 0, original: Span { start: 0, end: 0 }, is_plain: false });
        }
    }

    fn finish_piece(&mut self) {
        let Some(&first) = self.piece.first() else { return };
        let alone = self.piece.len() == 1;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        if alone && first.is_whitespace() {
            buffer.push(' ');
        } else if alone && is_itself(first) {
            buffer.push(first);
        } else if alone && first.is_ascii() {
            buffer.push(match first {
                '`' => '\'',
                _ if self.any_case => first.to_ascii_lowercase(),
                _ => first,
            });
        } else {
            let mut decomposed = String::new();
            fold_into(&self.piece, self.any_case, &mut decomposed);
            buffer.extend(decomposed.nfc());
        }
        if self.in_space && buffer.starts_with(' ') {
            // More white space, or a mark that Unicode puts on a space of its own.
            buffer.remove(0);
            if buffer.is_empty()
                && let Some(run) = self.folded.runs.last_mut()
            {
                run.original.end = self.place.end;
                run.is_plain = false;
            }
        }
        let length = self.place.end - self.place.start;
        let is_plain = alone && buffer.len() == length && buffer.chars().nth(1).is_none();
        self.push(&buffer, is_plain);
        if !buffer.is_empty() {
            self.in_space = buffer.ends_with(' ');
        }
        self.buffer = buffer;
        self.piece.clear();
    }

    fn push(&mut self, text: &str, is_plain: bool) {
        if text.is_empty() {
            return;
        }
        let at = self.folded.text.len();
        self.folded.text.push_str(text);
        // White space may be followed by more of it, and is then no longer plain.
        let splits = text == " ";
        match self.folded.runs.last_mut() {
            Some(run) if is_plain && run.is_plain && !splits && run.original.end == self.place.start => {
                run.original.end = self.place.end;
            }
            _ => self.folded.runs.push(Run { at, original: self.place, is_plain }),
        }
    }
}
