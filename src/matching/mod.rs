//! Matching: which brands a post names, and where in its text.
//!
//! All terms of all brands are compiled once, into one automaton that reads the folded text a
//! single time, however many brands there are (A. Aho and M. Corasick, Efficient string matching:
//! an aid to bibliographic search, 1975). Each hit is then held against the rule of its kind:
//! words by their edges, hashtags and handles as a whole, hosts only inside links. Addresses and
//! tags that stand beside the text are looked up by name and have no place in it.

mod edges;
mod fold;
mod links;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use aho_corasick::AhoCorasick;

use crate::domain::{Brand, BrandId, Post, Span, Spans};
use edges::Edges;
use fold::{Folded, folded_term};

/// Finds the brands that posts name. Compiled once; `find` needs no lock.
#[derive(Debug)]
pub struct Matcher {
    /// In order; the numbers below are places in it.
    brands: Vec<BrandId>,
    automaton: AhoCorasick,
    /// What each pattern of the automaton means, to which brand.
    meanings: Vec<Vec<(usize, Kind)>>,
    /// Folded hashtag without `#` -> brands.
    hashtags: HashMap<String, Vec<usize>>,
    /// Host in lower-case ASCII -> brands.
    hosts: HashMap<String, Vec<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Word,
    Hashtag,
    Handle,
    Host,
    Exclusion,
}

/// What a text says about one brand, before exclusions are applied.
#[derive(Debug, Default)]
struct Found<'t> {
    terms: Vec<Term<'t>>,
    exclusions: Vec<Span>,
    /// An address or a tag beside the text names the brand.
    beside: bool,
}

#[derive(Debug)]
struct Term<'t> {
    kind: Kind,
    span: Span,
    /// The text folded, as the term is written.
    folded: &'t str,
    /// Where the name starts: after the `#` or `@`.
    name_start: usize,
}

/// The first place where a text holds a term, in whatever case and white space: as whole words,
/// else within others. `None` also where the term is nothing but white space.
pub fn first_place(text: &str, term: &str) -> Option<Span> {
    let (folded, term) = (Folded::new(text), folded_term(term));
    if term.is_empty() {
        return None;
    }
    let edges = Edges::new(text);
    let mut places = folded.as_str().match_indices(&term).map(|(at, _)| folded.original(at, at + term.len()));
    places.clone().find(|place| edges.frame_a_word(*place)).or_else(|| places.next())
}

impl Matcher {
    /// Compiles the terms of all brands. The order of the brands does not matter.
    ///
    /// # Panics
    /// The terms need more than 2^31 states: some gigabytes of them.
    pub fn new(brands: &[Brand]) -> Self {
        let mut ids: Vec<BrandId> = brands.iter().map(|brand| brand.id.clone()).collect();
        ids.sort();
        ids.dedup();

        let mut patterns: BTreeMap<String, Vec<(usize, Kind)>> = BTreeMap::new();
        let mut hashtags: HashMap<String, Vec<usize>> = HashMap::new();
        let mut hosts: HashMap<String, Vec<usize>> = HashMap::new();
        for brand in brands {
            let number = ids.partition_point(|id| *id < brand.id);
            let mut add = |pattern: String, kind| {
                if !pattern.trim_matches(['#', '@']).is_empty() {
                    patterns.entry(pattern).or_default().push((number, kind));
                }
            };
            for word in &brand.words {
                add(folded_term(word), Kind::Word);
            }
            for handle in &brand.handles {
                add(format!("@{}", folded_term(handle)), Kind::Handle);
            }
            for phrase in &brand.exclusions {
                add(folded_term(phrase), Kind::Exclusion);
            }
            for tag in &brand.hashtags {
                let tag = folded_term(tag);
                add(format!("#{tag}"), Kind::Hashtag);
                hashtags.entry(tag).or_default().push(number);
            }
            for host in &brand.hosts {
                add(folded_term(host), Kind::Host);
                if let Some(ascii) = links::host_of(host) {
                    add(ascii.clone(), Kind::Host);
                    hosts.entry(ascii).or_default().push(number);
                }
            }
        }
        let automaton = AhoCorasick::new(patterns.keys()).expect("terms stay far below 2^31 states");
        let mut meanings: Vec<_> = patterns.into_values().collect();
        for meaning in &mut meanings {
            meaning.sort_unstable();
            meaning.dedup();
        }
        Self { brands: ids, automaton, meanings, hashtags, hosts }
    }

