//! From the other tool's tree to our query.
//!
//! What has no equivalent leaves a hole. Holes close as harmlessly as they can: in an `AND` the rest
//! stays, which finds more. Under a `NOT` that would find fewer, so there the hole grows to the whole
//! `NOT`, which then is left out. In an `OR` there is no harmless way: what only that piece found is lost.

use super::super::{Mistake, parse};
use super::grammar::{Kind, Node};
use super::literal::keep_literal;
use super::operator::{Meaning, Operators, Value};
use super::{Effect, Fate, Note, Tool, brandwatch, talkwalker};
use crate::domain::{Near, Place, Query, Span, Term};

/// Turns the tree into a query and adds what is not the same to the notes.
pub(super) fn carry(tree: &Node, tool: Tool, notes: &mut Vec<Note>) -> Result<Query, Vec<Mistake>> {
    let operators = match tool {
        Tool::Brandwatch => brandwatch::OPERATORS,
        Tool::Talkwalker => talkwalker::OPERATORS,
    };
    let mut carrier = Carrier { operators, notes: Vec::new(), places: Vec::new() };
    let query = match carrier.part(tree, Context::default()) {
        Part::Query(query) => carrier.with_words(query),
        Part::Hole(holes) => {
            let lost = |hole: &usize| Mistake::new(carrier.notes[*hole].at, carrier.notes[*hole].why.clone());
            return Err(holes.iter().map(lost).collect());
        }
    };
    // The places of such mistakes are in our text, which nobody has seen.
    let query = parse(&query.to_string()).map_err(|mistakes| {
        let told = |found: Mistake| {
            Mistake::new(tree.at, format!("`{query}` is no query of ours: {}", found.message))
        };
        mistakes.into_iter().map(told).collect::<Vec<_>>()
    })?;
    notes.append(&mut carrier.notes);
    Ok(query)
}

/// A piece that was carried over, or the notes of what was not.
enum Part {
    Query(Query),
    Hole(Vec<usize>),
}

#[derive(Clone, Copy, Default)]
struct Context<'t> {
    /// Below an odd number of NOTs.
    negated: bool,
    /// The operator whose value this is.
    operator: Option<&'t Meaning>,
}

struct Carrier {
    operators: Operators,
    notes: Vec<Note>,
    /// The parts of every AND and OR, and where they stand.
    places: Vec<(Query, Span)>,
}

impl Carrier {
    /// Leaves out the alternatives that ask for no word.
    fn with_words(&mut self, query: Query) -> Query {
        let mut dropped = Vec::new();
        let Some(kept) = keep_literal(query.clone(), &mut dropped) else { return query };
        for alternative in dropped {
            let place = self.places.iter().find(|(known, _)| *known == alternative);
            let at = place.map_or(Span { start: 0, end: 0 }, |(_, at)| *at);
            let why = "an alternative must ask for a word, tag, handle, site or link; add one with AND";
            self.note(at, Fate::LeftOut(Effect::Fewer), why);
        }
        kept
    }

    fn part(&mut self, node: &Node, context: Context<'_>) -> Part {
        match &node.kind {
            Kind::Word(word) => self.value(node.at, word, context),
            Kind::Phrase(phrase) => self.value(node.at, phrase, context),
            Kind::AsWritten(text) => self.as_written(node.at, text, context),
            Kind::Loose { phrase, between } => self.loose(node.at, phrase, *between, context),
            Kind::All(nodes) => self.all(nodes, context),
            Kind::Any(nodes) => self.any(nodes, context),
            Kind::Not(inner) => match self.part(inner, Context { negated: !context.negated, ..context }) {
                Part::Query(query) => Part::Query(Query::Not(Box::new(query))),
                hole @ Part::Hole(_) => hole,
            },
            Kind::Near { sides, distance, ordered } => {
                self.near(sides, context, |left, right| near(left, right, *distance, *ordered))
            }
            Kind::Sentence(sides) => {
                let why = "sentences are not told apart, so both may stand anywhere in the post";
                if context.negated {
                    return self.hole(node.at, format!("{why}; write NEAR/x"));
                }
                let part = self.near(sides, context, |left, right| Query::all([left, right]));
                if matches!(part, Part::Query(_)) {
                    self.note(node.at, Fate::Widened, format!("{why}; NEAR/x is closer"));
                }
                part
            }
            Kind::Field { name, value } => self.field(node.at, name, value, context),
            Kind::Range => self.hole(node.at, "a range is no value here"),
        }
    }

    fn note(&mut self, at: Span, fate: Fate, why: impl Into<String>) {
        self.notes.push(Note { at, fate, why: why.into() });
    }

