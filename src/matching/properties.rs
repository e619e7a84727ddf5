//! Properties that hold for any brands and any text.

use proptest::prelude::*;

use super::tests::{brand, find, post, texts};
use super::*;
use crate::folding::folded_term;
use crate::query::parse;

/// Texts of random pieces that often form terms, edges and links.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "vmware", "VMware", "Red", "bull", " ", "\n", "\u{A0}", ".", "-", "_", "#", "@", "/", "://", "http", "https",
            ".com", "www.", "ß", "ẞ", "İ", "ς", "の", "가", "é", "\u{301}", "\u{200D}", "'", "’", "＃", "a", "1", "🔥",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn any_brand() -> impl Strategy<Value = Brand> {
    let list = |choices: &'static [&'static str]| {
        prop::sample::subsequence(choices, 0..=choices.len())
            .prop_map(|chosen| chosen.into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    (
        list(&["VMware", "red bull", "ß", "İa", "ς", "の", "가", "a'1"]),
        list(&["vmware", "a"]),
        list(&["vmware", "vmware.com", "a-1"]),
        list(&["vmware.com", "a.com"]),
        list(&["red vmware", "vmware の", "#a"]),
    )
        .prop_map(|(words, hashtags, handles, hosts, exclusions)| Brand {
            words,
            hashtags,
            handles,
            hosts,
            exclusions,
            ..brand("x")
        })
}

fn any_query() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "vmw*",
        "\"red bul*\"",
        "#a*",
        "@vm*",
        "in:tag(\"red bull\")",
        "in:link(vmware)",
        "link:vm",
        "{VMware}",
        "a'1",
        "1",
        ".com",
        "가",
        "site:vmware.com",
    ]);
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.join(" OR "))
}

fn any_brands() -> impl Strategy<Value = Vec<Brand>> {
    prop::collection::vec(any_brand(), 0..6).prop_map(|brands| {
        let numbered =
            |(number, brand): (usize, Brand)| Brand { id: format!("b{number}").parse().unwrap(), ..brand };
        brands.into_iter().enumerate().map(numbered).collect()
    })
}

/// Terms in their folded form. A space of a term may be a hyphen, an underscore or nothing in the text.
fn spellings(brand: &Brand) -> Vec<String> {
    let mut all: Vec<String> = brand.words.iter().chain(&brand.hosts).map(|term| joined(term)).collect();
    all.extend(brand.hashtags.iter().map(|tag| format!("#{}", joined(tag))));
    all.extend(brand.handles.iter().map(|handle| format!("@{}", joined(handle))));
    all
}

fn joined(text: &str) -> String {
    folded_term(text).replace([' ', '-', '_'], "")
}

fn is_several(c: char) -> bool {
    folded_term(c.encode_utf8(&mut [0; 4])).chars().count() > 1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_place_is_a_term_on_character_boundaries(
        brands in any_brands(), text in any_text(), link: String, tag: String,
    ) {
        let matcher = Matcher::new(&brands);
        let post = Post { links: vec![link, text.clone()], hashtags: vec![tag], ..post(&text) };
        for found in find(&matcher, &post) {
            let brand = brands.iter().find(|brand| brand.id == found.brand).unwrap();
            let terms = spellings(brand);
            let mut end = 0;
            for span in found.spans {
                prop_assert!(end <= span.start && span.start < span.end, "in order, without overlap");
                end = span.end;
                let written = text.get(span.start..span.end).expect("on character boundaries");
                let place = joined(written);
                // A span is one term, or several overlapping ones merged. One character may fold to a term
                // and more, as `㈎` does.
                let holds_more = written.chars().any(is_several);
                let begins = terms.iter().any(|term| place.starts_with(term.as_str()));
                let ends = terms.iter().any(|term| place.ends_with(term.as_str()));
                prop_assert!(begins && ends || holds_more, "{place:?} of {terms:?}");
                prop_assert!(terms.contains(&place) || place.len() > terms.iter().map(String::len).min().unwrap());
            }
        }
    }

    #[test]
    fn any_order_of_brands_finds_the_same(
        (brands, shuffled) in any_brands().prop_flat_map(|brands| (Just(brands.clone()), Just(brands).prop_shuffle())),
        text in any_text(),
    ) {
        let post = post(&text);
        prop_assert_eq!(find(&Matcher::new(&brands), &post), find(&Matcher::new(&shuffled), &post));
    }

    #[test]
    fn brands_do_not_hide_each_other(brands in any_brands(), text in any_text()) {
        let post = post(&text);
        let alone: Vec<Spans> = brands.iter().flat_map(|brand| find(&Matcher::new(std::slice::from_ref(brand)), &post)).collect();
        prop_assert_eq!(find(&Matcher::new(&brands), &post), alone);
    }

    #[test]
    fn a_word_between_spaces_is_always_found(before in any_text(), after in any_text()) {
        let text = format!("{before} VMware {after}");
        let start = before.len() + 1;
        let vmware = Brand { words: texts(&["vmware"]), ..brand("vmware") };
        let found = find(&Matcher::new(&[vmware]), &post(&text));
        let place = Span { start, end: start + 6 };
        prop_assert!(found[0].spans.contains(&place));
    }

    #[test]
    fn one_pass_finds_what_looking_for_each_term_finds(
        brands in any_brands(), query in any_query(), text in any_text(), link: String, tag: String,
    ) {
        let queried = Brand { query: parse(&query).ok(), ..brand("z") };
        let matcher = Matcher::new(&[brands, vec![queried]].concat());
        let post = Post { links: vec![link], hashtags: vec![tag], alt_texts: vec![text.clone()], ..post(&text) };
        let areas = matcher.areas(&post);
        let mut expected = Vec::new();
        for (number, term) in matcher.terms.iter().enumerate().filter(|(number, _)| !matcher.brands_of[*number].is_empty()) {
            for (area_number, area) in areas.iter().enumerate() {
                for anchor in anchors::everywhere(area.folded(), term.anchor().text) {
                    let place = term.place(area, anchor);
                    expected.extend(place.map(|place| (number, Found::new(area_number, place))));
                }
            }
        }
        expected.sort_unstable();
        let mut found = matcher.hits(&post, &areas);
        found.retain(|(_, found)| found.area.is_some());
        prop_assert_eq!(found, expected);
    }
}
