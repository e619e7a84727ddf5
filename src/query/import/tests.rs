use std::collections::BTreeSet;

use proptest::prelude::*;

use super::grammar::{Kind, Node, read};
use super::*;
use crate::domain::Property;
use crate::query::parse;

const MORE: Fate = Fate::LeftOut(Effect::More);
const FEWER: Fate = Fate::LeftOut(Effect::Fewer);

/// The query in our words, and each note as the piece that it is about and what became of it.
fn carried(source: &str, tool: Tool) -> (String, Vec<(&str, Fate)>) {
    let import = import(source, tool).unwrap_or_else(|mistakes| panic!("{source}: {mistakes:?}"));
    let text = import.query.to_string();
    assert_eq!(parse(&text), Ok(import.query), "{source}");
    let notes = import.notes.iter().map(|note| (&source[note.at.start..note.at.end], note.fate)).collect();
    (text, notes)
}

fn same(tool: Tool, cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(carried(source, tool), ((*expected).to_owned(), Vec::new()), "{source}");
    }
}

type Told = (&'static str, &'static str, &'static [(&'static str, Fate)]);

fn told(tool: Tool, cases: &[Told]) {
    for (source, expected, notes) in cases {
        assert_eq!(carried(source, tool), ((*expected).to_owned(), notes.to_vec()), "{source}");
    }
}

fn refused(tool: Tool, cases: &[(&str, &str, &str)]) {
    for (source, at, message) in cases {
        let mistakes = import(source, tool).expect_err(source);
        let found = mistakes.iter().any(|mistake| {
            &source[mistake.at.start..mistake.at.end] == *at && mistake.message.contains(message)
        });
        assert!(found, "{source}: {mistakes:?}");
    }
}

#[test]
fn what_brandwatch_and_we_can_both_say_is_carried_over_whole() {
    same(
        Tool::Brandwatch,
        &[
            ("\"apple juice\"", "\"apple juice\""),
            ("“apple juice”", "\"apple juice\""),
            ("apple AND juice", "apple AND juice"),
            ("apple NOT juice", "apple AND NOT juice"),
            ("apple AND NOT juice", "apple AND NOT juice"),
            ("(apple AND juice) OR (apple AND sauce)", "apple AND juice OR apple AND sauce"),
            ("(apple OR pear) AND (juice OR sauce)", "(apple OR pear) AND (juice OR sauce)"),
            // Theirs is the number of words between, ours how far it is to the next one.
            ("\"apple juice\"~5", "apple NEAR/6 juice"),
            (
                "(apple OR orange) NEAR/5 (smartphone OR phone)",
                "(apple OR orange) NEAR/6 (smartphone OR phone)",
            ),
            ("logitech NEAR/2f keyboard", "logitech ONEAR/3 keyboard"),
            ("logitech NEAR/0f keyboard", "logitech ONEAR/1 keyboard"),
            (
                "((apple OR orange) AND (smartphone OR phone))~5",
                "(apple OR orange) NEAR/6 (smartphone OR phone)",
            ),
            ("complain*", "complain*"),
            ("\"customer complain*\"", "\"customer complain*\""),
            ("\"complain* about service\"", "complain* ONEAR/1 \"about service\""),
            ("#MondayMotiv* OR @brandwatch", "#MondayMotiv* OR @brandwatch"),
            ("{BT}", "{BT}"),
            ("raw:Google+", "{Google+}"),
            ("raw:\"Coca Cola\"", "{Coca Cola}"),
            ("bt AND language:en", "bt AND lang:en"),
            ("bt AND site:twitter.com", "bt AND source:x"),
            ("bt AND site:(\"twitter.com\" OR www.reddit.com)", "bt AND (source:x OR source:reddit)"),
            ("links:msn.com", "site:msn.com"),
            ("links:\"https://www.msn.com/News*\"", "link:msn.com/news"),
            ("bt AND author:ladyGaga", "bt AND author:ladygaga"),
            ("hashtags:bt OR at_mentions:@bt", "#bt OR @bt"),
            ("bt AND engagementType:RETWEET", "bt AND is:repost"),
            ("bt NOT (engagementType:REPLY OR engagementType:QUOTE)", "bt AND NOT (is:reply OR is:quote)"),
            ("bt <<<the company, not the thing>>> NOT \"bt tower\"", "bt AND NOT \"bt tower\""),
            ("AT&T OR 7-eleven OR wendy's OR C++ OR 🍏", "AT&T OR 7-eleven OR wendy's OR C++ OR 🍏"),
            // Words, not operators: those are in capitals.
            ("\"black and decker\" OR near", "\"black and decker\" OR \"near\""),
            ("see AND https://msn.com/x", "see AND \"https://msn.com/x\""),
        ],
    );
}