    /// Leaves a piece out; what that does is known when the hole is closed.
    fn hole(&mut self, at: Span, why: impl Into<String>) -> Part {
        self.note(at, Fate::LeftOut(Effect::More), why);
        Part::Hole(vec![self.notes.len() - 1])
    }

    /// Something that finds more than it did. Under a NOT that would lose posts.
    fn widened(&mut self, at: Span, query: Query, why: impl Into<String>, context: Context<'_>) -> Part {
        if context.negated {
            return self.hole(at, why);
        }
        self.note(at, Fate::Widened, why);
        Part::Query(query)
    }

    /// A leaf, if our language can say it.
    fn leaf(&mut self, at: Span, query: Query) -> Part {
        match said(&query) {
            Ok(()) => Part::Query(query),
            Err(why) => self.hole(at, why),
        }
    }

    fn parts(&mut self, nodes: &[Node], context: Context<'_>) -> (Vec<Query>, Vec<usize>) {
        let (mut queries, mut holes) = (Vec::new(), Vec::new());
        for node in nodes {
            match self.part(node, context) {
                Part::Query(query) => {
                    self.places.push((query.clone(), node.at));
                    queries.push(query);
                }
                Part::Hole(mut more) => holes.append(&mut more),
            }
        }
        (queries, holes)
    }

    fn all(&mut self, nodes: &[Node], context: Context<'_>) -> Part {
        let (queries, holes) = self.parts(nodes, context);
        if queries.is_empty() || (context.negated && !holes.is_empty()) {
            return Part::Hole(holes);
        }
        Part::Query(Query::all(queries))
    }

    fn any(&mut self, nodes: &[Node], context: Context<'_>) -> Part {
        let (queries, holes) = self.parts(nodes, context);
        if queries.is_empty() {
            return Part::Hole(holes);
        }
        if !context.negated {
            for hole in holes {
                self.notes[hole].fate = Fate::LeftOut(Effect::Fewer);
            }
        }
        Part::Query(Query::any(queries))
    }

    fn near(
        &mut self,
        sides: &(Node, Node),
        context: Context<'_>,
        join: impl FnOnce(Query, Query) -> Query,
    ) -> Part {
        let left = self.part(&sides.0, context);
        let right = self.part(&sides.1, context);
        match (left, right) {
            (Part::Query(left), Part::Query(right)) => {
                let at = Span { start: sides.0.at.start, end: sides.1.at.end };
                self.leaf(at, join(left, right))
            }
            (Part::Hole(mut holes), Part::Hole(mut more)) => {
                holes.append(&mut more);
                Part::Hole(holes)
            }
            (Part::Query(_), hole @ Part::Hole(_)) | (hole @ Part::Hole(_), Part::Query(_))
                if context.negated =>
            {
                hole
            }
            (part @ Part::Query(_), Part::Hole(_)) | (Part::Hole(_), part @ Part::Query(_)) => part,
        }
    }

    fn field(&mut self, at: Span, name: &str, value: &Node, context: Context<'_>) -> Part {
        let known = name.to_ascii_lowercase();
        let Some((_, meaning)) = self.operators.iter().find(|(operator, _)| *operator == known) else {
            let why = format!("`{name}:` is no operator that we know; put quotes around it if it is a word");
            return self.hole(at, why);
        };
        if let Meaning::Missing(why) = meaning {
            return self.hole(at, *why);
        }
        if let Meaning::Around(_, why) = meaning
            && context.negated
        {
            return self.hole(at, *why);
        }
        let inner = Context { operator: Some(meaning), ..context };
        let (place, wider) = match meaning {
            Meaning::In(place) => (*place, None),
            Meaning::Around(place, why) => (*place, Some(*why)),
            // A single value is told with the operator's name.
            _ => {
                let at = if matches!(value.kind, Kind::All(_) | Kind::Any(_)) { value.at } else { at };
                return self.part(&Node { at, kind: value.kind.clone() }, inner);
            }
        };
        let part = match self.part(value, inner) {
            // A tag or a handle has its place already.
            Part::Query(query) if has_place(&query) => Part::Query(query),
            Part::Query(query) => self.leaf(at, Query::In(place, Box::new(query))),
            hole @ Part::Hole(_) => hole,
        };
        if let (Part::Query(_), Some(why)) = (&part, wider) {
            self.note(at, Fate::Widened, why);
        }
        part
    }

