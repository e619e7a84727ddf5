//! What holds for every query.

use proptest::prelude::*;

use super::*;
use crate::domain::{Near, Place, PostKind, Property, Query, Term};

fn term() -> impl Strategy<Value = Term> {
    let text = prop_oneof![
        4 => "[a-zA-ZäЖの]{3,8}( [a-z]{3,6}){0,2}",
        1 => prop::sample::select(vec![
            "AND", "or", "near", "NEAR/5", "C++", "AT&T", "say \"hi\"", "a\\b", "M*A*S*H", "10:30", "-x", "#x", "x,",
            "in:alt", "{brace}", "(x)", "what?", "“x”", "'twas", "Yahoo!", "NEARBY", ".vcf", "C#", "🔥",
        ]).prop_map(str::to_owned),
        2 => "[!-~ “”’äの]{1,8}[a-z]{3}",
    ];
    (text, any::<bool>(), any::<bool>()).prop_map(|(text, prefix, exact_case)| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let letters = text.chars().rev().take_while(|c| c.is_alphanumeric()).count();
        Term { text, prefix: prefix && letters >= SHORTEST_PREFIX, exact_case }
    })
}

fn property() -> impl Strategy<Value = Property> {
    prop_oneof![
        "[a-z]{2,3}".prop_map(|code| Property::Language(code.parse().unwrap())),
        "[a-z]{1,8}".prop_map(Property::Source),
        "[a-z.]{0,8}[a-z]".prop_map(Property::Author),
        "[a-z]{1,8}\\.example".prop_map(Property::Site),
        "[a-z]{1,8}\\.example/[a-z?=&*\"()]{0,8}".prop_map(Property::Link),
        Just(Property::HasImage),
        prop::sample::select(PostKind::ALL.to_vec()).prop_map(Property::Kind),
    ]
}

fn place() -> impl Strategy<Value = Place> {
    prop::sample::select(vec![Place::Text, Place::Tag, Place::Link, Place::Alt, Place::Handle])
}

/// Parts that have places, for NEAR.
fn placed(depth: u32) -> BoxedStrategy<Query> {
    let leaf = term().prop_map(Query::Term);
    leaf.prop_recursive(depth, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Query::any),
            (inner.clone(), inner, 1..=FURTHEST, any::<bool>()).prop_map(
                |(left, right, distance, ordered)| {
                    Query::Near(Box::new(Near { left, right, distance, ordered }))
                }
            ),
        ]
    })
    .boxed()
}

/// What the parser can give, without the word that every way of matching needs.
fn part() -> impl Strategy<Value = Query> {
    let leaf = prop_oneof![
        3 => placed(2),
        1 => (place(), placed(1)).prop_map(|(place, part)| Query::In(place, Box::new(part))),
        1 => property().prop_map(Query::Is),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Query::any),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Query::all),
            inner.prop_map(|part| Query::Not(Box::new(part))),
        ]
    })
}

pub(crate) fn query() -> impl Strategy<Value = Query> {
    (term(), part()).prop_map(|(term, part)| Query::all([Query::Term(term), part]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_printed_is_read_as_the_same(query in query()) {
        let text = query.to_string();
        prop_assert_eq!(parse(&text), Ok(query), "{}", text);
    }

    #[test]
    fn any_text_is_a_query_or_has_mistakes_in_it(
        text in prop_oneof![
            any::<String>(),
            "([a-c#@:*?\\\\/\"“{}()~,&|-]| |AND|OR|NOT|NEAR|ONEAR|/|in:|alt|lang:|en|の){0,20}",
        ],
    ) {
        match parse(&text) {
            Ok(query) => prop_assert_eq!(parse(&query.to_string()), Ok(query)),
            Err(mistakes) => {
                prop_assert!(!mistakes.is_empty());
                for mistake in mistakes {
                    prop_assert!(text.get(mistake.at.start..mistake.at.end).is_some(), "{:?}", mistake);
                    prop_assert!(mistake.pointer(&text).contains('^') && mistake.place(&text).contains("column"));
                }
            }
        }
    }
}
