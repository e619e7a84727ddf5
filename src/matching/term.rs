//! Terms: what is looked for in a text, and when a place of its anchor is one.

use super::anchors::{Anchor, everywhere};
use super::area::{Area, AreaKind, Within};
use super::hosts;
use crate::domain::{Place, Span};
use crate::folding::{Folded, folded_but_case, folded_term};

/// From how many characters on a name in katakana is found inside a longer run.
const KATAKANA_NAME: usize = 4;
/// From how many characters on an Arabic name is found behind particles.
const ARABIC_NAME: usize = 3;

/// A term, ready to be looked for. Equal terms of different brands are one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Term {
    pub(super) kind: Kind,
    /// Its words, folded. Never empty.
    words: Vec<Word>,
    /// The number of the word that is looked for first: the longest.
    anchor: usize,
    /// Whether the last word may go on.
    prefix: bool,
    /// The spellings that count, folded but for their case and without what stands between the words.
    /// Empty if any case does.
    spellings: Vec<String>,
    /// Where it doesn't count.
    without: Vec<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Word {
    text: String,
    /// Whether a hyphen has to stand before it; where not, a space or a hyphen may.
    hyphen: bool,
}

/// What a term is, and so where it may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A whole word anywhere in what the author wrote.
    Word,
    /// A whole word in this place alone; in tags and handles, all of it.
    In(Place),
    /// The host of a link or a domain above it.
    Host,
    /// A part of an address.
    Address,
}

impl Term {
    /// `None` where nothing is left of the text.
    pub(super) fn new(kind: Kind, text: &str, prefix: bool) -> Option<Self> {
        let folded = folded_term(text);
        let words = match kind {
            Kind::Word | Kind::In(_) => words(&folded),
            Kind::Host | Kind::Address => vec![Word { text: folded, hyphen: false }],
        };
        let anchor = (0..words.len()).rev().max_by_key(|&number| words[number].text.len())?;
        let is_something = !words[anchor].text.trim_matches(['#', '@']).is_empty();
        let (spellings, without) = (Vec::new(), Vec::new());
        is_something.then_some(Self { kind, words, anchor, prefix, spellings, without })
    }

    /// Only in these spellings.
    pub(super) fn spelt(mut self, spellings: &[&str]) -> Self {
        self.spellings = spellings.iter().map(|spelling| spelling_of(spelling)).collect();
        self.spellings.dedup();
        self
    }

    /// Not in these places.
    pub(super) fn without(mut self, places: &[Place]) -> Self {
        if self.kind == Kind::Word {
            places.clone_into(&mut self.without);
        }
        self
    }