#[test]
fn what_talkwalker_and_we_can_both_say_is_carried_over_whole() {
    same(
        Tool::Talkwalker,
        &[
            ("BMW AND bike", "BMW AND bike"),
            ("BMW AND NOT bike", "BMW AND NOT bike"),
            ("chocolate -swiss", "chocolate AND NOT swiss"),
            ("chocolate -\"swiss army\"", "chocolate AND NOT \"swiss army\""),
            ("BMW AND (motorcycle OR car)", "BMW AND (motorcycle OR car)"),
            ("apple NEAR/3 iphone", "apple NEAR/4 iphone"),
            ("apple ONEAR/3 iphone", "apple ONEAR/4 iphone"),
            ("\"apple iphone\"~3", "apple NEAR/4 iphone"),
            ("Luxemb*", "Luxemb*"),
            ("++BMW", "{BMW}"),
            ("++\"Samsung S8\"", "{Samsung S8}"),
            ("+café", "café"),
            ("auto AND lang:de", "auto AND lang:de"),
            ("auto AND (lang:de OR lang:en)", "auto AND (lang:de OR lang:en)"),
            ("content:(bmw OR audi)", "in:text(bmw OR audi)"),
            ("bmw AND sourcetype:SOCIALMEDIA_TWITTER", "bmw AND source:x"),
            ("bmw AND sourcetype:SOCIALMEDIA_FACEBOOK", "bmw AND source:facebook"),
            ("bmw AND domainurl:reddit.com", "bmw AND source:reddit"),
            ("bmw AND author:bmwgroup AND NOT is:retweet", "bmw AND author:bmwgroup AND NOT is:repost"),
            ("mention:@bmw OR #bmw", "@bmw OR #bmw"),
        ],
    );
}

#[test]
fn what_has_no_equivalent_is_named_with_what_it_does_to_the_query() {
    told(
        Tool::Brandwatch,
        &[
            ("apple AND country:gbr", "apple", &[("country:gbr", MORE)]),
            ("apple AND latitude:[41 TO 44]", "apple", &[("latitude:[41 TO 44]", MORE)]),
            ("apple OR authorGender:F", "apple", &[("authorGender:F", FEWER)]),
            ("apple NOT country:usa", "apple", &[("country:usa", MORE)]),
            ("apple NOT (pie OR country:usa)", "apple AND NOT pie", &[("country:usa", MORE)]),
            // `NOT pie` alone would lose posts from elsewhere.
            ("apple NOT (pie AND country:usa)", "apple", &[("country:usa", MORE)]),
            (
                "apple AND (country:gbr OR country:usa)",
                "apple",
                &[("country:gbr", MORE), ("country:usa", MORE)],
            ),
            ("apple AND (rating:5 OR juice)", "apple AND juice", &[("rating:5", FEWER)]),
            ("apple AND customi?e", "apple", &[("customi?e", MORE)]),
            ("apple AND w*rd", "apple", &[("w*rd", MORE)]),
            ("apple AND ab*", "apple", &[("ab*", MORE)]),
            ("apple NEAR/5 (country:gbr)", "apple", &[("country:gbr", MORE)]),
            ("apple AND site:nytimes.com", "apple", &[("site:nytimes.com", MORE)]),
            ("apple AND author:\"tim cook\"", "apple", &[("author:\"tim cook\"", MORE)]),
            ("apple AND colour:red", "apple", &[("colour:red", MORE)]),
            ("(apple NEAR/500 pie) OR pear", "pear", &[("apple NEAR/500 pie", FEWER)]),
        ],
    );
    told(
        Tool::Talkwalker,
        &[
            ("bmw AND sourcecountry:de", "bmw", &[("sourcecountry:de", MORE)]),
            ("bmw AND reach:>1000", "bmw", &[("reach:>1000", MORE)]),
            ("bmw OR sentiment:negative", "bmw", &[("sentiment:negative", FEWER)]),
            ("bmw AND sourcetype:ONLINENEWS", "bmw", &[("sourcetype:ONLINENEWS", MORE)]),
        ],
    );
}

