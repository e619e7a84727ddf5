//! Explaining: which parts of a brand's query hold for a post, and by which words.

use super::Matcher;
use crate::domain::{Brand, Language, Post, Query, Span, Spans};

/// A part of a brand's query, or one of its lists' terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How deep it lies: 0 for the whole query and for the terms of lists.
    pub depth: usize,
    /// As one would write it.
    pub text: String,
    /// Whether it holds for the post, taken alone.
    pub holds: bool,
    /// The places of the post by which it does.
    pub places: Option<Spans>,
}

/// Why a post is about a brand, or is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The places that name the brand, if the post is about it.
    pub found: Option<Spans>,
    /// The parts of its query, each followed by its own parts.
    pub parts: Vec<Part>,
}

/// Explains what a brand finds in a post. `language` is as for [`Matcher::find`].
pub fn explain(brand: &Brand, post: &Post, language: &dyn Fn(&[Span]) -> Option<Language>) -> Explanation {
    let find = |brand: &Brand| Matcher::new(std::slice::from_ref(brand)).find(post, language).pop();
    let alone = || Brand {
        case: brand.case,
        words_not_in: brand.words_not_in.clone(),
        exclusions: brand.exclusions.clone(),
        ..Brand::new(brand.id.clone())
    };
    let mut parts = Vec::new();
    let mut add = |depth, text: String, part: &Brand| {
        let places = find(part);
        parts.push(Part { depth, text, holds: places.is_some(), places });
    };
    if let Some(query) = &brand.query {
        walk(query, 0, &|query| query, &mut |depth, query, within| {
            let part = Brand { query: Some(within), ..alone() };
            add(depth, query.to_string(), &part);
        });
    }
    for word in &brand.words {
        add(0, format!("{word:?}"), &Brand { words: vec![word.clone()], ..alone() });
    }
    for tag in &brand.hashtags {
        add(0, format!("#{tag}"), &Brand { hashtags: vec![tag.clone()], ..alone() });
    }
    for handle in &brand.handles {
        add(0, format!("@{handle}"), &Brand { handles: vec![handle.clone()], ..alone() });
    }
    for host in &brand.hosts {
        add(0, format!("site:{host}"), &Brand { hosts: vec![host.clone()], ..alone() });
    }
    for phrase in &brand.exclusions {
        let words = vec![phrase.clone()];
        add(0, format!("exclusion {phrase:?}"), &Brand { words, ..Brand::new(brand.id.clone()) });
    }
    Explanation { found: find(brand), parts }
}

/// Visits a query and its parts, depth first. A part inside a place is given as it stands, and as a query
/// that looks in that place alone.
fn walk(
    query: &Query,
    depth: usize,
    within: &dyn Fn(Query) -> Query,
    visit: &mut dyn FnMut(usize, &Query, Query),
) {
    visit(depth, query, within(query.clone()));
    match query {
        Query::Term(_) | Query::Is(_) => {}
        Query::All(parts) | Query::Any(parts) => {
            for part in parts {
                walk(part, depth + 1, within, visit);
            }
        }
        Query::Not(part) => walk(part, depth + 1, within, visit),
        Query::Near(near) => {
            walk(&near.left, depth + 1, within, visit);
            walk(&near.right, depth + 1, within, visit);
        }
        Query::In(place, part) => {
            let place = *place;
            walk(part, depth + 1, &|query| within(Query::In(place, Box::new(query))), visit);
        }
    }
}
