//! The text of HTML, as a reader sees it, and the addresses in it.
//!
//! This is no browser: tags, comments and the insides of scripts and styles are passed over, and what
//! begins a new line there does so here. Anything may be written wrongly.

use super::entities::unescape_html;

/// What HTML says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Html {
    /// The words, with paragraphs on lines of their own.
    pub(super) text: String,
    /// Where its links lead, but for mentions and hashtags.
    pub(super) links: Vec<String>,
    /// The addresses of its pictures.
    pub(super) pictures: Vec<String>,
    /// What its pictures are said to show.
    pub(super) alt_texts: Vec<String>,
}

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 17] = [
    "p",
    "div",
    "li",
    "ul",
    "ol",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "tr",
    "table",
    "figure",
    "section",
];
/// Elements whose insides nobody reads.
const UNREAD: [&str; 4] = ["script", "style", "template", "head"];

/// Reads HTML.
///
/// A link whose words are only its address, shortened or in invisible pieces as Mastodon writes it, is
/// shown as its whole address.
pub(super) fn read_html(html: &str) -> Html {
    let mut reader = Reader::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        reader.words(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let is_tag = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        let Some(end) = is_tag.then(|| tag_end(rest)).flatten() else {
            reader.words("<");
            rest = &rest[1..];
            continue;
        };
        let tag = Tag::read(&rest[1..end]);
        rest = &rest[end + 1..];
        if UNREAD.contains(&tag.name.as_str()) && !tag.closes {
            rest = behind(rest, &tag.name);
            continue;
        }
        reader.tag(&tag);
    }
    reader.words(rest);
    reader.finish()
}

/// Where a tag ends; a `>` within quotes does not end it. One with another `<` in it is no tag.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'<') => return None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// What stands behind the end of an element; nothing where it does not end.
fn behind<'a>(text: &'a str, name: &str) -> &'a str {
    for (at, _) in text.match_indices("</") {
        let close = &text[at + 2..];
        if close.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return close.find('>').map_or("", |end| &close[end + 1..]);
        }
    }
    ""
}

struct Tag {
    name: String,
    closes: bool,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn read(inside: &str) -> Self {
        let closes = inside.starts_with('/');
        let inside = inside.trim_start_matches('/').trim_end_matches('/');
        let (name, mut rest) = inside.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((inside, ""));
        let mut attributes = Vec::new();
        while let Some((key, value)) = rest.split_once('=') {
            let key = key.split_ascii_whitespace().last().unwrap_or_default().to_ascii_lowercase();
            let value = value.trim_start();
            let quoted = value
                .strip_prefix('"')
                .map(|v| (v, '"'))
                .or_else(|| value.strip_prefix('\'').map(|v| (v, '\'')));
            let (value, behind) = match quoted {
                Some((value, quote)) => value.split_once(quote).unwrap_or((value, "")),
                None => value.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((value, "")),
            };
            attributes.push((key, unescape_html(value).into_owned()));
            rest = behind;
        }
        Self { name: name.to_ascii_lowercase(), closes, attributes }
    }

    fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn has_class(&self, class: &str) -> bool {
        self.attribute("class")
            .is_some_and(|classes| classes.split_ascii_whitespace().any(|found| found == class))
    }
}

#[derive(Default)]
struct Reader {
    found: Html,
    /// Where in the text the words of a link begin, and its address.
    link: Option<(usize, String)>,
}

impl Reader {
    fn words(&mut self, raw: &str) {
        let text = &mut self.found.text;
        let decoded = unescape_html(raw);
        for (index, word) in decoded.split(|c: char| c.is_ascii_whitespace()).enumerate() {
            if index > 0 && !text.is_empty() && !text.ends_with([' ', '\n']) {
                text.push(' ');
            }
            text.push_str(word);
        }
    }

    fn line(&mut self) {
        let text = &mut self.found.text;
        text.truncate(text.trim_end_matches(' ').len());
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
    }