    fn value(&mut self, at: Span, text: &str, context: Context<'_>) -> Part {
        match context.operator {
            Some(Meaning::Property(read)) => match read(text) {
                Value::Same(property) => self.leaf(at, Query::Is(property)),
                Value::Wider(property, why) => self.widened(at, Query::Is(property), why, context),
                Value::Missing(why) => self.hole(at, why),
            },
            Some(Meaning::AsWritten) => self.as_written(at, text, context),
            Some(Meaning::In(place)) => {
                let sign = match place {
                    Place::Tag => "#",
                    Place::Handle => "@",
                    _ => "",
                };
                self.words(at, text.strip_prefix(sign).unwrap_or(text))
            }
            _ => self.words(at, text),
        }
    }

    fn as_written(&mut self, at: Span, text: &str, context: Context<'_>) -> Part {
        if matches!(context.operator, Some(Meaning::Property(_))) {
            return self.value(at, text, context);
        }
        self.leaf(at, Query::Term(Term { text: in_one_line(text), prefix: false, exact_case: true }))
    }

    fn words(&mut self, at: Span, text: &str) -> Part {
        for (sign, place) in [('#', Place::Tag), ('@', Place::Handle)] {
            if let Some(name) = text.strip_prefix(sign).filter(|name| !name.contains(char::is_whitespace)) {
                return match self.words(at, name) {
                    Part::Query(query) => self.leaf(at, Query::In(place, Box::new(query))),
                    hole @ Part::Hole(_) => hole,
                };
            }
        }
        if text.contains('?') {
            return self.hole(
                at,
                "`?` stands for any letter there; write out the spellings that are meant, with OR",
            );
        }
        match text.matches('*').count() {
            0 => self.leaf(at, Query::Term(term(text, false))),
            1 => match text.split_once('*') {
                Some((start, "")) => self.leaf(at, Query::Term(term(start, true))),
                // Words that go on are next to the rest of the phrase.
                Some((start, rest)) if rest.starts_with(char::is_whitespace) => {
                    let (left, right) = (term(start, true), term(rest.trim_start(), false));
                    self.leaf(at, near(Query::Term(left), Query::Term(right), 1, true))
                }
                _ => self.hole(at, WILDCARD),
            },
            _ => self.hole(at, WILDCARD),
        }
    }

    /// `"apple juice"~5`.
    fn loose(&mut self, at: Span, phrase: &str, between: u16, context: Context<'_>) -> Part {
        if matches!(context.operator, Some(Meaning::Property(_) | Meaning::AsWritten)) {
            return self.hole(at, "`~` has no meaning in a value");
        }
        let mut words = Vec::new();
        for word in phrase.split_whitespace() {
            match self.words(at, word) {
                Part::Query(query) => words.push(query),
                hole @ Part::Hole(_) => return hole,
            }
        }
        let count = words.len();
        // Each further word may stand one further from the first.
        let distances = between.saturating_add(1)..;
        let Some(query) = words.into_iter().zip(std::iter::once(0).chain(distances)).fold(
            None,
            |left, (word, distance)| {
                Some(match left {
                    Some(left) => near(left, word, distance, false),
                    None => word,
                })
            },
        ) else {
            return self.hole(at, "nothing stands in the quotes");
        };
        if let Err(why) = said(&query) {
            return self.hole(at, why);
        }
        if count > 2 {
            let why = "the words may stand a little further apart than there, since each is only near those before it";
            return self.widened(at, query, why, context);
        }
        Part::Query(query)
    }
}

const WILDCARD: &str =
    "our wildcards stand at the end of a word; write out the spellings that are meant, with OR";

/// Whether our language can say a piece; if not, why.
fn said(query: &Query) -> Result<(), String> {
    // By itself it may ask for nothing literal, which is only wrong for the whole query.
    let word = Query::Term(term("overheard", false));
    let whole = Query::all([word, query.clone()]);
    match parse(&whole.to_string()) {
        Ok(read) if read == whole => Ok(()),
        Ok(read) => Err(format!("it would be read as `{read}`; put it in quotes")),
        Err(mistakes) => {
            Err(mistakes.into_iter().map(|mistake| mistake.message).collect::<Vec<_>>().join("; "))
        }
    }
}

fn term(text: &str, prefix: bool) -> Term {
    Term { text: in_one_line(text), prefix, exact_case: false }
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn near(left: Query, right: Query, distance: u16, ordered: bool) -> Query {
    Query::Near(Box::new(Near { left, right, distance, ordered }))
}

fn has_place(query: &Query) -> bool {
    match query {
        Query::In(..) => true,
        Query::All(queries) | Query::Any(queries) => queries.iter().any(has_place),
        Query::Not(query) => has_place(query),
        Query::Near(near) => has_place(&near.left) || has_place(&near.right),
        Query::Term(_) | Query::Is(_) => false,
    }
}
