//! The words of a text: without names of brands, addresses, user names and tags.

use crate::domain::Span;

/// What is left of a text, and its words.
pub(super) struct Prose {
    /// With a space for each thing that was taken out, and full-width letters as plain ones.
    pub(super) text: String,
    /// How many letters it has.
    pub(super) letters: usize,
}

/// The last parts of hosts that are taken for one without a path behind them.
const DOMAINS: &[&str] = &[
    "ai", "app", "at", "au", "be", "biz", "br", "ca", "ch", "cn", "co", "com", "de", "dev", "edu", "es",
    "eu", "fm", "fr", "gg", "gl", "gov", "in", "info", "io", "it", "jp", "kr", "ly", "me", "mx", "net", "nl",
    "org", "pl", "pt", "ru", "se", "shop", "tv", "uk", "us",
];

impl Prose {
    /// Tags are words only where there are no others.
    pub(super) fn of(text: &str, names: &[Span]) -> Self {
        let without_names = without_names(text, names);
        let kept = self::kept(&without_names, false);
        let text =
            if kept.chars().any(char::is_alphabetic) { kept } else { self::kept(&without_names, true) };
        Self { letters: text.chars().filter(|character| character.is_alphabetic()).count(), text }
    }

    /// Runs of letters.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split(|character: char| !is_of_word(character)).filter(|word| !word.is_empty())
    }
}

/// Letters, and the marks that stand on or between them.
fn is_of_word(character: char) -> bool {
    character.is_alphabetic()
        || matches!(character, '\u{300}'..='\u{36F}' | '\u{93C}' | '\u{94D}' | '\u{200C}' | '\u{200D}')
}

fn without_names(text: &str, names: &[Span]) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    let (mut rest, mut at) = (String::with_capacity(text.len()), 0);
    for name in names {
        // Places of several brands may overlap.
        if let Some(before) = text.get(at..name.start.max(at))
            && name.end > at
        {
            rest.push_str(before);
            rest.push(' ');
            at = name.end;
        }
    }
    rest.push_str(text.get(at..).unwrap_or_default());
    rest
}

/// The words that are no addresses; tags without their sign, or not at all.
fn kept(text: &str, tags: bool) -> String {
    let mut kept = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let mut rest = word;
        while let Some(at) = rest.find(['@', '#', '＠', '＃']) {
            let (before, sign) = rest.split_at(at);
            let is_mail = before.ends_with(|character: char| character.is_ascii_alphanumeric());
            if !is_mail {
                push_words(before, &mut kept);
            }
            let is_tag = sign.starts_with(['#', '＃']);
            let behind = sign.trim_start_matches(['@', '#', '＠', '＃']);
            let end = behind.find(|character: char| {
                !(if is_tag {
                    is_of_word(character) || character.is_numeric()
                } else {
                    character.is_ascii_alphanumeric()
                } || matches!(character, '_' | '-')
                    || !is_tag && character == '.')
            });
            let (name, after) = behind.split_at(end.unwrap_or(behind.len()));
            if tags && is_tag {
                push_words(name, &mut kept);
            }
            kept.push(' ');
            rest = after;
        }
        push_words(rest, &mut kept);
        kept.push(' ');
    }
    kept
}

/// Appends what is no address. Addresses end at letters that they can't hold, as in Japanese.
fn push_words(word: &str, kept: &mut String) {
    // What is left of an entity of HTML or of a link that was taken out.
    if (word.starts_with('&') && word.ends_with(';')) || matches!(word, "http" | "https") {
        return;
    }
    let start =
        word.find("://").map(|at| word[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric()).len());
    let (before, link) = match start {
        Some(start) => word.split_at(start),
        None => (word, ""),
    };
    if !is_host(before) {
        kept.extend(before.chars().map(plain));
    }
    if let Some(end) = link.find(|character: char| !character.is_ascii()) {
        kept.push(' ');
        kept.extend(link[end..].chars().map(plain));
    }
}

/// Whether a word is a host, maybe with a path: `www.example.com/path`, `blogs.example.com`.
fn is_host(word: &str) -> bool {
    if !word.contains('.') {
        return false;
    }
    let word = word.trim_matches(|character: char| !character.is_ascii_alphanumeric());
    let (host, path) = word.split_at(word.find(['/', '?', ':']).unwrap_or(word.len()));
    let mut labels = host.rsplit('.');
    let (Some(domain), Some(name)) = (labels.next(), labels.next()) else { return false };
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_domain = domain.len() >= 2 && domain.bytes().all(|b| b.is_ascii_lowercase());
    is_domain
        && is_label(name)
        && labels.clone().all(is_label)
        && (path.starts_with('/')
            || host.starts_with("www.")
            || labels.next().is_some()
            || DOMAINS.contains(&domain))
}

/// Full-width letters as plain ones.
fn plain(character: char) -> char {
    match character {
        '\u{FF21}'..='\u{FF3A}' | '\u{FF41}'..='\u{FF5A}' => {
            char::from_u32(character as u32 - 0xFEE0).unwrap_or(character)
        }
        '’' | 'ʼ' => '\'',
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_names_and_tags_are_no_words() {
        for (text, words) in [
            ("Sehr gut! blogs.vmware.com/2026/11/a-new-way...", "Sehr gut"),
            ("see www.example.com, example.com and https://a.example/b?c=d#e", "see and"),
            ("見てhttps://example.com/abc高すぎる", "見て 高すぎる"),
            ("RT @some.body: mail me@example.com (or @me_2) #VMware_rocks now", "RT mail or now"),
            ("It was great.Then it broke. No.5", "It was great Then it broke No"),
            ("#nur #tags @da", "nur tags"),
            ("Ｌｏｖｅ it！！", "Love it"),
            ("fish &amp; chips http", "fish chips"),
        ] {
            let prose = Prose::of(text, &[]);
            assert_eq!(prose.words().collect::<Vec<_>>().join(" "), words, "{text}");
        }
    }

    #[test]
    fn names_are_taken_out_wherever_they_are() {
        let text = "Red Bull ist gut, RedBull nicht";
        let at = |start, end| Span { start, end };
        let names = [at(18, 25), at(0, 8), at(0, 3), at(90, 99)];
        assert_eq!(Prose::of(text, &names).words().collect::<Vec<_>>(), ["ist", "gut", "nicht"]);
    }
}