    fn tag(&mut self, tag: &Tag) {
        match tag.name.as_str() {
            "br" => self.line(),
            "a" => {
                self.end_link();
                if !tag.closes {
                    self.begin_link(tag);
                }
            }
            "img" => {
                self.found.pictures.extend(tag.attribute("src").map(str::to_owned));
                self.found.alt_texts.extend(tag.attribute("alt").map(str::to_owned));
            }
            block if BLOCKS.contains(&block) => self.line(),
            "td" | "th" => self.words(" "),
            _ => {}
        }
    }

    fn begin_link(&mut self, tag: &Tag) {
        let Some(address) = tag.attribute("href").filter(|address| !address.is_empty()) else { return };
        if !tag.has_class("mention") && !tag.has_class("hashtag") {
            self.found.links.push(address.to_owned());
            self.link = Some((self.found.text.len(), address.to_owned()));
        }
    }

    /// Shows the whole address where the words of the link are a piece of it.
    fn end_link(&mut self) {
        let Some((from, address)) = self.link.take() else { return };
        let text = &mut self.found.text;
        let Some(words) = text.get(from..) else { return };
        let words = words.trim().trim_end_matches(['…', '.']);
        if words.contains('.') && !words.contains(char::is_whitespace) && address.contains(words) {
            text.truncate(from);
            text.push_str(&address);
        }
    }

    fn finish(mut self) -> Html {
        self.end_link();
        self.found.text.truncate(self.found.text.trim_end().len());
        self.found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn html_is_read_as_a_reader_sees_it() {
        for (html, text) in [
            ("plain", "plain"),
            ("<p>One</p><p>two<br>three<br />four</p>", "One\ntwo\nthree\nfour"),
            ("AT&amp;T &amp;lt;3 &lt;b&gt;", "AT&T &lt;3 <b>"),
            ("a\n  b <b>c</b>d", "a b cd"),
            ("<ul><li>x</li><li>y</li></ul>z", "x\ny\nz"),
            ("1 < 2 and 3 > 2 <3", "1 < 2 and 3 > 2 <3"),
            ("<script>if (a < b) {}</script>x<style>p{}</STYLE>y<!-- <p> -->z<!-- never", "xyz"),
            ("<a title=\"a > b\" href='https://a.example/'>here</a>", "here"),
            ("<p>unended <a href=", "unended <a href="),
            ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ] {
            assert_eq!(read_html(html).text, text, "{html}");
        }
    }

    #[test]
    fn addresses_are_whole_and_mentions_and_hashtags_are_none() {
        let found = read_html(
            "<p>Look <a href=\"https://news.example/a/very-long-path?x=1&amp;y=2\"><span class=\"invisible\">https://\
             </span><span class=\"ellipsis\">news.example/a/very</span><span class=\"invisible\">-long-path?x=1&amp;y=2\
             </span></a> <span class=\"h-card\"><a href=\"https://s.example/@kim\" class=\"u-url mention\">@<span>kim\
             </span></a></span> <a class=\"mention hashtag\" href=\"https://s.example/tags/x\">#<span>x</span></a> \
             <a href=\"https://b.example/c\">b.example/c…</a> <a href=\"https://c.example\">click here</a> \
             <img src=\"https://d.example/1.png\" alt=\"A &quot;can&quot;\"></p>",
        );
        assert_eq!(
            found.text,
            "Look https://news.example/a/very-long-path?x=1&y=2 @kim #x https://b.example/c click here"
        );
        let links =
            ["https://news.example/a/very-long-path?x=1&y=2", "https://b.example/c", "https://c.example"];
        assert_eq!(found.links, links);
        assert_eq!(
            (found.pictures, found.alt_texts),
            (vec!["https://d.example/1.png".to_owned()], vec!["A \"can\"".to_owned()])
        );
    }

    #[test]
    fn long_wrong_html_is_read_at_once() {
        let began = std::time::Instant::now();
        for piece in ["<", "<p", "<a href=\"", "<script>", "</", "<!--", "&", "<a href=x>x.y"] {
            read_html(&piece.repeat(200_000 / piece.len()));
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    }

    proptest! {
        #[test]
        fn any_text_is_read(html in r#"(<|>|/|a|p|br|img|script|!--|-->| href=|"|'|=|&|;|#|x|é| |\n){0,40}"#) {
            read_html(&html);
        }
    }
}
