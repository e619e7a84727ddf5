//! Anchors: which of many terms may stand in a text, found in one pass.
//!
//! Most names are whole runs of Latin letters and digits, so each run of a text is looked up in a table,
//! whose cost does not grow with the number of names. What may begin or end inside of a run, and what is
//! written in other scripts, is in automata (A. Aho and M. Corasick, Efficient string matching: an aid to
//! bibliographic search, 1975), each read only where one of its anchors can stand.

use std::collections::HashMap;
use std::iter;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input};
use foldhash::fast::RandomState;

use crate::domain::Span;

/// The most bytes of anchors for which an automaton is one table.
const LARGEST_TABLE: usize = 256 * 1024;

/// What is looked for first of a term, and how it may stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Anchor<'a> {
    pub(super) text: &'a str,
    /// Whether it may begin or end inside of a run of letters and digits, also outside of hashtags.
    pub(super) anywhere: bool,
}

impl<'a> Anchor<'a> {
    /// Whether outside of hashtags it begins with a whole run, and not inside of one.
    pub(super) fn stands_alone(&self) -> bool {
        !self.anywhere && !self.first_run().is_empty()
    }

    /// The ASCII letters and digits that it begins with.
    pub(super) fn first_run(&self) -> &'a str {
        &self.text[..run_length(self.text.as_bytes())]
    }
}

/// Finds anchors. Those that are equal are one.
#[derive(Debug)]
pub(super) struct Anchors {
    /// First run -> the anchors that begin with it, with what follows the run and their users.
    whole: HashMap<Box<str>, Vec<Rest>, RandomState>,
    /// For each first byte the lengths of these runs, a bit each; the last for it and all longer ones. Most
    /// words of a text need no look into the table.
    lengths: Box<[u64; 256]>,
    /// The same anchors, for hashtags, where words are joined.
    in_tags: Automaton,
    /// Those that may stand anywhere.
    anywhere: Automaton,
    /// Those that begin with a character that is not ASCII.
    foreign: Automaton,
}

#[derive(Debug)]
struct Rest {
    text: Box<str>,
    users: Vec<usize>,
}

impl Anchors {
    /// Of `(anchor, user)`, with a number for each user.
    ///
    /// # Panics
    /// The anchors, some gigabytes of them, need more than 2^31 states.
    pub(super) fn new<'a>(anchors: impl IntoIterator<Item = (Anchor<'a>, usize)>) -> Self {
        let mut sorted: Vec<(Anchor<'a>, usize)> = anchors.into_iter().collect();
        sorted.sort_unstable();
        let mut whole: HashMap<Box<str>, Vec<Rest>, RandomState> = HashMap::default();
        let (mut in_tags, mut anywhere, mut foreign) = (Vec::new(), Vec::new(), Vec::new());
        for same in sorted.chunk_by(|(one, _), (other, _)| one == other) {
            let anchor = same[0].0;
            let users: Vec<usize> = same.iter().map(|(_, user)| *user).collect();
            if !anchor.text.starts_with(|c: char| c.is_ascii()) {
                foreign.push((anchor.text, users));
            } else if !anchor.stands_alone() {
                anywhere.push((anchor.text, users));
            } else {
                let run = anchor.first_run();
                in_tags.push((anchor.text, users.clone()));
                whole
                    .entry(run.into())
                    .or_default()
                    .push(Rest { text: anchor.text[run.len()..].into(), users });
            }
        }
        let mut lengths = Box::new([0; 256]);
        for run in whole.keys() {
            lengths[usize::from(run.as_bytes()[0])] |= length_bit(run);
        }
        Self {
            whole,
            lengths,
            in_tags: Automaton::new(in_tags),
            anywhere: Automaton::new(anywhere),
            foreign: Automaton::new(foreign),
        }
    }

    /// Calls `hit` with each user of an anchor and a place of it. Outside of hashtags, places inside of a
    /// longer run are left out unless the anchor may stand anywhere. A place may come twice.
    pub(super) fn find(&self, text: &str, mut hit: impl FnMut(usize, Span)) {
        if !self.whole.is_empty() {
            for (start, run) in runs(text) {
                if self.lengths[usize::from(run.as_bytes()[0])] & length_bit(run) == 0 {
                    continue;
                }
                let Some(rests) = self.whole.get(run) else { continue };
                let after = start + run.len();
                for rest in rests.iter().filter(|rest| text[after..].starts_with(&*rest.text)) {
                    let place = Span { start, end: after + rest.text.len() };
                    rest.users.iter().for_each(|user| hit(*user, place));
                }
            }
            for tags in tags(text, self.in_tags.longest) {
                self.in_tags.find(text, tags, &mut hit);
            }
        }
        let all = Span { start: 0, end: text.len() };
        self.anywhere.find(text, all, &mut hit);
        if !text.is_ascii() {
            self.foreign.find(text, all, &mut hit);
        }
    }
}

