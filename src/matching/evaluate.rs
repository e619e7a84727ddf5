//! Evaluation: whether a query holds for one post, and by which places.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use foldhash::fast::RandomState;

use super::Matcher;
use super::anchors::{Anchor, everywhere, runs};
use super::area::{Area, AreaKind};
use super::compile::Node;
use super::term::{Kind, Term};
use crate::domain::{Language, Place, Post, Property, Span};

/// Where a part of a query holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// The number of the area; none where an address beside the text holds it.
    pub(super) area: Option<usize>,
    /// What names the brand.
    pub(super) name: Span,
    /// All that was needed for it, for distances to other words.
    extent: Span,
}

impl Found {
    pub(super) fn new(area: usize, place: Span) -> Self {
        Self { area: Some(area), name: place, extent: place }
    }

    pub(super) fn beside() -> Self {
        let nowhere = Span { start: 0, end: 0 };
        Self { area: None, name: nowhere, extent: nowhere }
    }
}

/// Where each run of ASCII letters and digits stands: area and position.
type Runs<'e> = HashMap<&'e str, Vec<(usize, usize)>, RandomState>;

/// One post, and what is known of it so far.
pub(super) struct Evaluation<'e> {
    pub(super) matcher: &'e Matcher,
    pub(super) post: &'e Post,
    pub(super) areas: &'e [Area<'e>],
    /// The terms that brands are looked at for, sorted.
    pub(super) hits: &'e [(usize, Found)],
    /// The other terms that were looked for.
    pub(super) others: RefCell<HashMap<usize, Rc<[Found]>>>,
    pub(super) runs: OnceCell<Runs<'e>>,
    pub(super) language: &'e dyn Fn(&[Span]) -> Option<Language>,
    pub(super) known_language: OnceCell<Option<Language>>,
}

/// The places of a brand's exclusions, each as long as the longest that began before.
pub(super) struct Excluded(Vec<(usize, Span)>);

impl Excluded {
    fn covers(&self, found: &Found, sign: usize) -> bool {
        let Some(area) = found.area else { return false };
        let begin = found.name.start + sign;
        let after = self.0.partition_point(|(place, span)| (*place, span.start) <= (area, begin));
        after.checked_sub(1).is_some_and(|last| {
            let (place, span) = self.0[last];
            place == area && span.end >= found.name.end
        })
    }
}

impl<'e> Evaluation<'e> {
    pub(super) fn excluded(&self, terms: &[usize]) -> Excluded {
        let mut places: Vec<(usize, Span)> = terms
            .iter()
            .flat_map(|term| {
                self.places(*term)
                    .iter()
                    .filter_map(|found| Some((found.area?, found.name)))
                    .collect::<Vec<_>>()
            })
            .collect();
        places.sort_unstable();
        let mut furthest = (0, 0);
        for (area, span) in &mut places {
            furthest =
                if furthest.0 == *area { (*area, furthest.1.max(span.end)) } else { (*area, span.end) };
            span.end = furthest.1;
        }
        Excluded(places)
    }

    /// The places by which a node holds; `None` where it doesn't.
    pub(super) fn holds(&self, node: &Node, excluded: &Excluded) -> Option<Vec<Found>> {
        match node {
            Node::Term(number) => {
                let sign = usize::from(self.matcher.terms[*number].has_sign());
                let places: Vec<Found> = self
                    .places(*number)
                    .iter()
                    .filter(|found| !excluded.covers(found, sign))
                    .copied()
                    .collect();
                (!places.is_empty()).then_some(places)
            }
            Node::Any(parts) => {
                let mut places = None;
                for part in parts {
                    if let Some(found) = self.holds(part, excluded) {
                        places.get_or_insert_with(Vec::new).extend(found);
                    }
                }
                places
            }
            Node::All(parts) => {
                let mut names: Vec<Found> = Vec::new();
                for part in parts {
                    let found = self.holds(part, excluded)?;
                    // The first part that stands in the text names the brand.
                    if !names.iter().any(|found| found.area.is_some()) && !found.is_empty() {
                        names = found;
                    }
                }
                Some(names)
            }
            Node::Not(part) => self.holds(part, excluded).is_none().then(Vec::new),
            Node::Near { left, right, distance, ordered } => {
                let (left, right) = (self.holds(left, excluded)?, self.holds(right, excluded)?);
                let near = self.near(&left, &right, *distance, *ordered);
                (!near.is_empty()).then_some(near)
            }
            Node::Is(property) => self.has(property).then(Vec::new),
        }
    }

