//! Matching: which brands a post names, and where.
//!
//! Every brand is a boolean query; lists of words, hashtags, handles and hosts are its short form. From
//! each query terms are chosen of which one must stand in every post that it holds for. The longest words of
//! these, the anchors, are found in one pass over the folded text, however many brands there are. Each hit is
//! checked by the rule of its kind: words must begin and end at word edges, hashtags and handles must match
//! as a whole, hosts must be in a link. Only queries with a hit are evaluated, and only then are their other
//! terms looked for.

mod anchors;
mod area;
mod common_words;
mod compile;
mod evaluate;
mod explain;
mod hosts;
mod links;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod query_tests;
#[cfg(test)]
mod spelling_tests;
mod term;
#[cfg(test)]
mod tests;
mod topics;

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use crate::domain::{Brand, BrandId, Language, Place, Post, Span, Spans};
use anchors::Anchors;
use area::{Area, AreaKind};
use compile::{Node, Terms};
use evaluate::{Evaluation, Found, merged};
use term::{Kind, Term};

pub use common_words::is_stop_word;
pub use explain::{Explanation, Part, explain};
pub use term::first_place;
pub use topics::topics;

/// Finds the brands that posts name. Compiled once; `find` takes no lock.
#[derive(Debug)]
pub struct Matcher {
    /// Sorted by id; numbers of brands are indexes into it.
    brands: Vec<Compiled>,
    terms: Vec<Term>,
    /// Of the terms that brands are looked at for.
    anchors: Anchors,
    /// For each term, the brands that are looked at where it stands.
    brands_of: Vec<Vec<usize>>,
    /// Brands that no term has to stand for.
    always: Vec<usize>,
    /// Host in lower-case ASCII -> its terms.
    hosts: HashMap<String, Vec<usize>>,
    /// Whether addresses beside the text are read for more than their hosts.
    reads_links: bool,
}

#[derive(Debug)]
struct Compiled {
    id: BrandId,
    query: Node,
    exclusions: Vec<usize>,
}

impl Matcher {
    /// Compiles the queries of all brands. The order of the brands does not matter.
    ///
    /// # Panics
    /// The terms, some gigabytes of them, need more than 2^31 states.
    pub fn new(brands: &[Brand]) -> Self {
        let mut sorted: Vec<&Brand> = brands.iter().collect();
        sorted.sort_by(|one, other| one.id.cmp(&other.id));
        let mut terms = Terms::default();
        let brands: Vec<Compiled> = sorted
            .into_iter()
            .map(|brand| Compiled {
                id: brand.id.clone(),
                query: terms.compile(brand),
                exclusions: terms.exclusions(brand),
            })
            .collect();

        let mut brands_of = vec![Vec::new(); terms.list.len()];
        let mut always = Vec::new();
        for (number, brand) in brands.iter().enumerate() {
            match terms.required(&brand.query) {
                Some(required) => {
                    for term in required {
                        if brands_of[term].last() != Some(&number) {
                            brands_of[term].push(number);
                        }
                    }
                }
                None => always.push(number),
            }
        }
        let Terms { list: terms, hosts, .. } = terms;
        let looked_for = terms.iter().enumerate().filter(|(number, _)| !brands_of[*number].is_empty());
        let anchors = Anchors::new(looked_for.map(|(number, term)| (term.anchor(), number)));
        let reads_links = terms.iter().any(|term| matches!(term.kind, Kind::Address | Kind::In(Place::Link)));
        Self { brands, terms, anchors, brands_of, always, hosts, reads_links }
    }

    /// The brands that a post names, sorted by id, each with the spans of the text that name it,
    /// sorted and merged where they overlap. A brand has no spans if only something outside the text
    /// names it: a link, a hashtag, or the description of a picture.
    ///
    /// `language` tells the language of the post, given the places that name brands. It is asked at most once,
    /// and only where a query depends on it.
    pub fn find(&self, post: &Post, language: &dyn Fn(&[Span]) -> Option<Language>) -> Vec<Spans> {
        let areas = self.areas(post);
        let hits = self.hits(post, &areas);
        let mut candidates: Vec<usize> =
            hits.iter().flat_map(|(term, _)| &self.brands_of[*term]).chain(&self.always).copied().collect();
        if candidates.is_empty() {
            return Vec::new();
        }
        candidates.sort_unstable();
        candidates.dedup();
        let evaluation = Evaluation {
            matcher: self,
            post,
            areas: &areas,
            hits: &hits,
            others: RefCell::default(),
            runs: OnceCell::new(),
            language,
            known_language: OnceCell::new(),
        };
        let named = |number: usize| {
            let brand = &self.brands[number];
            let excluded = evaluation.excluded(&brand.exclusions);
            let found = evaluation.holds(&brand.query, &excluded)?;
            Some(spans(brand.id.clone(), &found, &areas))
        };
        candidates.into_iter().filter_map(named).collect()
    }

    /// The texts of a post that are read. A tag beside the text that stands in it too is read there.
    fn areas<'p>(&self, post: &'p Post) -> Vec<Area<'p>> {
        let text = Area::new(AreaKind::Text, post.text.as_str());
        let mut tags = Vec::new();
        for tag in &post.hashtags {
            let area = Area::new(AreaKind::Tag, format!("#{}", tag.trim()));
            let is_in_text =
                |(at, tag): (usize, &str)| text.begins_a_tag(at) && text.ends_a_tag(at + tag.len());
            if !text.folded().match_indices(area.folded()).any(is_in_text) {
                tags.push(area);
            }
        }
        let alts = post.alt_texts.iter().enumerate();
        let alts = alts.map(|(number, alt)| Area::new(AreaKind::Alt(number), alt.as_str()));
        let links = post.links.iter().filter(|_| self.reads_links);
        let links = links.map(|link| Area::new(AreaKind::Link, link.as_str()));
        std::iter::once(text).chain(tags).chain(alts).chain(links).collect()
    }

    /// The terms that brands are looked at for, with their places, sorted.
    fn hits(&self, post: &Post, areas: &[Area<'_>]) -> Vec<(usize, Found)> {
        let mut hits = Vec::new();
        for (number, area) in areas.iter().enumerate() {
            self.anchors.find(area.folded(), |term, anchor| {
                let place = self.terms[term].place(area, anchor);
                hits.extend(place.map(|place| (term, Found::new(number, place))));
            });
        }
        if !self.hosts.is_empty() {
            for host in post.links.iter().filter_map(|address| links::host_of(address)) {
                for terms in links::with_parents(&host).filter_map(|host| self.hosts.get(host)) {
                    hits.extend(terms.iter().map(|term| (*term, Found::beside())));
                }
            }
        }
        hits.sort_unstable();
        hits.dedup();
        hits
    }
}

fn spans(brand: BrandId, found: &[Found], areas: &[Area<'_>]) -> Spans {
    let mut spans = Vec::new();
    let mut alts = Vec::new();
    for found in found {
        let Some(area) = found.area.map(|area| &areas[area]) else { continue };
        match area.kind {
            AreaKind::Text => spans.push(area.original(found.name)),
            AreaKind::Alt(number) => alts.push((number, area.original(found.name))),
            AreaKind::Tag | AreaKind::Link => {}
        }
    }
    Spans { brand, spans: merged(spans), alt: alts.into_iter().min() }
}
