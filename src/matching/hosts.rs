//! Hosts: whether a place in a text is the host of a link.

use super::area::Area;
use super::links::{ends_a_link, is_user, is_web, rest};
use crate::domain::Span;

/// How many bytes before a host are searched for the start of its link. It bounds the work on a
/// text that is one very long word.
const LONGEST_LINK: usize = 2048;

/// Whether `span` is the host of a link or a parent domain of it. A link has a scheme (`http` or
/// `https`) or is a bare host, with or without a path. A name after the `@` of a mail address or a
/// handle, or in the path or query of another link, is not a host.
pub(super) fn is_host_of_link(area: &Area<'_>, span: Span) -> bool {
    if !area.is_edge(span.end) || area.name_continues(span.end) {
        return false;
    }
    let text = area.folded();
    let head = &text[text.floor_char_boundary(span.start.saturating_sub(LONGEST_LINK))..span.start];
    let before_host =
        head.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    let host_start = span.start - (head.len() - before_host.len());
    let whole_labels = host_start == span.start || head.ends_with('.');
    if !whole_labels || !area.is_edge(host_start) {
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
