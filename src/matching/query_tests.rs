//! What each operator finds, and by which places.

use super::tests::{brand, find, post, texts};
use super::*;
use crate::domain::{Language, PostKind};
use crate::query::parse;

fn matcher(query: &str) -> Matcher {
    let query = Some(parse(query).unwrap_or_else(|mistakes| panic!("{query}: {mistakes:?}")));
    Matcher::new(&[Brand { query, ..brand("b") }])
}

/// The places by which a query holds for a text; `None` where it doesn't.
fn places<'t>(query: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let found = find(&matcher(query), &post(text));
    let spans = &found.first()?.spans;
    Some(spans.iter().map(|span| &text[span.start..span.end]).collect())
}

#[test]
fn operators_hold_by_the_places_of_what_they_need() {
    for (query, text, expected) in [
        ("apple OR pear", "a pear and an apple", Some(vec!["pear", "apple"])),
        ("apple AND pear", "a pear and an apple", Some(vec!["apple"])),
        ("apple pear", "an apple", None),
        ("apple AND NOT pie", "an apple", Some(vec!["apple"])),
        ("apple AND NOT pie", "an apple. Pie!", None),
        ("apple NOT (pie OR cake)", "apple cake", None),
        ("\"apple pie\"", "an apple\n PIE", Some(vec!["apple\n PIE"])),
        ("\"apple pie\"", "apple or pie", None),
        ("iph*", "iPhone15 and iphones, my iph", Some(vec!["iPhone15", "iphones", "iph"])),
        ("iph*", "my-iphone siphon", Some(vec!["iphone"])),
        ("\"red bul*\"", "Red Bulls, red-bull", Some(vec!["Red Bulls", "red-bull"])),
        ("{GAP}", "the GAP, Gap", Some(vec!["GAP"])),
        ("{Gap Inc}", "Gap Inc and GAP INC", Some(vec!["Gap Inc"])),
        ("#apple", "apple #Apple #applepie", Some(vec!["#Apple"])),
        ("#app*", "app #Apple #applepie", Some(vec!["#Apple", "#applepie"])),
        ("@apple", "apple @apple. @apple.fans", Some(vec!["@apple"])),
        ("@app*", "@apple.fans, x@apple", Some(vec!["@apple.fans"])),
        (
            "in:tag(\"red bull\")",
            "red bull #RedBull #red_bull #redbulls",
            Some(vec!["#RedBull", "#red_bull"]),
        ),
        ("in:text(apple)", "#apple https://a.example/apple @apple apple", Some(vec!["apple"])),
        ("in:link(apple)", "apple https://a.example/apple/x", Some(vec!["apple"])),
        ("in:link(apple)", "apple", None),
        ("site:example.com", "see https://www.example.com/x", Some(vec!["example.com"])),
        ("link:example.com/shop", "https://example.com/shop/1", Some(vec!["example.com/shop"])),
        ("link:example.com/shop", "https://example.com/news", None),
        ("apple AND link:shop", "apple, apple.com/shop", Some(vec!["apple", "apple"])),
    ] {
        assert_eq!(places(query, text), expected, "{query} on {text}");
    }
}