#[test]
fn what_is_close_is_taken_where_that_finds_more_and_is_told() {
    told(
        Tool::Brandwatch,
        &[
            (
                "title:\"apple juice\"",
                "in:text(\"apple juice\")",
                &[("title:\"apple juice\"", Fate::Widened)],
            ),
            ("title:(apple OR pear)", "in:text(apple OR pear)", &[("title:(apple OR pear)", Fate::Widened)]),
            // Here the same would lose posts.
            ("apple NOT title:job", "apple", &[("title:job", MORE)]),
            ("tags:apple", "#apple", &[("tags:apple", Fate::Widened)]),
            ("title:#apple", "#apple", &[("title:#apple", Fate::Widened)]),
            ("apple AND imageType:image", "apple AND has:image", &[("imageType:image", Fate::Widened)]),
            (
                "apple AND url:twitter.com/apple",
                "apple AND source:x",
                &[("url:twitter.com/apple", Fate::Widened)],
            ),
            (
                "\"fresh apple juice\"~4",
                "fresh NEAR/5 apple NEAR/6 juice",
                &[("\"fresh apple juice\"~4", Fate::Widened)],
            ),
        ],
    );
    told(
        Tool::Talkwalker,
        &[("bmw SENTENCE recall", "bmw AND recall", &[("bmw SENTENCE recall", Fate::Widened)])],
    );
}

#[test]
fn what_can_be_read_in_two_ways_is_told() {
    told(
        Tool::Brandwatch,
        &[
            ("apple OR pear AND juice", "apple OR pear AND juice", &[("AND", Fate::Assumed)]),
            ("apple OR pear NOT juice", "apple OR pear AND NOT juice", &[("NOT", Fate::Assumed)]),
            ("apple juice", "apple AND juice", &[("juice", Fate::Assumed)]),
            ("apple NEAR/2 pear OR fig", "apple NEAR/3 pear OR fig", &[("NEAR/2", Fate::Assumed)]),
        ],
    );
}

#[test]
fn an_alternative_that_asks_for_no_word_is_left_out() {
    told(
        Tool::Brandwatch,
        &[
            ("apple OR author:apple", "apple", &[("author:apple", FEWER)]),
            (
                "((apple OR author:apple) NOT pie) AND language:en",
                "apple AND NOT pie AND lang:en",
                &[("author:apple", FEWER)],
            ),
            ("apple AND (language:en OR language:de)", "apple AND (lang:en OR lang:de)", &[]),
        ],
    );
}

#[test]
fn what_cannot_be_read_points_at_its_place() {
    refused(
        Tool::Brandwatch,
        &[
            ("", "", "no query"),
            ("(apple OR pear", "(", "not closed"),
            ("apple OR pear)", ")", "closes nothing"),
            ("apple AND", "", "missing"),
            ("apple AND OR pear", "OR", "before this operator"),
            ("\"apple", "\"apple", "not closed"),
            ("apple near/5 pear", "near/5", "capitals"),
            ("apple NEAR pear", "NEAR", "NEAR/5"),
            ("apple -pie", "-", "NOT"),
            ("(a AND b AND c)~5", "~5", "two groups"),
            ("apple <<<comment", "<<<comment", "does not end"),
            ("country:gbr", "country:gbr", "no places"),
            ("NOT apple", "NOT apple", "without any word"),
        ],
    );
    refused(
        Tool::Talkwalker,
        &[("lang:en", "lang:en", "without any word"), ("bmw AND ++(a)", "++", "must follow")],
    );
}

