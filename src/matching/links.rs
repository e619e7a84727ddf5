//! Links: which host an address leads to, and whether a place in a text is the host of a link.

use url::Url;

use super::edges::Edges;
use crate::domain::Span;

/// How far back from a host the start of its link is looked for, in bytes. It bounds the work on
/// a text that is one endless word.
const LONGEST_LINK: usize = 2048;

/// The host that an address leads to: lower case, in ASCII (`xn--…`), without a final dot.
/// Addresses without a scheme are read as `http`.
pub(super) fn host_of(address: &str) -> Option<String> {
    let parsed = match Url::parse(address) {
        Ok(url) if url.host_str().is_some() => url,
        // `vmware.com:443/x` parses, as an address whose scheme is `vmware.com`.
        _ => Url::parse(&format!("http://{address}")).ok()?,
    };
    let host = parsed.host_str()?.trim_end_matches('.');
    (!host.is_empty()).then(|| host.to_owned())
}

/// A host and all that it lies below: `a.b.c`, `b.c`, `c`.
pub(super) fn with_parents(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| host.split_once('.').map(|(_, parent)| parent))
}

/// Whether `span` is the host of a link, or the end of one after a dot. A link has a scheme
/// (`http` or `https`) or is a bare `host/path`. What follows an `@`, or lies in the path or the
/// query of another link, is no host.
pub(super) fn is_host_of_link(text: &str, span: Span, edges: &Edges<'_>) -> bool {
    if !edges.is_edge(span.end) || edges.name_continues(span.end) {
        return false;
    }
    let head = &text[text.floor_char_boundary(span.start.saturating_sub(LONGEST_LINK))..span.start];
    let before_host =
        head.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    let host_start = span.start - (head.len() - before_host.len());
    let whole_labels = host_start == span.start || head.ends_with('.');
    if !whole_labels || !edges.is_edge(host_start) {
        return false;
    }
    let before = before_host.rsplit(ends_a_link).next().unwrap_or_default();
    match before.split_once("://") {
        Some((scheme, user)) => {
            is_web(scheme) && (user.is_empty() || is_user(user)) && !is_user(rest(text, span.end))
        }
        None => {
            !before.contains(['/', '\\', '?', '#', '@', '&', '=', '%']) && !text[span.end..].starts_with('@')
        }
    }
}

/// What follows the host, up to and with the sign that would make it a user's name.
fn rest(text: &str, from: usize) -> &str {
    let tail = &text[from..];
    let end = tail.find(|c: char| ends_a_link(c) || matches!(c, '@' | '/' | '\\' | '?' | '#'));
    end.map_or("", |end| &tail[..end + tail[end..].chars().next().map_or(0, char::len_utf8)])
}

fn is_web(scheme: &str) -> bool {
    let scheme = scheme.as_bytes();
    let ends_with = |name: &[u8]| {
        scheme.len() >= name.len() && scheme[scheme.len() - name.len()..].eq_ignore_ascii_case(name)
    };
    ends_with(b"http") || ends_with(b"https")
}

/// `name@` or `name:password@`, before the host of a link.
fn is_user(text: &str) -> bool {
    text.ends_with('@') && !text.contains(['/', '\\', '?', '#'])
}

fn ends_a_link(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '<' | '>' | '"' | '\'' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | '|')
        || matches!(
            character,
            '“' | '”' | '„' | '‘' | '’' | '«' | '»' | '、' | '。' | '，' | '：' | '；' | '！' | '？'
        )
        || matches!(character, '（' | '）' | '「' | '」' | '『' | '』' | '【' | '】' | '《' | '》')
}
