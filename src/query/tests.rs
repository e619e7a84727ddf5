//! Queries as analysts write them, and their mistakes.

use super::*;

/// The canonical text of a query.
fn canonical(query: &str) -> String {
    match parse(query) {
        Ok(query) => query.to_string(),
        Err(mistakes) => panic!("{query}: {mistakes:#?}"),
    }
}

#[test]
fn operators_bind_as_usual() {
    for (query, expected) in [
        ("vmware", "vmware"),
        ("vmware esxi", "vmware AND esxi"),
        ("a OR b c OR d", "a OR b AND c OR d"),
        ("a AND NOT b OR c", "a AND NOT b OR c"),
        ("(a OR b) c", "(a OR b) AND c"),
        ("((a)) AND (b AND c)", "a AND b AND c"),
        ("a NEAR b", "a NEAR/5 b"),
        ("x AND NOT a ONEAR/3 b", "x AND NOT a ONEAR/3 b"),
        ("a NEAR/2 b NEAR/3 c", "a NEAR/2 b NEAR/3 c"),
        ("a NEAR/2 (b NEAR/3 c)", "a NEAR/2 (b NEAR/3 c)"),
        ("x NOT (a OR b)", "x AND NOT (a OR b)"),
        ("x NOT(a b)", "x AND NOT (a AND b)"),
        ("(a OR b) NEAR/4 (\"c d\" OR eve*)", "(a OR b) NEAR/4 (\"c d\" OR eve*)"),
        ("“red  bull” AND „Dose“", "\"red bull\" AND Dose"),
        ("{GAP} OR {Gap Inc*}", "{GAP} OR {Gap Inc*}"),
        ("vmw* \"red bul*\"", "vmw* AND \"red bul*\""),
        ("#VMware @vmware.bsky.social #vmw*", "#VMware AND @vmware.bsky.social AND #vmw*"),
        (
            "in:alt(a OR \"b c\") in:tag \"red bull\" in:link vmware",
            "in:alt(a OR \"b c\") AND in:tag(\"red bull\") AND in:link(vmware)",
        ),
        (
            "a lang:EN-us source:Bluesky author:@Joe site:Example.com",
            "a AND lang:en AND source:bluesky AND author:joe AND site:example.com",
        ),
        (
            "link:example.com/x?a=1 has:image is:reply author:\"joe b\"",
            "link:example.com/x?a=1 AND has:image AND is:reply AND author:\"joe b\"",
        ),
        ("AT&T OR C++ OR .NET OR Yahoo! OR \"or\" OR H&M", "AT&T OR C++ OR .NET OR Yahoo! OR \"or\" OR H&M"),
        ("（vmware OR ＃tag）", "vmware OR #tag"),
        ("\"M\\*A\\*S\\*H\"", "\"M\\*A\\*S\\*H\""),
    ] {
        assert_eq!(canonical(query), expected, "{query}");
    }
}

