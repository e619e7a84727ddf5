//! What folds alike, and that every place leads back.

use proptest::prelude::*;

use super::*;

#[test]
fn spellings_that_read_the_same_fold_alike() {
    for (one, other) in [
        ("İSTANBUL", "istanbul"),
        ("i\u{307}stanbul", "ISTANBUL"),
        ("ıstanbul", "Istanbul"),
        ("ΟΔΟΣ", "οδος"),
        ("STRAẞE", "strasse"),
        ("Straße", "STRASSE"),
        ("ſilk", "SILK"),
        ("Net\u{FB02}ix", "Netflix"),
        ("Citroe\u{308}n", "CITROËN"),
        ("McDonald’s", "mcdonald's"),
        ("McDonald´s", "McDonald`s"),
        ("McDonald′s", "McDonald＇s"),
        ("Coca\u{2011}Cola", "coca-cola"),
        ("Coca–Cola", "Coca－Cola"),
        ("Coca-\u{AD}Cola", "Coca−Cola"),
        ("VM\u{2060}ware", "V\u{200B}M\u{FEFF}w\u{200D}are\u{FE0F}"),
        ("\u{202A}VMware\u{202C}", "vmware"),
        ("Red \u{A0}\n \u{200B} Bull", "red bull"),
        ("＃ＶＭｗａｒｅ", "#vmware"),
        ("𝐕𝐌𝕨𝒶𝓇𝖾", "vmware"),
        ("ⓥⓜware", "VMware"),
        ("ｽﾀｰﾊﾞｯｸｽ", "スターバックス"),
        ("スターハ\u{3099}ックス", "スターバックス"),
        ("스타벅스", "스타벅스"),
        ("ستاربـــاكس", "ستارباكس"),
        ("سْتَارْبُكْس", "ستاربكس"),
        ("أديداس إديداس آديداس", "اديداس اديداس اديداس"),
        ("شركة مستشفى", "شرکه مستشفی"),
        ("H₂O", "h2o"),
    ] {
        assert_eq!(folded_term(one), folded_term(other), "{one} and {other}");
    }
}

#[test]
fn what_reads_differently_stays_apart() {
    for (one, other) in [
        ("café", "cafe"),
        ("VMware™", "VMwaretm"),
        ("VMware²", "vmware2"),
        ("か", "が"),
        ("ル", "ﾙﾞ"),
        ("①", "1"),
    ] {
        assert_ne!(folded_term(one), folded_term(other), "{one} and {other}");
    }
    assert!(folded_term("1\u{FE0F}\u{20E3}VMware").ends_with("\u{FFFC}vmware"));
}

#[test]
fn a_place_leads_back_to_what_was_written() {
    for (text, term, written) in [
        ("Ein Citroe\u{308}n steht", "citroën", "Citroe\u{308}n"),
        ("bei Net\u{FB02}ix!", "netflix", "Net\u{FB02}ix"),
        ("VMware\u{200D}♂\u{FE0F} fans", "vmware", "VMware"),
        ("an VM\u{200B}ware an", "vmware", "VM\u{200B}ware"),
        ("in der STRAẞE hier", "strasse", "STRAẞE"),
        ("x  Red \n Bull y", "red bull", "Red \n Bull"),
        ("في ستاربـــاكس اليوم", "ستارباكس", "ستاربـــاكس"),
        ("ﾉｽﾀｰﾊﾞｯｸｽで", "スターバックス", "ｽﾀｰﾊﾞｯｸｽ"),
        ("Si\u{307}emens, i̇", "siemens", "Si\u{307}emens"),
    ] {
        let folded = Folded::new(text);
        let at = folded.as_str().find(term).unwrap_or_else(|| panic!("{term} in {}", folded.as_str()));
        let span = folded.original(at, at + term.len());
        assert_eq!(&text[span.start..span.end], written);
    }
}

#[test]
fn folding_twice_changes_nothing_for_any_character() {
    for c in '\0'..=char::MAX {
        for text in [format!("a{c}b"), format!("a {c} b")] {
            let once = Folded::new(&text).text;
            assert_eq!(Folded::new(&once).text, once, "{c:?}");
        }
    }
}

#[test]
fn without_case_everything_else_folds() {
    assert_eq!(folded_but_case("ＧＡＰ\u{200B}´s Re\u{301}d"), "GAP's Réd");
    assert_eq!(invisible_in("VM\u{200B}ware"), Some('\u{200B}'));
    assert_eq!(invisible_in("VMware"), None);
}

fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec![
            "a", "I", "İ", "i\u{307}", "ı", "ß", "ẞ", " ", "\n", "\u{A0}", "\u{AD}", "\u{200D}", "\u{301}", "\u{307}", "\u{308}", "\u{FB02}",
            "ﾊ", "ﾞ", "ﾟ", "ー", "の", "가", "\u{1100}", "\u{1161}", "\u{11A8}", "1", "\u{20E3}", "\u{FE0F}", "ـ", "أ", "\u{64B}", "\u{654}", "ا", "ة",
            "´", "'", "–", "™", "Ａ", "𝐕", "ς", "Σ", "\u{345}", "ᾳ", "#", "_",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_place_leads_back_to_character_boundaries_in_order(text in any_text()) {
        let folded = Folded::new(&text);
        let mut before = 0;
        for (start, c) in folded.as_str().char_indices() {
            let span = folded.original(start, start + c.len_utf8());
            prop_assert!(text.get(span.start..span.end).is_some_and(|written| !written.is_empty()), "{:?}", span);
            prop_assert!(span.start >= before);
            before = span.start;
        }
    }

    #[test]
    fn folding_twice_changes_nothing(text in any_text()) {
        let once = Folded::new(&text).text;
        prop_assert_eq!(&Folded::new(&once).text, &once);
    }

    #[test]
    fn normal_forms_and_cases_fold_alike(text in "[a-zA-Zàéîõüßşğıİçñøåæœα-ωΑ-Ωά-ώа-яА-Яا-يأإآةىか-んカ-ンガ-ヂ가-갛 '’-]{0,16}") {
        let folded = Folded::new(&text).text;
        for other in [
            text.nfc().collect::<String>(),
            text.nfd().collect(),
            text.nfkc().collect(),
            text.nfkd().collect(),
            text.to_uppercase(),
            text.to_lowercase(),
            wide(&text),
        ] {
            prop_assert_eq!(&Folded::new(&other).text, &folded, "{} and {}", text, other);
        }
    }
}

/// The same with ASCII letters and signs of full width.
fn wide(text: &str) -> String {
    let wide = |c: char| match c {
        '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap(),
        _ => c,
    };
    text.chars().map(wide).collect()
}