#[test]
fn a_note_says_where_what_and_why() {
    let source = "apple\n  AND country:gbr";
    let import = import(source, Tool::Brandwatch).unwrap();
    let told = import.notes[0].describe(source);
    assert!(
        told.starts_with("line 2, column 7: `country:gbr` left out, so more posts are found: "),
        "{told}"
    );
}

/// A bank's query, as one grows over the years.
#[test]
fn a_long_query_of_an_analyst_is_carried_over() {
    let source = r#"
<<< 1. the bank, by its names >>>
(("northwind bank" OR northwindbank OR "north wind bank" OR #northwindbank OR @northwindbank OR @northwind_help
  OR links:northwind.example OR {NWB})
 OR (northwind NEAR/8 (bank* OR mortgage* OR "credit card" OR "current account" OR overdraft* OR app OR branch*
  OR loan* OR savings OR "customer service" OR ATM* OR fraud*)))
<<< 2. not the ferry, the novel, or people who look for work >>>
NOT (northwind NEAR/3 (ferry OR ferries OR sailing OR harbour OR "north sea"))
NOT ("northwind chronicles" OR (northwind NEAR/5f (novel OR author OR chapter*)))
NOT (title:(vacancy OR hiring OR "job alert") OR "we are hiring" OR #jobs OR author:northwindjobs)
NOT (engagementType:RETWEET AND authorFollowers:[0 TO 10])
AND (language:en OR language:de) AND (country:gbr OR country:deu)
"#;
    let (text, notes) = carried(source, Tool::Brandwatch);
    assert!(text.starts_with("(\"northwind bank\" OR northwindbank OR"), "{text}");
    assert!(
        text.contains("site:northwind.example OR {NWB} OR northwind NEAR/9 (bank* OR mortgage* OR"),
        "{text}"
    );
    assert!(text.contains("NOT northwind NEAR/4 (ferry OR"), "{text}");
    assert!(text.contains("northwind ONEAR/6 (novel OR author OR chapter*)"), "{text}");
    assert!(text.contains("NOT (\"we are hiring\" OR #jobs OR author:northwindjobs)"), "{text}");
    assert!(text.ends_with("AND (lang:en OR lang:de)"), "{text}");
    let expected = [
        ("title:(vacancy OR hiring OR \"job alert\")", MORE),
        ("authorFollowers:[0 TO 10]", MORE),
        ("country:gbr", MORE),
        ("country:deu", MORE),
    ];
    assert_eq!(notes, expected);
}

fn words() -> impl Strategy<Value = String> {
    let leaf =
        prop::sample::select(vec!["aaa", "bbb", "ccc", "country:us", "title:aaa"]).prop_map(str::to_owned);
    leaf.prop_recursive(5, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" OR "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" AND "))),
            (inner.clone(), inner).prop_map(|(one, other)| format!("({one} NOT {other})")),
        ]
    })
}

/// What the other tool says of a post with these words, this title, and perhaps from there.
fn theirs(node: &Node, post: &BTreeSet<&str>) -> bool {
    match &node.kind {
        Kind::Word(word) => post.contains(word.as_str()),
        Kind::Field { name, .. } => post.contains(name.as_str()),
        Kind::All(parts) => parts.iter().all(|part| theirs(part, post)),
        Kind::Any(parts) => parts.iter().any(|part| theirs(part, post)),
        Kind::Not(part) => !theirs(part, post),
        other => unreachable!("{other:?} is not made here"),
    }
}