    /// The word of it that is looked for first.
    pub(super) fn anchor(&self) -> Anchor<'_> {
        let goes_on = self.prefix && self.anchor + 1 == self.words.len();
        Anchor { text: &self.words[self.anchor].text, anywhere: goes_on || self.kind == Kind::Address }
    }

    /// How rare it is, roughly: less is rarer.
    pub(super) fn frequency(&self) -> u64 {
        let letters = self.anchor().text.chars().map(|c| if c.is_ascii() { 1 } else { 3 }).sum::<usize>();
        1 << (2 * (16 - letters.min(16)))
    }

    /// The place of the term around a hit of its anchor.
    pub(super) fn place(&self, area: &Area<'_>, hit: Span) -> Option<Span> {
        if !self.may_stand_in(area.kind) {
            return None;
        }
        let place = match self.kind {
            Kind::Host => return hosts::is_host_of_link(area, hit).then_some(hit),
            Kind::Address => return (area.within(hit) == Within::Link).then_some(hit),
            Kind::In(Place::Tag) => self.whole_tag(area, hit)?,
            Kind::In(Place::Handle) => self.whole_handle(area, hit)?,
            Kind::Word | Kind::In(_) => self.whole_words(area, hit)?,
        };
        self.counts_at(area, place).then_some(place)
    }

    fn may_stand_in(&self, area: AreaKind) -> bool {
        match self.kind {
            Kind::Word => area != AreaKind::Link,
            Kind::In(Place::Alt) => matches!(area, AreaKind::Alt(_)),
            Kind::In(Place::Tag) => matches!(area, AreaKind::Text | AreaKind::Tag),
            Kind::In(Place::Link) | Kind::Address => matches!(area, AreaKind::Text | AreaKind::Link),
            Kind::In(Place::Text | Place::Handle) | Kind::Host => area == AreaKind::Text,
        }
    }

    fn whole_words(&self, area: &Area<'_>, hit: Span) -> Option<Span> {
        let tag = area.tag_around(hit.start);
        let in_tag = tag.is_some();
        // Most hits are parts of other words; only a tag, or what is joined to a word, may begin inside of one.
        let place = self.joined(area, hit, in_tag)?;
        let is_edge = |at| if in_tag { area.is_edge_in_tag(at) } else { area.is_edge(at) };
        let (starts, ends) = (is_edge(place.start), self.prefix || is_edge(place.end));
        if !starts && !self.follows_its_script(area, place.start, &is_edge) {
            return None;
        }
        if !ends && !self.ends_in_its_script(area, place.end) {
            return None;
        }
        let end = if self.prefix { area.next_edge(place.end, in_tag) } else { place.end };
        let place = Span { start: place.start, end };
        match self.kind {
            Kind::In(wanted) if wanted != Place::Alt => {
                let within = area.within(place);
                let holds = match wanted {
                    Place::Link => within == Within::Link,
                    _ => within == Within::RunningText,
                };
                holds.then_some(place)
            }
            _ => Some(place),
        }
    }

    fn whole_tag(&self, area: &Area<'_>, hit: Span) -> Option<Span> {
        let sign = area.tag_around(hit.start)?;
        let place = self.joined(area, hit, true)?;
        let end = if self.prefix { area.next_edge(place.end, true) } else { place.end };
        (place.start == sign + 1 && area.ends_a_tag(end)).then_some(Span { start: sign, end })
    }

    fn whole_handle(&self, area: &Area<'_>, hit: Span) -> Option<Span> {
        let place = self.joined(area, hit, false)?;
        if area.before(place.start) != Some('@') {
            return None;
        }
        let mut place = Span { start: place.start - 1, end: place.end };
        if self.prefix {
            let rest = &area.folded()[place.end..];
            let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            let name = &rest[..rest.len() - rest.trim_start_matches(goes_on).len()];
            place.end += name.trim_end_matches(['.', '-']).len();
        }
        area.frames_a_handle(place).then_some(place)
    }

    /// The place of all its words around a hit of the anchor. Between words stand a space or a hyphen; in a
    /// tag an underscore or nothing.
    fn joined(&self, area: &Area<'_>, hit: Span, in_tag: bool) -> Option<Span> {
        let text = area.folded();
        let mut place = hit;
        for word in &self.words[self.anchor + 1..] {
            let rest = &text[place.end..];
            let joined = in_tag.then(|| rest.strip_prefix('_').unwrap_or(rest));
            let after = strip_joint(rest, word.hyphen).or(joined)?;
            let after = after.strip_prefix(word.text.as_str())?;
            place.end = text.len() - after.len();
        }
        for (number, word) in self.words[..self.anchor].iter().enumerate().rev() {
            let head = &text[..place.start];
            let hyphen = self.words[number + 1].hyphen;
            let joined = in_tag.then(|| head.strip_suffix('_').unwrap_or(head));
            let before = strip_joint_before(head, hyphen).or(joined)?;
            place.start = before.strip_suffix(word.text.as_str())?.len();
        }
        Some(place)
    }

    /// Whether the name may begin inside a word: katakana joins names, and Arabic grows particles onto them.
    fn follows_its_script(&self, area: &Area<'_>, start: usize, is_edge: &impl Fn(usize) -> bool) -> bool {
        let name = &self.words[0].text;
        if self.is_katakana() {
            return area.before(start).is_some_and(is_katakana);
        }
        if !name.starts_with(is_arabic) || name.chars().count() < ARABIC_NAME {
            return false;
        }
        let mut particles = String::new();
        let mut at = start;
        while let Some(c) = area.before(at).filter(|c| is_arabic(*c)) {
            if particles.len() > 8 {
                return false;
            }
            particles.insert(0, c);
            at -= c.len_utf8();
            if is_edge(at) {
                break;
            }
        }
        are_particles(&particles)
    }

    fn ends_in_its_script(&self, area: &Area<'_>, end: usize) -> bool {
        self.is_katakana() && area.after(end).is_some_and(|c| is_katakana(c) && !leans_back(c))
    }

    fn is_katakana(&self) -> bool {
        let mut letters = self.words.iter().flat_map(|word| word.text.chars());
        letters.clone().count() >= KATAKANA_NAME && letters.all(is_katakana)
    }

    /// Whether a place is spelt as it has to be, and not where the term doesn't count.
    fn counts_at(&self, area: &Area<'_>, place: Span) -> bool {
        if self.kind == Kind::Word && area.kind == AreaKind::Text {
            let within = area.within(place);
            let left_out = match within {
                Within::Mail => true,
                Within::Link => self.without.contains(&Place::Link),
                Within::Handle => self.without.contains(&Place::Handle),
                Within::Tag => self.without.contains(&Place::Tag),
                Within::RunningText => false,
            };
            if left_out {
                return false;
            }
        }
        if self.spellings.is_empty() {
            return true;
        }
        let written = spelling_of(area.written(place).trim_start_matches(['#', '@', '＃', '＠']));
        self.spellings
            .iter()
            .any(|spelling| written == *spelling || self.prefix && written.starts_with(spelling.as_str()))
    }
}