    /// The places of a term, without regard to exclusions.
    fn places(&self, number: usize) -> Rc<[Found]> {
        if !self.matcher.brands_of[number].is_empty() {
            let start = self.hits.partition_point(|(term, _)| *term < number);
            return self.hits[start..]
                .iter()
                .take_while(|(term, _)| *term == number)
                .map(|(_, found)| *found)
                .collect();
        }
        if let Some(known) = self.others.borrow().get(&number) {
            return Rc::clone(known);
        }
        let term = &self.matcher.terms[number];
        let mut places: Vec<Found> = self
            .anchors(term.anchor())
            .filter_map(|(area, anchor)| Some(Found::new(area, term.place(&self.areas[area], anchor)?)))
            .collect();
        if term.kind == Kind::Host {
            places.extend(self.hits.iter().filter(|(term, _)| *term == number).map(|(_, found)| *found));
        }
        let places: Rc<[Found]> = places.into();
        self.others.borrow_mut().insert(number, Rc::clone(&places));
        places
    }

    /// The places of an anchor, each with the number of its area.
    fn anchors(&self, anchor: Anchor<'e>) -> Box<dyn Iterator<Item = (usize, Span)> + '_> {
        let text = anchor.text;
        let areas = self.areas.iter().enumerate();
        if !anchor.stands_alone() || areas.clone().any(|(_, area)| area.has_hash()) {
            let places = move |(number, area): (usize, &'e Area<'_>)| {
                everywhere(area.folded(), text).map(move |place| (number, place))
            };
            return Box::new(areas.flat_map(places));
        }
        let runs = self.runs.get_or_init(|| {
            let mut known = Runs::default();
            for (number, area) in areas {
                for (start, run) in runs(area.folded()) {
                    known.entry(run).or_default().push((number, start));
                }
            }
            known
        });
        let starts = runs.get(anchor.first_run()).into_iter().flatten().copied();
        let is_there =
            move |(area, start): &(usize, usize)| self.areas[*area].folded()[*start..].starts_with(text);
        let place = move |(area, start)| (area, Span { start, end: start + text.len() });
        Box::new(starts.filter(is_there).map(place))
    }

    /// For each place on the left the nearest one on the right, if it is near enough.
    fn near(&self, left: &[Found], right: &[Found], distance: usize, ordered: bool) -> Vec<Found> {
        let numbered = |found: &[Found]| {
            let words = |found: &Found| {
                let area = found.area?;
                let (first, last) = self.areas[area].words_of(found.extent);
                Some((area, first, last, *found))
            };
            let mut words: Vec<_> = found.iter().filter_map(words).collect();
            words.sort_unstable();
            words
        };
        let (left, right) = (numbered(left), numbered(right));
        // The furthest end up to each place on the right is that place's own, nearly always.
        let mut near = Vec::new();
        for (area, first, last, found) in left {
            let next = right.partition_point(|(other, start, ..)| (*other, *start) <= (area, last));
            let after =
                right.get(next).filter(|(other, start, ..)| *other == area && start - last <= distance);
            let before = || {
                let before = right[..next].iter().rev().take(64);
                let mut before = before.filter(|(other, _, end, _)| *other == area && *end < first);
                before.next().filter(|(_, _, end, _)| first - end <= distance)
            };
            if let Some((.., other)) = after.or_else(|| if ordered { None } else { before() }) {
                let extent = Span {
                    start: found.extent.start.min(other.extent.start),
                    end: found.extent.end.max(other.extent.end),
                };
                near.push(Found { extent, ..found });
            }
        }
        near
    }

    fn has(&self, property: &Property) -> bool {
        let post = self.post;
        match property {
            Property::Language(language) => self.language() == Some(*language),
            Property::Source(source) => post.key.source.to_lowercase() == *source,
            Property::Author(author) => post
                .author
                .as_ref()
                .is_some_and(|name| name.trim_start_matches('@').to_lowercase() == *author),
            Property::HasImage => !post.pictures.is_empty(),
            Property::Kind(kind) => post.kind == *kind,
            // Compiled to terms.
            Property::Site(_) | Property::Link(_) => false,
        }
    }

    fn language(&self) -> Option<Language> {
        *self.known_language.get_or_init(|| {
            let in_text = |found: &Found| {
                let area = &self.areas[found.area?];
                (area.kind == AreaKind::Text).then(|| area.original(found.name))
            };
            (self.language)(&merged(self.hits.iter().filter_map(|(_, found)| in_text(found)).collect()))
        })
    }
}

impl Term {
    /// Whether its places begin with `#` or `@`.
    fn has_sign(&self) -> bool {
        matches!(self.kind, Kind::In(Place::Tag | Place::Handle))
    }
}

/// Places in order, those that overlap as one.
pub(super) fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}
