use chrono::DateTime;

use super::*;
use crate::domain::PostKey;

pub(super) fn post(text: &str) -> Post {
    Post::new(
        PostKey { source: "forum".to_owned(), id: "1".to_owned(), created_at: DateTime::UNIX_EPOCH },
        text,
    )
}

pub(super) fn brand(id: &str) -> Brand {
    Brand::new(id.parse().unwrap())
}

pub(super) fn find(matcher: &Matcher, post: &Post) -> Vec<Spans> {
    matcher.find(post, &|_| None)
}

pub(super) fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|&text| text.to_owned()).collect()
}

/// The parts of a text that name the brand.
fn places<'t>(brand: &Brand, text: &'t str) -> Vec<&'t str> {
    let found = find(&Matcher::new(std::slice::from_ref(brand)), &post(text));
    found.iter().flat_map(|spans| &spans.spans).map(|span| &text[span.start..span.end]).collect()
}

fn names_it(brand: &Brand, text: &str) -> bool {
    !places(brand, text).is_empty()
}

#[test]
fn words_count_whole_and_in_any_case() {
    let vmware = Brand { words: texts(&["VMware"]), ..brand("vmware") };
    for text in [
        "VMware",
        "vmware",
        "VMWARE",
        "vMwArE!",
        "VMware's licences",
        "VMware’s",
        "(VMware)",
        "#VMware",
        "@vmware",
        "VMwareの新製品",
        "使用VMware的人",
        "VMware는 비싸다",
        "VMware/Broadcom",
        "VMware-based",
        "ex-VMware",
        "…VMware…",
        "VMware🔥",
        "🔥VMware",
        "VMware.",
        "https://news.example/vmware-is-back",
        "naïve VMware",
    ] {
        assert!(names_it(&vmware, text), "{text}");
    }
    for text in [
        "VMwareish",
        "my_vmware_id",
        "vmware_",
        "NotVMware",
        "VMware2",
        "éVMware",
        "VMwaré",
        "VMware\u{301}",
        "VM ware",
        "",
        "VMwar",
        "วVMwareé",
    ] {
        assert!(!names_it(&vmware, text), "{text}");
    }
}

#[test]
fn scripts_without_spaces_and_odd_cases_are_found_where_they_stand() {
    let odd = Brand {
        words: texts(&["İstanbul Air", "ΟΔΟΣ", "Straße", "C++", "東芝", "\"quoted\""]),
        ..brand("odd")
    };
    for (text, expected) in [
        ("uçak: İSTANBUL AIR'da", "İSTANBUL AIR"),
        ("istanbul air", "istanbul air"),
        ("στην οδος!", "οδος"),
        ("IN DER STRAẞE HIER", "STRAẞE"),
        ("I like C++.", "C++"),
        ("新しい東芝のテレビ", "東芝"),
        ("a \"quoted\" one", "\"quoted\""),
    ] {
        assert_eq!(places(&odd, text), [expected], "{text}");
    }
}

#[test]
fn a_space_of_a_phrase_is_any_white_space() {
    let bull = Brand { words: texts(&["Red  Bull"]), ..brand("redbull") };
    for text in ["red bull", "Red\n\nBull", "RED \u{A0}\t BULL", "(red\u{3000}bull)", "Red-Bull", "red–bull"]
    {
        assert_eq!(places(&bull, text).concat(), text.trim_matches(['(', ')']), "{text}");
    }
    for text in ["redbull", "red_bull", "red. bull", "red bulls", "bored bull"] {
        assert!(!names_it(&bull, text), "{text}");
    }
}

#[test]
fn hashtags_count_as_whole_tags() {
    let brand = Brand { hashtags: texts(&["Red", "東芝"]), ..brand("red") };
    for text in
        ["#red", "so #RED!", "#Red, #blue", "(#red)", "＃red", "#red-hot", "#red.", "新しい #東芝 です"]
    {
        assert!(names_it(&brand, text), "{text}");
    }
    for text in
        ["red", "#redbull", "#red_bull", "#red1", "#redの", "a#red", "x&#red;", "# red", "@red", "#東芝の"]
    {
        assert!(!names_it(&brand, text), "{text}");
    }
}

#[test]
fn handles_count_as_whole_handles() {
    let brand = Brand { handles: texts(&["vmware", "vmware.bsky.social"]), ..brand("vmware") };
    for text in [
        "@vmware",
        "hi @VMware!",
        "ask @vmware.",
        "ask @vmware...really",
        "(@vmware)",
        "@vmware's",
        ".@vmware is",
        "＠vmware",
        "@vmware, @other",
        "@vmwareの",
        "@vmware@social.example",
        "via @vmware.bsky.social.",
        "youtube.example/@vmware",
    ] {
        assert!(names_it(&brand, text), "{text}");
    }
    for text in [
        "vmware",
        "@vmware.fans",
        "@vmware-fans",
        "@vmware_fans",
        "@vmwarefans",
        "joe@vmware",
        "joe@vmware.bsky.social",
        "@vmware.bsky.social.example",
        "#vmware",
        "@ vmware",
    ] {
        assert!(!names_it(&brand, text), "{text}");
    }
    assert_eq!(places(&brand, "@vmware.bsky.social"), ["@vmware.bsky.social"]);
}