fn ours(query: &Query, post: &BTreeSet<&str>) -> bool {
    match query {
        Query::Term(term) => post.contains(term.text.as_str()),
        Query::In(_, part) => ours(part, post),
        Query::All(parts) => parts.iter().all(|part| ours(part, post)),
        Query::Any(parts) => parts.iter().any(|part| ours(part, post)),
        Query::Not(part) => !ours(part, post),
        Query::Near(_) | Query::Is(_) => unreachable!("{query} is not made here"),
    }
}

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "apple",
            "\"apple pie\"",
            "appl*",
            "a*",
            "w?rd",
            "#tag",
            "@name",
            "{BT}",
            "++BT",
            "-x",
            "(",
            ")",
            "AND",
            "OR",
            "NOT",
            "NEAR/2",
            "NEAR/2f",
            "ONEAR/3",
            "SENTENCE",
            "~4",
            "title:",
            "site:",
            "lang:de",
            "language:de",
            "country:gbr",
            "rating:[1 TO 5]",
            "<<<x>>>",
            "author:x",
            "raw:C++",
            "links:a.example/b",
            "10:30",
            "and",
            "\"",
            "“juice”",
            "の",
            ":",
            "~",
            "{",
            "is:reply",
        ]),
        1..16,
    )
    .prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn only_what_is_said_to_lose_posts_loses_posts(source in words(), held in prop::collection::vec(any::<bool>(), 5)) {
        let (tree, _) = read(&source, Tool::Brandwatch).unwrap();
        let Ok(import) = import(&source, Tool::Brandwatch) else { return Ok(()) };
        let mut post: BTreeSet<&str> =
            ["aaa", "bbb", "ccc", "country"].into_iter().zip(&held).filter(|(_, held)| **held).map(|(word, _)| word).collect();
        // A title is a part of the text.
        if held[4] && post.contains("aaa") {
            post.insert("title");
        }
        let (theirs, ours) = (theirs(&tree, &post), ours(&import.query, &post));
        if import.notes.is_empty() {
            prop_assert_eq!(theirs, ours, "{} became {}", source, import.query);
        }
        if !import.notes.iter().any(|note| note.fate == FEWER) {
            prop_assert!(!theirs || ours, "{} became {}", source, import.query);
        }
    }

    #[test]
    fn whatever_is_imported_is_read_as_the_same_again(
        source in prop_oneof![pieces(), any::<String>()],
        tool in prop::sample::select(vec![Tool::Brandwatch, Tool::Talkwalker]),
    ) {
        match import(&source, tool) {
            Ok(import) => {
                prop_assert_eq!(parse(&import.query.to_string()), Ok(import.query));
                for note in import.notes {
                    prop_assert!(note.describe(&source).contains(&note.why));
                    prop_assert!(source.get(note.at.start..note.at.end).is_some());
                }
            }
            Err(mistakes) => {
                prop_assert!(!mistakes.is_empty());
                for mistake in mistakes {
                    prop_assert!(source.get(mistake.at.start..mistake.at.end).is_some(), "{:?}", mistake);
                }
            }
        }
    }
}

#[test]
fn every_network_is_a_source() {
    let source = |host: &str| match super::operator::posted_on(host) {
        super::operator::Value::Same(Property::Source(source)) => Some(source),
        _ => None,
    };
    assert_eq!(source("https://www.twitter.com/").as_deref(), Some("x"));
    assert_eq!(source("bsky.app").as_deref(), Some("bluesky"));
    assert_eq!(source("example.com"), None);
}

#[test]
fn the_documentation_tells_of_every_operator() {
    let document = include_str!("../../../docs/queries.md");
    let (_, tables) = document.split_once("### From Brandwatch").unwrap();
    let (brandwatch, talkwalker) = tables.split_once("### From Talkwalker").unwrap();
    for (table, operators) in
        [(brandwatch, super::brandwatch::OPERATORS), (talkwalker, super::talkwalker::OPERATORS)]
    {
        let table = table.to_ascii_lowercase();
        for (name, _) in operators {
            assert!(table.contains(&format!("`{name}:")), "{name}");
        }
    }
}
