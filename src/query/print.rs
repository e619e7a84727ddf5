//! From a query to its text.

use std::fmt::{self, Display, Formatter, Write as _};

use super::tokens::is_bare;
use crate::domain::{Place, Property, Query, Term};

/// How tightly a part binds. A part that binds less than what it stands in gets parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Any,
    All,
    Not,
    Near,
    Primary,
}

impl Display for Query {
    /// Writes the query so that [`crate::query::parse`] reads the same again.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_part(self, Binding::Any, f)
    }
}

fn write_part(query: &Query, within: Binding, f: &mut Formatter<'_>) -> fmt::Result {
    let own = binding(query);
    if own < within {
        f.write_char('(')?;
        write_part(query, Binding::Any, f)?;
        return f.write_char(')');
    }
    match query {
        Query::Term(term) => write_term(term, f),
        Query::All(parts) => write_joined(parts, " AND ", Binding::Not, f),
        Query::Any(parts) => write_joined(parts, " OR ", Binding::All, f),
        Query::Not(part) => {
            f.write_str("NOT ")?;
            write_part(part, Binding::Not, f)
        }
        Query::Near(near) => {
            write_part(&near.left, Binding::Near, f)?;
            write!(f, " {}NEAR/{} ", if near.ordered { "O" } else { "" }, near.distance)?;
            write_part(&near.right, Binding::Primary, f)
        }
        Query::In(place, part) => match (place, part.as_ref()) {
            (Place::Tag, Query::Term(term)) if is_plain(term) => {
                f.write_char('#')?;
                write_term(term, f)
            }
            (Place::Handle, Query::Term(term)) if is_plain(term) => {
                f.write_char('@')?;
                write_term(term, f)
            }
            _ => {
                write!(f, "in:{place}(")?;
                write_part(part, Binding::Any, f)?;
                f.write_char(')')
            }
        },
        Query::Is(property) => write_property(property, f),
    }
}

fn binding(query: &Query) -> Binding {
    match query {
        Query::Any(_) => Binding::Any,
        Query::All(_) => Binding::All,
        Query::Not(_) => Binding::Not,
        Query::Near(_) => Binding::Near,
        Query::Term(_) | Query::In(..) | Query::Is(_) => Binding::Primary,
    }
}

fn write_joined(parts: &[Query], joint: &str, within: Binding, f: &mut Formatter<'_>) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(joint)?;
        }
        write_part(part, within, f)?;
    }
    Ok(())
}

/// Whether a term is written without quotes.
fn is_plain(term: &Term) -> bool {
    !term.exact_case && is_bare(&term.text)
}

fn write_term(term: &Term, f: &mut Formatter<'_>) -> fmt::Result {
    let star = if term.prefix { "*" } else { "" };
    if is_plain(term) {
        return write!(f, "{}{star}", term.text);
    }
    let (open, close) = if term.exact_case { ('{', '}') } else { ('"', '"') };
    f.write_char(open)?;
    write_escaped(&term.text, term.exact_case, f)?;
    write!(f, "{star}{close}")
}

fn write_escaped(text: &str, braces: bool, f: &mut Formatter<'_>) -> fmt::Result {
    for c in text.chars() {
        let closes = if braces { c == '}' } else { super::tokens::is_quote(c) };
        if closes || matches!(c, '\\' | '*' | '?') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    Ok(())
}

fn write_property(property: &Property, f: &mut Formatter<'_>) -> fmt::Result {
    let mut field = |name: &str, value: &str| {
        let is_word = !value.contains(|c: char| c.is_whitespace() || super::tokens::is_delimiter(c));
        write!(f, "{name}:")?;
        if is_word {
            return f.write_str(value);
        }
        f.write_char('"')?;
        write_escaped(value, false, f)?;
        f.write_char('"')
    };
    match property {
        Property::Language(language) => field("lang", language.as_str()),
        Property::Source(source) => field("source", source),
        Property::Author(author) => field("author", author),
        Property::Site(host) => field("site", host),
        Property::Link(part) => field("link", part),
        Property::HasImage => field("has", "image"),
        Property::Kind(kind) => field("is", kind.as_str()),
    }
}