#[test]
fn hosts_count_inside_links_only() {
    let brand = Brand { hosts: texts(&["vmware.com", "bücher.example"]), ..brand("vmware") };
    for text in [
        "https://vmware.com",
        "http://www.vmware.com/x",
        "HTTPS://Blogs.VMware.COM/a?b",
        "www.vmware.com.",
        "see vmware.com/go, now",
        "(docs.vmware.com)",
        "[x](https://vmware.com)",
        "https://user:pw@vmware.com/",
        "https://vmware.com:8443/ui",
        "詳細はhttps://vmware.com/を",
        "詳細はvmware.comを",
        "look:vmware.com",
        "vmware.com...",
        "<https://a.example/>https://vmware.com",
        "https://BÜCHER.example/",
        "http://xn--bcher-kva.example",
    ] {
        assert!(names_it(&brand, text), "{text}");
    }
    for text in [
        "https://notvmware.com",
        "https://vmware.com.evil.example",
        "vmware.community",
        "joe@vmware.com",
        "@vmware.com",
        "mailto:joe@vmware.com",
        "https://evil.example/vmware.com",
        "https://evil.example/?u=vmware.com",
        "https://web.example/https://vmware.com/",
        "https://vmware.com@evil.example/",
        "https://vmware.com:p@evil.example/",
        "ftp://vmware.com/",
        "vmware.com2",
        "vmware.com-x.example",
        "evil.example/vmware.com",
        "évmware.com",
        "vmware com",
    ] {
        assert!(!names_it(&brand, text), "{text}");
    }
    assert_eq!(places(&brand, "https://blogs.vmware.com/x"), ["vmware.com"]);
}

#[test]
fn links_and_tags_beside_the_text_name_a_brand_without_a_place() {
    let brands = [Brand { hosts: texts(&["vmware.com"]), hashtags: texts(&["vSphere"]), ..brand("vmware") }];
    let matcher = Matcher::new(&brands);
    let found = |links: &[&str], tags: &[&str]| {
        let post = Post { links: texts(links), hashtags: texts(tags), ..post("nothing here") };
        let spans = find(&matcher, &post);
        assert!(spans.iter().all(|spans| spans.spans.is_empty()));
        !spans.is_empty()
    };
    for link in [
        "https://vmware.com/",
        "https://BLOGS.vmware.com",
        "vmware.com/x",
        "vmware.com:443/x",
        "//vmware.com/x",
        "https://vmware.com./",
        "https://user@vmware.com",
    ] {
        assert!(found(&[link], &[]), "{link}");
    }
    for link in
        ["https://notvmware.com/", "https://vmware.com.evil.example", "not a link", "", "https://", "vmware"]
    {
        assert!(!found(&[link], &[]), "{link}");
    }
    assert!(found(&[], &["VSPHERE"]));
    assert!(!found(&[], &["vsphere8"]));
}

#[test]
fn what_lies_inside_an_exclusion_does_not_count() {
    let apple = Brand {
        words: texts(&["apple"]),
        hashtags: texts(&["apple"]),
        hosts: texts(&["apple.example"]),
        exclusions: texts(&["apple pie", "big apple", "jobs.apple.example"]),
        ..brand("apple")
    };
    assert!(!names_it(&apple, "An APPLE\nPIE in the Big Apple, #apple pie"));
    assert!(!names_it(&apple, "https://jobs.apple.example/1"));
    assert_eq!(places(&apple, "apple pie by apple"), ["apple"]);
    assert_eq!(places(&apple, "apple pies"), ["apple"], "an exclusion is a whole phrase");
    let tagged = |text| Post { hashtags: texts(&["apple"]), ..post(text) };
    let matcher = Matcher::new(&[apple]);
    assert!(find(&matcher, &tagged("#apple pie")).is_empty(), "the tag beside is the one in the text");
    assert_eq!(find(&matcher, &tagged("see below")).len(), 1);
}

#[test]
fn overlapping_places_are_one() {
    let racing = Brand {
        words: texts(&["Red Bull", "Bull Racing", "racing", "team"]),
        hashtags: texts(&["team"]),
        ..brand("racing")
    };
    assert_eq!(places(&racing, "Red Bull Racing, team #team"), ["Red Bull Racing", "team", "#team"]);
}

#[test]
fn the_first_place_of_a_term_is_found_in_any_case() {
    let found =
        |text: &'static str, term: &str| first_place(text, term).map(|span| &text[span.start..span.end]);
    assert_eq!(found("The SCREEN is great, the screen", "screen"), Some("SCREEN"));
    assert_eq!(found("Ğ İSTANBUL  airport", " istanbul Airport"), Some("İSTANBUL  airport"));
    assert_eq!(found("The screen", "battery"), None);
    assert_eq!(found("The screen", " "), None);
    let text = "A party for art";
    assert_eq!(first_place(text, "art").map(|span| span.start), Some(12), "a word of its own comes first");
    assert_eq!(first_place(text, "part").map(|span| span.start), Some(2));
}

#[test]
fn several_brands_come_in_the_order_of_their_ids() {
    let brands = [
        Brand { words: texts(&["beta", "both"]), ..brand("b") },
        Brand { words: texts(&["gamma"]), ..brand("c") },
        Brand { words: texts(&["alpha", "both"]), ..brand("a") },
    ];
    let found = find(&Matcher::new(&brands), &post("gamma both"));
    assert_eq!(found.iter().map(|spans| spans.brand.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(find(&Matcher::new(&[]), &post("gamma both")).is_empty());
}

#[test]
fn a_text_that_is_one_endless_word_takes_no_endless_time() {
    let brand = Brand {
        words: texts(&["a", "aa", "vmware"]),
        hosts: texts(&["a.aa", "vmware.com"]),
        exclusions: texts(&["a", "aaa"]),
        ..brand("a")
    };
    let matcher = Matcher::new(&[brand]);
    let started = std::time::Instant::now();
    for piece in ["a", "a.", "a ", "vmware.com,", "a.aa@", "@a.", "https://a.aa", "の", "#a"] {
        find(&matcher, &post(&piece.repeat(65_536 / piece.len())));
    }
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}
