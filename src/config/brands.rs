//! `config/brands.toml` -> the brands.

use std::collections::HashMap;

use url::Url;

use super::reader::{ConfigError, Problems, Section};
use crate::domain::{Brand, BrandId, Case, Place, Query};
use crate::folding::invisible_in;
use crate::matching::is_stop_word;
use crate::query::parse;

/// Reads the brands: one `[[brand]]` table each.
///
/// # Errors
/// All problems at once, each with its key path.
pub fn read_brands(text: &str) -> Result<Vec<Brand>, ConfigError> {
    read(text, Problems::default())
}

pub(super) fn read(text: &str, problems: Problems) -> Result<Vec<Brand>, ConfigError> {
    let table =
        text.parse().map_err(|error| ConfigError::one(format!("The brands are not valid TOML: {error}")))?;
    let mut root = Section::root(table, &problems);
    let mut brands = Vec::new();
    let mut first_with: HashMap<BrandId, usize> = HashMap::new();
    let mut first_with_logo: HashMap<String, (usize, BrandId)> = HashMap::new();
    let sections = root.sections("brand");
    if sections.is_empty() {
        root.note("brand", "there are no brands; write at least one `[[brand]]` table");
    }
    for (index, mut section) in sections.into_iter().enumerate() {
        let id = read_id(&mut section);
        if let Some(id) = &id {
            if let Some(first) = first_with.get(id) {
                section.note("id", format_args!("`{id}` is already the id of brand[{first}]"));
            } else {
                first_with.insert(id.clone(), index);
            }
        }
        let brand = read_brand(section, id.as_ref());
        if let Some(brand) = &brand {
            let (first, id) = first_with_logo.entry(brand.logo.clone()).or_insert((index, brand.id.clone()));
            // A duplicate id was noted above.
            if *first != index && *id != brand.id {
                let path = format!("brand[{index}].logo");
                problems.note(&path, format_args!("`{}` is already the logo of brand[{first}]", brand.logo));
            }
        }
        brands.extend(brand);
    }
    root.finish();
    problems.finish(brands)
}

fn read_id(section: &mut Section<'_>) -> Option<BrandId> {
    let Some(text) = section.optional::<String>("id") else {
        section.note("id", "is missing; write the id for rows and alerts, such as \"red-bull\"");
        return None;
    };
    // A value that is not a string was noted already and reads as an empty one.
    let parsed = (!text.is_empty()).then(|| text.parse())?;
    parsed.map_err(|error| section.note("id", error)).ok()
}

fn read_brand(mut section: Section<'_>, id: Option<&BrandId>) -> Option<Brand> {
    let name: String = section.optional("name").unwrap_or_else(|| {
        section.note("name", "is missing; write the name to display");
        String::new()
    });
    let brand = Brand {
        // A placeholder where the id is refused anyway, so that the terms are checked too.
        id: id.cloned().or_else(|| "unknown".parse().ok())?,
        name,
        words: terms(&mut section, "words", word_problem),
        hashtags: terms(&mut section, "hashtags", hashtag_problem),
        handles: terms(&mut section, "handles", handle_problem),
        hosts: terms(&mut section, "hosts", host_problem),
        logo: logo(&mut section, id),
        exclusions: terms(&mut section, "exclusions", |_| None),
        query: query(&mut section),
        case: case(&mut section),
        words_not_in: places(&mut section),
    };
    if brand.query.is_some() {
        for (key, list) in [
            ("words", &brand.words),
            ("hashtags", &brand.hashtags),
            ("handles", &brand.handles),
            ("hosts", &brand.hosts),
        ] {
            if !list.is_empty() {
                section.note(key, "stands beside query; write its terms into the query, joined by OR");
            }
        }
    }
    let has_query = brand.query.is_some() || !section.is_sound("query");
    let names_nothing =
        [&brand.words, &brand.hashtags, &brand.handles, &brand.hosts].iter().all(|list| list.is_empty());
    if names_nothing
        && !has_query
        && ["words", "hashtags", "handles", "hosts"].iter().all(|key| section.is_sound(key))
    {
        let problem = "is empty, and so are hashtags, handles and hosts; a brand needs at least one of them, or a query";
        section.note("words", problem);
    }
    for (index, phrase) in brand.exclusions.iter().enumerate() {
        if brand.words.iter().any(|word| word.trim().to_lowercase() == phrase.trim().to_lowercase()) {
            let problem =
                "is also one of the words, which would then never match; write a longer phrase around it";
            section.note(&format!("exclusions[{index}]"), problem);
        }
    }
    section.finish();
    id.is_some().then_some(brand)
}