/// Each mistake: the query, what it points at, and words of the way out.
#[test]
fn a_mistake_points_at_its_place_and_says_the_way_out() {
    for (query, at, words) in [
        ("", "", "at least one word"),
        ("apple and iphone", "and", "write AND in capitals"),
        ("apple Or iphone", "Or", "write OR in capitals"),
        ("apple near/5 iphone", "near/5", "write NEAR/5 in capitals"),
        ("NOT apple", "NOT apple", "add one with AND"),
        ("lang:en has:image", "lang:en has:image", "add one with AND"),
        ("apple OR NOT pie", "NOT pie", "add one with AND"),
        ("apple OR (lang:en AND is:reply)", "lang:en AND is:reply", "add one with AND"),
        ("*ware", "*ware", "only at the end of a word"),
        ("w*re", "w*re", "only at the end of a word"),
        ("vm*", "vm*", "at least 3 letters"),
        ("\"red b*\"", "\"red b*\"", "at least 3 letters"),
        ("\"r*d bull\"", "*", "only at the end"),
        ("wom?n", "wom?n", "with OR"),
        ("(apple OR pie", "(", "is never closed"),
        ("apple) pie", ")", "no `(`"),
        ("\"red bull", "\"red", "is never closed"),
        ("{red bull", "{red", "is never closed"),
        ("red} x", "}", "no `{`"),
        ("\"red bull\"~5", "~5", "red NEAR/3 bull"),
        ("\"red bul\"*", "*", "inside the quotes"),
        ("apple AND", "", "is missing"),
        ("apple AND OR pie", "OR", "is missing"),
        ("OR apple", "OR", "is missing"),
        ("apple ()", ")", "nothing in these parentheses"),
        ("\"\" apple", "\"\"", "nothing between"),
        ("apple \"…\"", "\"…\"", "no letter"),
        ("-pie apple", "-pie", "write NOT pie"),
        ("apple, pie", "apple,", "write OR"),
        ("apple | pie", "|", "write OR"),
        ("apple && pie", "&&", "write AND"),
        ("'red bull'", "'red", "double quotes"),
        ("apple title:pie", "title:pie", "in quotes if the colon"),
        ("apple lang:english", "lang:english", "lang:en"),
        ("apple site:example.com/x", "site:example.com/x", "link:"),
        ("apple https://example.com/x", "https://example.com/x", "write link:example.com/x"),
        ("apple in:title(x)", "in:title", "in:alt"),
        ("apple is:new", "is:new", "is:quote"),
        ("apple lang: en", "lang:", "without a space"),
        ("apple NEAR/0 pie", "NEAR/0", "from 1 to 100"),
        ("apple NEAR/5f pie", "NEAR/5f", "ONEAR/5"),
        ("apple NEAR5 pie", "NEAR5", "NEAR/5"),
        ("apple NEAR/5 (hot pie)", "hot pie", "phrase in quotes"),
        ("apple NEAR/5 NOT pie", "NOT", "AND NOT"),
        ("apple NEAR/5 lang:en", "lang:en", "outside"),
        ("in:alt(in:tag(x))", "(in:tag(x))", "side by side"),
        ("in:alt(x lang:en)", "(x lang:en)", "outside"),
        ("#", "#", "is missing"),
        ("#\"red bull\"", "#", "in:tag("),
    ] {
        let mistakes = parse(query).expect_err(query);
        let found: Vec<_> =
            mistakes.iter().map(|m| (&query[m.at.start..m.at.end], m.message.as_str())).collect();
        let fits = |(place, message): &(&str, &str)| *place == at && message.contains(words);
        assert!(found.iter().any(fits), "{query}: {found:?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_their_order() {
    let query = "apple and (pie OR w*rd\nOR lang:english";
    let mistakes = parse(query).unwrap_err();
    let places: Vec<_> = mistakes.iter().map(|mistake| mistake.place(query)).collect();
    assert_eq!(places, ["line 1, column 7", "line 1, column 11", "line 1, column 19", "line 2, column 4"]);
    assert_eq!(mistakes[3].pointer(query), "OR lang:english\n   ^^^^^^^^^^^^");
    assert_eq!(mistakes[0].pointer(query), "apple and (pie OR w*rd\n      ^^^");
    let wide = "日本 or x";
    assert_eq!(parse(wide).unwrap_err()[0].pointer(wide), "日本 or x\n   ^^");
    assert_eq!(parse(wide).unwrap_err()[0].place(wide), "column 4");
}

#[test]
fn queries_that_are_too_deep_or_too_long_are_refused() {
    let deep = |levels: usize| format!("{}apple{}", "(".repeat(levels), ")".repeat(levels));
    assert_eq!(canonical(&deep(DEEPEST)), "apple");
    for query in [deep(DEEPEST + 1), format!("apple {}pie", "NOT ".repeat(100_000 / 8)), deep(30_000)] {
        let mistakes = parse(&query).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].message.contains("write it flatter"), "{mistakes:?}");
    }
    let long = parse(&"apple OR ".repeat(LONGEST / 9 + 1)).unwrap_err();
    assert!(long[0].message.contains("split the brand in two"), "{long:?}");
    assert!(parse(&format!("apple{}", " OR apple".repeat(7000))).is_ok());
}