#[test]
fn near_counts_the_words_between() {
    for (query, text, holds) in [
        ("apple NEAR/1 pie", "apple pie", true),
        ("apple NEAR/1 pie", "pie, apple", true),
        ("apple NEAR/1 pie", "apple hot pie", false),
        ("apple NEAR/2 pie", "apple hot pie", true),
        ("apple ONEAR/2 pie", "pie hot apple", false),
        ("apple ONEAR/2 pie", "pie apple - hot! pie", true),
        ("apple NEAR pie", "apple 1 2 3 4 pie", true),
        ("apple NEAR pie", "apple 1 2 3 4 5 pie", false),
        ("\"red bull\" NEAR/2 (can OR dose)", "a can of red bull", true),
        ("\"red bull\" NEAR/2 (can OR dose)", "a can full of red bull", false),
        ("a NEAR/2 b NEAR/2 c", "a x b c", true),
        ("a NEAR/1 b NEAR/1 c", "b a c", true),
        ("a NEAR/1 b NEAR/1 c", "b a x c", false),
        ("東 NEAR/2 芝", "東京芝", true),
        ("東 NEAR/2 芝", "東京都芝", false),
        ("apple NEAR/3 apple", "apple", false),
        ("#apple NEAR/2 pie", "#apple is pie", true),
    ] {
        assert_eq!(places(query, text).is_some(), holds, "{query} on {text}");
    }
    assert_eq!(
        places("pie NEAR/2 apple", "pie one two three, apple pie"),
        Some(vec!["pie"]),
        "the one that is near"
    );
}

#[test]
fn properties_of_the_post_are_looked_at() {
    let post = Post {
        author: Some("@Joe.example".to_owned()),
        kind: PostKind::Reply,
        pictures: texts(&["https://a.example/1.jpg"]),
        links: texts(&["https://shop.example.com/Apple?x=1"]),
        hashtags: texts(&["Orchard"]),
        alt_texts: texts(&["An apple on a table"]),
        ..post("an apple a day")
    };
    for (query, holds) in [
        ("apple source:Forum", true),
        ("apple source:bluesky", false),
        ("apple author:@joe.example", true),
        ("apple author:joe", false),
        ("apple has:image", true),
        ("apple is:reply", true),
        ("apple is:repost", false),
        ("apple NOT is:reply", false),
        ("site:example.com", true),
        ("site:example.org", false),
        ("link:example.com/apple", true),
        ("in:link(apple)", true),
        ("#orchard", true),
        ("orchard", true),
        ("in:alt(table)", true),
        ("in:alt(day)", false),
        ("in:text(table)", false),
        ("table", true),
        ("apple NEAR/3 table", true),
        ("day NEAR/3 table", false),
    ] {
        assert_eq!(!find(&matcher(query), &post).is_empty(), holds, "{query}");
    }
}

#[test]
fn the_language_is_asked_for_once_and_only_where_it_matters() {
    let asked = std::cell::RefCell::new(Vec::new());
    let language = |names: &[Span]| {
        asked.borrow_mut().push(names.to_vec());
        Some(Language::ENGLISH)
    };
    let brands = [("a", "apple lang:en"), ("b", "apple lang:de"), ("c", "pear lang:en"), ("d", "pear")];
    let brands = brands.map(|(id, query)| Brand { query: parse(query).ok(), ..brand(id) });
    let matcher = Matcher::new(&brands);
    let named = |text| -> Vec<String> {
        matcher.find(&post(text), &language).iter().map(|spans| spans.brand.to_string()).collect()
    };
    assert_eq!(named("an apple"), ["a"]);
    assert_eq!(asked.take(), [vec![Span { start: 3, end: 8 }]]);
    assert!(named("a plum").is_empty());
    assert!(asked.take().is_empty());
}

#[test]
fn exclusions_take_places_away_and_not_takes_the_post() {
    let query = parse("apple OR #apple").ok();
    let matcher = Matcher::new(&[Brand { query, exclusions: texts(&["apple pie"]), ..brand("b") }]);
    assert!(find(&matcher, &post("apple pie")).is_empty());
    assert_eq!(find(&matcher, &post("apple pie by apple"))[0].spans, [Span { start: 13, end: 18 }]);
    assert_eq!(places("apple NOT \"apple pie\"", "apple pie by apple"), None);
}

#[test]
fn a_brand_is_looked_at_only_where_its_rarest_part_stands() {
    let matcher = matcher("(the OR our OR price) AND vmwarecloud");
    let looked_for = matcher.brands_of.iter().filter(|brands| !brands.is_empty()).count();
    assert_eq!(looked_for, 1, "{:?}", matcher.anchors);
}