/// A term's spelling for comparing case.
fn spelling_of(text: &str) -> String {
    folded_but_case(text).replace([' ', '-', '_'], "")
}

/// The words of a folded phrase.
fn words(folded: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut start = 0;
    for (at, c) in folded.char_indices() {
        let between = || {
            folded[..at].ends_with(char::is_alphanumeric)
                && folded[at + 1..].starts_with(char::is_alphanumeric)
        };
        if c == ' ' || c == '-' && between() {
            let hyphen = start > 0 && folded[..start].ends_with('-');
            words.push(Word { text: folded[start..at].to_owned(), hyphen });
            start = at + 1;
        }
    }
    let hyphen = start > 0 && folded[..start].ends_with('-');
    words.push(Word { text: folded[start..].to_owned(), hyphen });
    words
}

fn strip_joint(text: &str, hyphen: bool) -> Option<&str> {
    text.strip_prefix('-').or_else(|| text.strip_prefix(' ').filter(|_| !hyphen))
}

fn strip_joint_before(text: &str, hyphen: bool) -> Option<&str> {
    text.strip_suffix('-').or_else(|| text.strip_suffix(' ').filter(|_| !hyphen))
}

fn is_katakana(c: char) -> bool {
    matches!(c, '\u{30A1}'..='\u{30FA}' | '\u{30FC}')
}

/// Whether a sign of katakana belongs to the one before it: small letters and the long vowel.
fn leans_back(c: char) -> bool {
    "ァィゥェォッャュョヮヵヶー".contains(c)
}

fn is_arabic(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{64A}' | '\u{66E}'..='\u{6D3}')
}

/// Whether these letters are particles that grow onto a name: `and`, `so`; then `with`, `like`, `for`; then
/// the article.
fn are_particles(letters: &str) -> bool {
    let rest = letters.strip_prefix(['و', 'ف']).unwrap_or(letters);
    let rest = rest.strip_prefix(['ب', 'ك', 'ل']).unwrap_or(rest);
    // `for the` is two times the same letter.
    matches!(rest, "" | "ال") || letters.trim_start_matches(['و', 'ف']) == "لل"
}

/// The first occurrence of a term in a text, in any spelling. An occurrence as whole words is preferred
/// to one inside a word. `None` also for a blank term.
pub fn first_place(text: &str, term: &str) -> Option<Span> {
    let folded = Folded::new(text);
    let wanted = folded_term(term);
    let area = Area::new(AreaKind::Text, text);
    let term = Term::new(Kind::Word, term, false)?;
    everywhere(area.folded(), term.anchor().text)
        .filter_map(|hit| term.whole_words(&area, hit))
        .map(|place| area.original(place))
        .next()
        .or_else(|| folded.as_str().find(&wanted).map(|at| folded.original(at, at + wanted.len())))
}
