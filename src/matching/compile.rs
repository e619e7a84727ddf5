//! From brands to nodes and terms: what is looked for, and which terms make a brand worth a look.

use std::collections::HashMap;

use super::common_words::{is_common, is_short};
use super::links;
use super::term::{Kind, Term};
use crate::domain::{self, Brand, Case, Place, Property, Query};

/// A query with its terms by their numbers.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Term(usize),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Near { left: Box<Node>, right: Box<Node>, distance: usize, ordered: bool },
    Is(Property),
}

/// The terms of all brands.
#[derive(Debug, Default)]
pub(super) struct Terms {
    pub(super) list: Vec<Term>,
    numbers: HashMap<Term, usize>,
    /// Host in lower-case ASCII -> its terms, for addresses beside the text.
    pub(super) hosts: HashMap<String, Vec<usize>>,
}

impl Terms {
    fn add(&mut self, term: Option<Term>) -> Option<Node> {
        let term = term?;
        let next = self.list.len();
        let number = *self.numbers.entry(term.clone()).or_insert(next);
        if number == next {
            self.list.push(term);
        }
        Some(Node::Term(number))
    }

    /// The query of a brand.
    pub(super) fn compile(&mut self, brand: &Brand) -> Node {
        let mut parts = Vec::new();
        for word in &brand.words {
            let term = Term::new(Kind::Word, word, false).map(|term| {
                let term = term.without(&brand.words_not_in);
                let capitals = word.to_uppercase();
                match brand.case {
                    Case::Exact => term.spelt(&[word]),
                    // Who writes a common word in small letters means it in any case.
                    Case::Auto
                        if (is_common(word) || is_short(word)) && word.contains(char::is_uppercase) =>
                    {
                        term.spelt(&[word, &capitals])
                    }
                    Case::Any | Case::Auto => term,
                }
            });
            parts.extend(self.add(term));
        }
        for tag in &brand.hashtags {
            parts.extend(self.add(Term::new(Kind::In(Place::Tag), tag, false)));
        }
        for handle in &brand.handles {
            parts.extend(self.add(Term::new(Kind::In(Place::Handle), handle, false)));
        }
        for host in &brand.hosts {
            parts.push(self.host(host));
        }
        if let Some(query) = &brand.query {
            parts.push(self.query(query, Kind::Word, brand));
        }
        Node::Any(parts)
    }

    /// The exclusions of a brand.
    pub(super) fn exclusions(&mut self, brand: &Brand) -> Vec<usize> {
        let mut numbers = Vec::new();
        for phrase in &brand.exclusions {
            if let Some(Node::Term(number)) = self.add(Term::new(Kind::Word, phrase, false)) {
                numbers.push(number);
            }
        }
        numbers
    }

    fn host(&mut self, host: &str) -> Node {
        let ascii = links::host_of(host);
        let mut parts = Vec::new();
        for form in [Some(host), ascii.as_deref()].into_iter().flatten() {
            parts.extend(self.add(Term::new(Kind::Host, form, false)));
        }
        if let (Some(ascii), Some(Node::Term(number))) = (ascii, parts.first()) {
            let numbers = self.hosts.entry(ascii).or_default();
            if !numbers.contains(number) {
                numbers.push(*number);
            }
        }
        Node::Any(parts)
    }

    fn query(&mut self, query: &Query, kind: Kind, brand: &Brand) -> Node {
        match query {
            Query::Term(domain::Term { text, prefix, exact_case }) => {
                let term = Term::new(kind, text, *prefix).map(|term| {
                    let term = term.without(&brand.words_not_in);
                    if *exact_case { term.spelt(&[text]) } else { term }
                });
                // A term of which nothing is left holds nowhere.
                self.add(term).unwrap_or(Node::Any(Vec::new()))
            }
            Query::All(parts) => Node::All(self.queries(parts, kind, brand)),
            Query::Any(parts) => Node::Any(self.queries(parts, kind, brand)),
            Query::Not(part) => Node::Not(Box::new(self.query(part, kind, brand))),
            Query::Near(near) => Node::Near {
                left: Box::new(self.query(&near.left, kind, brand)),
                right: Box::new(self.query(&near.right, kind, brand)),
                distance: usize::from(near.distance),
                ordered: near.ordered,
            },
            Query::In(place, part) => self.query(part, Kind::In(*place), brand),
            Query::Is(Property::Site(host)) => self.host(host),
            Query::Is(Property::Link(part)) => {
                self.add(Term::new(Kind::Address, part, false)).unwrap_or(Node::Any(Vec::new()))
            }
            Query::Is(property) => Node::Is(property.clone()),
        }
    }

    fn queries(&mut self, parts: &[Query], kind: Kind, brand: &Brand) -> Vec<Node> {
        parts.iter().map(|part| self.query(part, kind, brand)).collect()
    }

    /// Terms of which at least one stands in every post that the node holds for: of all such sets the one
    /// that is hit least. `None` where a post may have none.
    pub(super) fn required(&self, node: &Node) -> Option<Vec<usize>> {
        let rarest = |sets: Vec<Vec<usize>>| sets.into_iter().min_by_key(|set| self.frequency(set));
        match node {
            Node::Term(number) => Some(vec![*number]),
            Node::Any(parts) => {
                let sets: Option<Vec<_>> = parts.iter().map(|part| self.required(part)).collect();
                sets.map(|sets| sets.concat())
            }
            Node::All(parts) => rarest(parts.iter().filter_map(|part| self.required(part)).collect()),
            Node::Near { left, right, .. } => {
                rarest([left, right].into_iter().filter_map(|part| self.required(part)).collect())
            }
            Node::Not(_) | Node::Is(_) => None,
        }
    }

    fn frequency(&self, set: &[usize]) -> u64 {
        set.iter().fold(0, |sum, number| sum.saturating_add(self.list[*number].frequency()))
    }
}