    /// The brands that a post names, in the order of their ids, each with the places in the text
    /// that name it: in order, merged where they overlap. There are none where only an address or
    /// a tag beside the text names the brand.
    pub fn find(&self, post: &Post) -> Vec<Spans> {
        let folded = Folded::new(&post.text);
        let mut found = self.terms_in(&post.text, &folded);
        for tag in &post.hashtags {
            let tag = folded_term(tag);
            for brand in self.hashtags.get(&tag).into_iter().flatten() {
                let entry = found.entry(*brand).or_default();
                entry.beside |= !entry.excludes_hashtag(&tag);
            }
        }
        if !self.hosts.is_empty() {
            for host in post.links.iter().filter_map(|address| links::host_of(address)) {
                for brand in links::with_parents(&host).filter_map(|host| self.hosts.get(host)).flatten() {
                    found.entry(*brand).or_default().beside = true;
                }
            }
        }
        let named = |(brand, found): (usize, Found<'_>)| {
            let spans = found.spans();
            (found.beside || !spans.is_empty()).then(|| Spans { brand: self.brands[brand].clone(), spans })
        };
        found.into_iter().filter_map(named).collect()
    }

    fn terms_in<'t>(&self, text: &str, folded: &'t Folded) -> BTreeMap<usize, Found<'t>> {
        let edges = Edges::new(text);
        let mut found: BTreeMap<usize, Found<'t>> = BTreeMap::new();
        for hit in self.automaton.find_overlapping_iter(folded.as_str()) {
            let span = folded.original(hit.start(), hit.end());
            for &(brand, kind) in &self.meanings[hit.pattern().as_usize()] {
                let holds = match kind {
                    Kind::Word | Kind::Exclusion => edges.frame_a_word(span),
                    Kind::Hashtag => edges.frame_a_hashtag(span),
                    Kind::Handle => edges.frame_a_handle(span),
                    Kind::Host => links::is_host_of_link(text, span, &edges),
                };
                if !holds {
                    continue;
                }
                let entry = found.entry(brand).or_default();
                if kind == Kind::Exclusion {
                    entry.exclusions.push(span);
                } else {
                    let sign = usize::from(matches!(kind, Kind::Hashtag | Kind::Handle));
                    let name_start = folded.original(hit.start() + sign, hit.end()).start;
                    entry.terms.push(Term { kind, span, folded: &folded.as_str()[hit.range()], name_start });
                }
            }
        }
        for entry in found.values_mut() {
            entry.exclusions.sort_unstable();
            // The furthest end so far: any exclusion that starts early enough then tells.
            let mut furthest = 0;
            for exclusion in &mut entry.exclusions {
                furthest = furthest.max(exclusion.end);
                exclusion.end = furthest;
            }
        }
        found
    }
}

impl Found<'_> {
    fn is_excluded(&self, term: &Term<'_>) -> bool {
        let started = self.exclusions.partition_point(|exclusion| exclusion.start <= term.name_start);
        started > 0 && self.exclusions[started - 1].end >= term.span.end
    }

    /// Whether the text holds this very hashtag inside an exclusion: the network lists the tags of
    /// a text beside it too, and they mean the same there.
    fn excludes_hashtag(&self, tag: &str) -> bool {
        let is_tag = |term: &&Term<'_>| term.kind == Kind::Hashtag && term.folded.get(1..) == Some(tag);
        self.terms.iter().filter(is_tag).any(|term| self.is_excluded(term))
    }

    fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> =
            self.terms.iter().filter(|term| !self.is_excluded(term)).map(|term| term.span).collect();
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
}