/// An automaton over some anchors.
#[derive(Debug)]
struct Automaton {
    /// None without anchors.
    of_anchors: Option<AhoCorasick>,
    /// For each of its patterns.
    users: Vec<Vec<usize>>,
    longest: usize,
}

impl Automaton {
    fn new(anchors: Vec<(&str, Vec<usize>)>) -> Self {
        let lengths = || anchors.iter().map(|(text, _)| text.len());
        // A table of all steps is read about twice as fast as lists of them, and takes up to a kilobyte a byte.
        let kind = (lengths().sum::<usize>() <= LARGEST_TABLE).then_some(AhoCorasickKind::DFA);
        let longest = lengths().max().unwrap_or_default();
        let (texts, users): (Vec<&str>, Vec<_>) = anchors.into_iter().unzip();
        let of_anchors = (!texts.is_empty()).then(|| {
            let built = AhoCorasick::builder().kind(kind).build(texts);
            built.expect("terms stay far below 2^31 states")
        });
        Self { of_anchors, users, longest }
    }

    fn find(&self, text: &str, within: Span, hit: &mut impl FnMut(usize, Span)) {
        let Some(automaton) = &self.of_anchors else { return };
        for found in automaton.find_overlapping_iter(Input::new(text).range(within.start..within.end)) {
            let place = Span { start: found.start(), end: found.end() };
            self.users[found.pattern().as_usize()].iter().for_each(|user| hit(*user, place));
        }
    }
}

fn length_bit(run: &str) -> u64 {
    1 << run.len().min(63)
}

/// All places of an anchor in a text, also those that overlap.
pub(super) fn everywhere(text: &str, anchor: &str) -> impl Iterator<Item = Span> {
    let mut next = 0;
    iter::from_fn(move || {
        let start = next + text.get(next..)?.find(anchor)?;
        next = text.ceil_char_boundary(start + 1);
        Some(Span { start, end: start + anchor.len() })
    })
}

/// The runs of ASCII letters and digits in a text, each with its place.
pub(super) fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    iter::from_fn(move || {
        at += bytes[at..].iter().position(u8::is_ascii_alphanumeric)?;
        let start = at;
        at += run_length(&bytes[at..]);
        Some((start, &text[start..at]))
    })
}

/// The length of the run that a text begins with.
fn run_length(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(text.len())
}

/// Where hashtags stand, each with as many bytes behind it as an anchor that begins in it may need.
fn tags(text: &str, longest: usize) -> impl Iterator<Item = Span> {
    let bytes = text.as_bytes();
    let mut at = 0;
    iter::from_fn(move || {
        let start = at + memchr::memchr(b'#', bytes.get(at..)?)?;
        let mut end = start;
        loop {
            let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
            let tag = bytes[end + 1..].iter().position(|byte| !goes_on(byte));
            end = tag.map_or(bytes.len(), |length| end + 1 + length);
            // Tags that are near each other are one place.
            let behind = (end + longest).min(bytes.len());
            let Some(next) = memchr::memchr(b'#', &bytes[end..behind]) else {
                at = behind;
                return Some(Span { start, end: behind });
            };
            end += next;
        }
    })
}
