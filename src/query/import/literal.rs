//! What a query may be found by. Other tools look at every post there is, so they let an alternative ask for
//! an author alone; ours needs a word, tag, handle, site or link in every way of matching.

use crate::domain::{Property, Query};

/// Takes out the alternatives that ask for nothing literal and puts them into `dropped`. `None` if nothing is
/// left that does.
pub(super) fn keep_literal(query: Query, dropped: &mut Vec<Query>) -> Option<Query> {
    if is_literal(&query) {
        return Some(query);
    }
    match query {
        Query::Any(parts) => {
            let kept: Vec<Query> = parts
                .into_iter()
                .filter_map(|part| {
                    let mut inside = Vec::new();
                    let kept = keep_literal(part.clone(), &mut inside);
                    if kept.is_some() {
                        dropped.append(&mut inside);
                    } else {
                        dropped.push(part);
                    }
                    kept
                })
                .collect();
            (!kept.is_empty()).then(|| Query::any(kept))
        }
        // One part with a word is enough.
        Query::All(mut parts) => {
            let (at, kept, mut inside) = parts.iter().enumerate().find_map(|(at, part)| {
                let mut inside = Vec::new();
                keep_literal(part.clone(), &mut inside).map(|kept| (at, kept, inside))
            })?;
            dropped.append(&mut inside);
            parts[at] = kept;
            Some(Query::all(parts))
        }
        _ => None,
    }
}

fn is_literal(query: &Query) -> bool {
    match query {
        Query::Term(_) | Query::Near(_) | Query::Is(Property::Site(_) | Property::Link(_)) => true,
        Query::All(parts) => parts.iter().any(is_literal),
        Query::Any(parts) => parts.iter().all(is_literal),
        Query::In(_, part) => is_literal(part),
        Query::Not(_) | Query::Is(_) => false,
    }
}
