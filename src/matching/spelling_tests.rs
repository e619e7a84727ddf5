//! The spellings in which a name is heard, and those that are another word.

use super::tests::{brand, find, post, texts};
use super::*;
use crate::domain::Case;

fn places<'t>(words: &[&str], text: &'t str) -> Vec<&'t str> {
    of_brand(&Brand { words: texts(words), ..brand("b") }, text)
}

fn of_brand<'t>(brand: &Brand, text: &'t str) -> Vec<&'t str> {
    let found = find(&Matcher::new(std::slice::from_ref(brand)), &post(text));
    found.iter().flat_map(|spans| &spans.spans).map(|span| &text[span.start..span.end]).collect()
}

#[test]
fn a_name_is_heard_however_it_is_written() {
    for (word, text, place) in [
        ("VMware", "1\u{FE0F}\u{20E3}VMware 2\u{FE0F}\u{20E3}Nutanix", "VMware"),
        ("VMware", "VM\u{2060}ware ist teuer", "VM\u{2060}ware"),
        ("VMware", "VMware\u{200D}♂\u{FE0F} fans", "VMware"),
        ("VMware", "VMware™ und VMware®", "VMware"),
        ("VMware", "ＶＭｗａｒｅのライセンス", "ＶＭｗａｒｅ"),
        ("VMware", "①VMware", "VMware"),
        ("Coca-Cola", "Eine Coca–Cola bitte", "Coca–Cola"),
        ("Coca-Cola", "Eine Coca-\u{AD}Cola bitte", "Coca-\u{AD}Cola"),
        ("McDonald's", "McDonald´s hat zu", "McDonald´s"),
        ("Siemens", "si\u{307}emens yine zam yaptı", "si\u{307}emens"),
        ("Haus Weiß", "HAUS WEISS IST TEUER", "HAUS WEISS"),
        ("Citroën", "Der neue Citroe\u{308}n ist da", "Citroe\u{308}n"),
        // Compounds.
        ("Red Bull", "Die Red-Bull-Dose ist leer", "Red-Bull"),
        ("Red Bull Racing", "Red-Bull Racing wins", "Red-Bull Racing"),
        // Tags.
        ("Red Bull", "#red_bull", "red_bull"),
        ("Red Bull", "#RedBull", "RedBull"),
        ("Red Bull", "#TeamRedBull2026!", "RedBull"),
        ("Coca-Cola", "#CocaCola #x", "CocaCola"),
        ("Starbucks", "So tired #ILoveStarbucks", "Starbucks"),
        ("Starbucks", "#StarbucksLovers", "Starbucks"),
        ("Starbucks", "#boycott_starbucks_now", "starbucks"),
        ("ستاربكس", "حملة #مقاطعة_ستاربكس مستمرة", "ستاربكس"),
        // Scripts that join words.
        ("ستاربكس", "جلست في مقهى بستاربكس اليوم", "ستاربكس"),
        ("ستاربكس", "والستاربكس", "ستاربكس"),
        ("ستاربكس", "للستاربكس", "ستاربكس"),
        ("ستاربكس", "#مقاطعة_لستاربكس", "ستاربكس"),
        ("أديداس", "واديداس", "اديداس"),
        ("スターバックス", "スターバックスラテを飲んだ", "スターバックス"),
        ("スターバックス", "ｽﾀｰﾊﾞｯｸｽで新作", "ｽﾀｰﾊﾞｯｸｽ"),
        ("スターバックス", "朝カフェスターバックスで", "スターバックス"),
    ] {
        assert!(places(&[word], text).contains(&place), "{word} in {text}: {:?}", places(&[word], text));
    }
}

#[test]
fn a_part_of_another_word_is_no_name() {
    for (word, text) in [
        ("Starbucks", "#ilovestarbucks"),
        ("Starbucks", "#STARBUCKSLOVER"),
        ("Starbucks", "ILoveStarbucks"),
        ("Starbucks", "boycott_starbucks"),
        ("Red Bull", "RedBull red. bull red, bull red / bull"),
        ("Red Bull", "#InfraRedBulletin"),
        ("ستاربكس", "كبستاربكس"),
        ("ستاربكس", "ستاربكسات"),
        ("アップル", "アップルー アップルャ"),
        ("サン", "サンダル"),
        ("VMware", "write to vmware@example.org or joe@vmware.example"),
        ("café", "cafe"),
        // A Korean vowel alone belongs to what stands before it.
        ("の", "の\u{FFD2}"),
    ] {
        assert!(places(&[word], text).is_empty(), "{word} in {text}: {:?}", places(&[word], text));
    }
}

#[test]
fn a_name_that_is_a_common_word_counts_as_written_and_in_capitals() {
    for (word, yes, no) in [
        ("Gap", "the Gap is closed, GAP too, #Gap @Gap", "mind the gap, #gap"),
        ("Shell", "Shell and SHELL", "a shell on the beach, sheLL"),
        ("3M", "3M tape", "the fence is 3m tall"),
        ("HP", "my HP", "150 hp"),
        ("VMware", "vmware VMWARE vmWare", "VM ware"),
        ("gap", "Gap gap GAP", "gape"),
    ] {
        assert!(!places(&[word], yes).is_empty(), "{word} in {yes}");
        assert!(places(&[word], no).is_empty(), "{word} in {no}: {:?}", places(&[word], no));
    }
    let gap = |case| Brand { words: texts(&["Gap"]), case, ..brand("gap") };
    let text = "Gap, gap, GAP";
    assert_eq!(of_brand(&gap(Case::Auto), text), ["Gap", "GAP"]);
    assert_eq!(of_brand(&gap(Case::Any), text), ["Gap", "gap", "GAP"]);
    assert_eq!(of_brand(&gap(Case::Exact), text), ["Gap"]);
}

#[test]
fn words_can_be_left_out_of_links_handles_and_tags() {
    let text = "Gap https://shop.example/Gap www.Gap.example Gap.com/jobs @Gap #Gap";
    let heard = |places: &[Place]| {
        let gap = Brand { words: texts(&["Gap"]), words_not_in: places.to_vec(), ..brand("gap") };
        of_brand(&gap, text).len()
    };
    assert_eq!(heard(&[]), 6);
    assert_eq!(heard(&[Place::Link]), 3);
    assert_eq!(heard(&[Place::Handle]), 5);
    assert_eq!(heard(&[Place::Tag]), 5);
    assert_eq!(heard(&[Place::Link, Place::Handle, Place::Tag]), 1);
}

#[test]
fn descriptions_of_pictures_are_the_authors_words() {
    let matcher = Matcher::new(&[Brand { words: texts(&["Starbucks"]), ..brand("s") }]);
    let post = |text: &str| Post { alt_texts: texts(&["A cup", "The  STARBUCKS siren"]), ..post(text) };
    let found = find(&matcher, &post("Guess where I am"));
    assert!(found[0].spans.is_empty());
    assert_eq!(found[0].alt, Some((1, Span { start: 5, end: 14 })));
    let found = find(&matcher, &post("At Starbucks"));
    assert_eq!(found[0].spans, [Span { start: 3, end: 12 }]);
    assert!(found[0].alt.is_some());
}
