//! Links: the host of an address, and whether a span of a text is the host of a link.

use url::Url;

/// The host of an address: lower case, in ASCII (`xn--…`), without a final dot. Addresses without
/// a scheme are read as `http`.
pub(super) fn host_of(address: &str) -> Option<String> {
    let parsed = match Url::parse(address) {
        Ok(url) if url.host_str().is_some() => url,
        // `vmware.com:443/x` parses as a URL with the scheme `vmware.com`.
        _ => Url::parse(&format!("http://{address}")).ok()?,
    };
    let host = parsed.host_str()?.trim_end_matches('.');
    (!host.is_empty()).then(|| host.to_owned())
}

/// A host and its parent domains: `a.b.c`, `b.c`, `c`.
pub(super) fn with_parents(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| host.split_once('.').map(|(_, parent)| parent))
}

/// Where in a word without white space an address begins.
pub(super) fn address_in(word: &str) -> Option<usize> {
    match word.find("://") {
        Some(at) if is_web(&word[..at]) => {
            let scheme = if word[..at].ends_with('s') { "https" } else { "http" };
            Some(at - scheme.len())
        }
        _ => is_bare_address(word).then_some(0),
    }
}

/// Whether a word is an address without a scheme: it begins with `www.`, or a host with dots is followed by
/// a path or ends in one of the most common top-level domains.
fn is_bare_address(word: &str) -> bool {
    let host = word.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if !host.chars().all(is_host) {
        return false;
    }
    let host = host.trim_end_matches('.');
    let Some((_, top)) = host.rsplit_once('.') else { return false };
    let is_top = top.len() >= 2 && top.bytes().all(|b| b.is_ascii_lowercase());
    host.starts_with("www.") || is_top && (word[host.len()..].starts_with('/') || TOP_DOMAINS.contains(&top))
}

/// The top-level domains of most addresses that are written without a scheme.
const TOP_DOMAINS: [&str; 28] = [
    "app", "at", "au", "biz", "br", "ca", "ch", "co", "com", "de", "dev", "edu", "es", "eu", "example", "fr",
    "gov", "in", "info", "io", "it", "jp", "ly", "net", "nl", "org", "pl", "uk",
];

/// The text after the host, up to and including the delimiter. An `@` makes the host a user name.
pub(super) fn rest(text: &str, from: usize) -> &str {
    let tail = &text[from..];
    let end = tail.find(|c: char| ends_a_link(c) || matches!(c, '@' | '/' | '\\' | '?' | '#'));
    end.map_or("", |end| &tail[..end + tail[end..].chars().next().map_or(0, char::len_utf8)])
}

pub(super) fn is_web(scheme: &str) -> bool {
    let scheme = scheme.as_bytes();
    let ends_with = |name: &[u8]| {
        scheme.len() >= name.len() && scheme[scheme.len() - name.len()..].eq_ignore_ascii_case(name)
    };
    ends_with(b"http") || ends_with(b"https")
}

/// Whether this is the `name@` or `name:password@` before the host of a link.
pub(super) fn is_user(text: &str) -> bool {
    text.ends_with('@') && !text.contains(['/', '\\', '?', '#'])
}

pub(super) fn ends_a_link(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '<' | '>' | '"' | '\'' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | '|')
        || matches!(
            character,
            '“' | '”' | '„' | '‘' | '’' | '«' | '»' | '、' | '。' | '，' | '：' | '；' | '！' | '？'
        )
        || matches!(character, '（' | '）' | '「' | '」' | '『' | '』' | '【' | '】' | '《' | '》')
}