/// The detector's label for the brand: its id, unless `logo` gives another.
fn logo(section: &mut Section<'_>, id: Option<&BrandId>) -> String {
    let own = || id.map(ToString::to_string).unwrap_or_default();
    let Some(name) = section.optional::<String>("logo").filter(|name| !name.is_empty()) else { return own() };
    if name.parse::<BrandId>().is_ok() {
        return name;
    }
    let rule = "a detector's labels are lower-case letters, digits and inner dashes, such as \"redbull\"";
    section.note("logo", format_args!("`{name}` is not a logo's label; {rule}"));
    own()
}

/// The query, if there is one. Every mistake in it is noted with its place.
fn query(section: &mut Section<'_>) -> Option<Query> {
    let source = section.optional::<String>("query").filter(|source| !source.is_empty())?;
    parse(&source)
        .map_err(|mistakes| {
            for mistake in mistakes {
                let pointer = mistake.pointer(&source).replace('\n', "\n    ");
                section.note(
                    "query",
                    format_args!("{}: {}\n    {pointer}", mistake.place(&source), mistake.message),
                );
            }
        })
        .ok()
}

fn case(section: &mut Section<'_>) -> Case {
    let Some(name) = section.optional::<String>("case").filter(|name| !name.is_empty()) else {
        return Case::default();
    };
    Case::ALL.into_iter().find(|case| case.as_str() == name).unwrap_or_else(|| {
        section.note("case", format_args!("`{name}` is not known; write \"auto\", \"any\" or \"exact\""));
        Case::default()
    })
}

/// Where words don't count.
fn places(section: &mut Section<'_>) -> Vec<Place> {
    const LEFT_OUT: [Place; 3] = [Place::Link, Place::Handle, Place::Tag];
    let names: Vec<String> = section.or("words_not_in", Vec::new());
    let mut places = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match LEFT_OUT.into_iter().find(|place| place.as_str() == name) {
            Some(place) => places.push(place),
            None => section.note(
                &format!("words_not_in[{index}]"),
                format_args!("`{name}` is not known; write \"link\", \"handle\" or \"tag\""),
            ),
        }
    }
    places
}

/// The strings of a list. Problems are noted with the path of each string.
fn terms(section: &mut Section<'_>, key: &str, problem: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let terms: Vec<String> = section.or(key, Vec::new());
    for (index, term) in terms.iter().enumerate() {
        let found = if term.trim().is_empty() { Some("is empty".to_owned()) } else { problem(term) };
        if let Some(found) = found {
            section.note(&format!("{key}[{index}]"), found);
        }
    }
    terms
}

fn word_problem(word: &str) -> Option<String> {
    let bare = word.trim_start_matches(['#', '@']);
    match word.chars().next() {
        Some('#') => Some(format!("`{word}` is a hashtag; write \"{bare}\" under hashtags")),
        Some('@') => Some(format!("`{word}` is a handle; write \"{bare}\" under handles")),
        _ => query_in_a_word(word).or_else(|| unlikely_word(word)),
    }
}

/// What is written as if a list held queries.
fn query_in_a_word(word: &str) -> Option<String> {
    let meant = |query: &str| {
        format!(
            "`{word}` would be looked for as it stands; write it as a query: query = {}",
            serde_json::json!(query)
        )
    };
    let operators = ["AND", "OR", "NOT"];
    let is_operator =
        |part: &str| operators.contains(&part) || part.starts_with("NEAR/") || part.starts_with("ONEAR/");
    if word.split_whitespace().any(is_operator) || word.ends_with('*') && parse(word).is_ok() {
        return Some(meant(word));
    }
    word.contains('*')
        .then(|| format!("`{word}` has a `*`, which stands for nothing here; a query may end words with it"))
}

/// What nobody can mean.
fn unlikely_word(word: &str) -> Option<String> {
    if is_stop_word(word.trim()) {
        return Some(format!("`{word}` stands in every other post; write a phrase with it, or a query"));
    }
    invisible_in(word).map(|unseen| {
        let seen = word.replace(unseen, "");
        format!("holds the character {}, which nobody sees; write \"{seen}\"", unseen.escape_unicode())
    })
}

fn hashtag_problem(tag: &str) -> Option<String> {
    if let Some(bare) = tag.strip_prefix('#') {
        return Some(format!("write \"{bare}\", without the `#`"));
    }
    tag.contains(char::is_whitespace).then(|| format!("`{tag}` contains white space, which hashtags can't"))
}

fn handle_problem(handle: &str) -> Option<String> {
    if let Some(bare) = handle.strip_prefix('@') {
        return Some(format!("write \"{bare}\", without the `@`"));
    }
    handle
        .contains(char::is_whitespace)
        .then(|| format!("`{handle}` contains white space, which handles can't"))
}

fn host_problem(host: &str) -> Option<String> {
    let advice = |host: &str| {
        format!(
            "`{host}` is not a plain host; write it like \"example.com\": links to its subdomains match too"
        )
    };
    let parsed = Url::parse(&format!("http://{host}/")).ok();
    // A plain host is a name with dots, and a URL made from it has no other part.
    let alone = parsed.is_some_and(|url| {
        url.host_str().is_some_and(|parsed| parsed.contains('.'))
            && url.path() == "/"
            && url.port().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    let plain = !host.contains(['/', ':', '?', '#', '@', '*', '\\'])
        && !host.contains(char::is_whitespace)
        && !host.starts_with('.')
        && !host.ends_with('.');
    (!alone || !plain).then(|| advice(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Post, PostKey};
    use crate::matching::Matcher;

    fn problems(text: &str) -> Vec<String> {
        read_brands(text).unwrap_err().problems().to_vec()
    }

    #[test]
    fn every_key_is_read() {
        let brands = read_brands(
            r#"
            [[brand]]
            id = "acme"
            name = "Acme"
            words = ["Acme", "Acme Corp"]
            hashtags = ["acme"]
            handles = ["acme.example"]
            hosts = ["acme.example", "bücher.example"]
            exclusions = ["acme of perfection"]
            logo = "acme-corp"

            [[brand]]
            id = "c-sharp"
            name = "C#"
            words = ["C#"]
            "#,
        )
        .unwrap();
        assert_eq!(brands[0].id.as_str(), "acme");
        assert_eq!(brands[0].name, "Acme");
        assert_eq!(brands[0].words, ["Acme", "Acme Corp"]);
        assert_eq!(brands[0].hashtags, ["acme"]);
        assert_eq!(brands[0].handles, ["acme.example"]);
        assert_eq!(brands[0].hosts, ["acme.example", "bücher.example"]);
        assert_eq!(brands[0].exclusions, ["acme of perfection"]);
        assert_eq!(brands[0].logo, "acme-corp");
        assert_eq!(brands[1].words, ["C#"]);
        assert_eq!(brands[1].logo, "c-sharp", "the id is the default");
    }

    #[test]
    fn all_problems_are_reported_at_once_with_their_paths() {
        let found = problems(
            r##"
            colour = "red"

            [[brand]]
            id = "Acme"
            name = ""
            words = ["#acme", "@acme", " "]
            hashtags = ["#acme", "ac me"]
            handles = ["@acme", "ac me"]
            hosts = ["https://acme.example", "acme.example/x", "acme", "*.acme.example", "acme.example:80", "a b.example"]

            [[brand]]
            id = "empty"
            name = "Empty"
            exclusions = ["x"]

            [[brand]]
            id = "empty"
            words = "one"
            word = ["two"]

            [[brand]]
            id = ""
            name = "Nobody"
            words = ["Apple"]
            exclusions = ["apple"]

            [[brand]]
            id = 7
            name = "Seven"
            words = ["seven"]
            "##,
        );
        let expected = [
            ("brand[0].handles[0]", "write \"acme\", without the `@`"),
            ("brand[0].handles[1]", "white space"),
            ("brand[0].hashtags[0]", "write \"acme\", without the `#`"),
            ("brand[0].hashtags[1]", "white space"),
            ("brand[0].hosts[0]", "write it like \"example.com\""),
            ("brand[0].hosts[1]", "not a plain host"),
            ("brand[0].hosts[2]", "not a plain host"),
            ("brand[0].hosts[3]", "not a plain host"),
            ("brand[0].hosts[4]", "not a plain host"),
            ("brand[0].hosts[5]", "not a plain host"),
            ("brand[0].id", "`Acme` is not a brand id"),
            ("brand[0].name", "is missing"),
            ("brand[0].words[0]", "write \"acme\" under hashtags"),
            ("brand[0].words[1]", "write \"acme\" under handles"),
            ("brand[0].words[2]", "is empty"),
            ("brand[1].words", "a brand needs at least one of them"),
            ("brand[2].id", "is already the id of brand[1]"),
            ("brand[2].name", "is missing"),
            ("brand[2].word", "unknown key"),
            ("brand[2].words", "\"one\" is not an array"),
            ("brand[3].exclusions[0]", "never match"),
            ("brand[3].id", "is missing"),
            ("brand[4].id", "7 is not a string"),
            ("colour", "unknown key"),
        ];
        for (path, words) in expected {
            let matches =
                |problem: &&String| problem.starts_with(&format!("{path}: ")) && problem.contains(words);
            assert!(found.iter().any(|problem| matches(&problem)), "{path}: {words} is not in {found:#?}");
        }
        assert_eq!(found.len(), expected.len(), "{found:#?}");
    }

    #[test]
    fn a_logo_belongs_to_one_brand_and_is_a_valid_label() {
        let brands = |first: &str, second: &str| {
            let brand = |id: &str, logo: &str| {
                format!("[[brand]]\nid = \"{id}\"\nname = \"x\"\nwords = [\"{id}\"]\n{logo}\n")
            };
            brand("a", first) + &brand("b", second)
        };
        let twice = problems(&brands("", "logo = \"a\""));
        assert_eq!(twice, ["brand[1].logo: `a` is already the logo of brand[0]"]);
        let odd = problems(&brands("logo = \"Red Bull\"", ""));
        assert!(odd[0].starts_with("brand[0].logo: `Red Bull` is not a logo's label"), "{odd:?}");
    }

    #[test]
    fn a_file_without_brands_is_refused() {
        assert!(problems("")[0].starts_with("brand: there are no brands"));
        assert!(problems("brand = 1")[0].contains("not an array of tables"));
        assert!(problems("[[brand]\n")[0].starts_with("The brands are not valid TOML"));
    }

    #[test]
    fn the_default_file_finds_the_brands_that_it_should() {
        let matcher = Matcher::new(&read_brands(include_str!("../../config/brands.toml")).unwrap());
        let named = |text: &str| -> Vec<String> {
            let post = Post::new(
                PostKey {
                    source: "t".to_owned(),
                    id: "1".to_owned(),
                    created_at: chrono::DateTime::UNIX_EPOCH,
                },
                text,
            );
            matcher.find(&post, &|_| None).iter().map(|spans| spans.brand.to_string()).collect()
        };
        for (text, expected) in [
            ("vSphere 8 is out, says https://blogs.vmware.com/x", "vmware"),
            ("New Superstars from #adidas", "adidas"),
            ("Red Bull gives you wings", "redbull"),
            ("ein kühles Coca-Cola", "cocacola"),
            ("diet coke please", "cocacola"),
            ("a double espresso at Starbucks", "starbucks"),
        ] {
            assert_eq!(named(text), [expected], "{text}");
        }
        for text in
            ["a red bull in the field behind us", "coke oven", "we make virtual machines", "bullish on red"]
        {
            assert!(named(text).is_empty(), "{text} names {:?}", named(text));
        }
    }
}
