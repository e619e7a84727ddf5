//! Finding the brands in a post of some 200 bytes, among few brands and many, compared with one
//! regular expression for each brand.
//!
//! `cargo bench --bench matching`

use chrono::DateTime;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use overheard::domain::{Brand, Post, PostKey};
use overheard::matching::Matcher;
use regex::Regex;

const BRANDS: [usize; 2] = [5, 1000];

const TEXTS: [&str; 6] = [
    "Moved the last two racks over the weekend, and for once nothing went wrong: no pager, no angry mails, and the \
     people on the second floor did not even notice. Next stop: the old site in the harbour.",
    "Brand7 support answered within twenty minutes and with an actual fix, which I did not expect at all. Credit where \
     credit is due, and now back to the rest of the queue. https://www.brand7.example/tickets/1",
    "Ganz ehrlich, seit wir umgestellt haben, läuft hier alles ruhiger: weniger Störungen, weniger Überstunden, und die \
     Kolleginnen grüßen wieder. Mehr davon bitte, und danke an alle!",
    "今日は新しい機械の設定を全部終わらせた。思ったより簡単だったけど、説明書がもう少し親切だったら良かったのにと思う。",
    "so @brand3 raised its prices again… third time this year!! 😡😡 who is still paying for this, honestly? asking for a \
     friend who has just cancelled everything #brand3 #enough #movingon",
    "Reading list for the train: two papers about queues, one about caches and a long rant about both. The rant is the \
     best of them, as always, and it quotes a mail from 1998 that I could have written.",
];

fn main() {
    divan::main();
}

fn posts() -> Vec<Post> {
    TEXTS.map(post).into()
}

fn post(text: &str) -> Post {
    Post::new(
        PostKey { source: "bench".to_owned(), id: "1".to_owned(), created_at: DateTime::UNIX_EPOCH },
        text,
    )
}

fn brands(count: usize) -> Vec<Brand> {
    let brand = |number: usize| Brand {
        words: vec![format!("Brand{number}"), format!("Brand {number}"), format!("{number} Incorporated")],
        hashtags: vec![format!("brand{number}")],
        handles: vec![format!("brand{number}"), format!("brand{number}.example")],
        hosts: vec![format!("brand{number}.example")],
        exclusions: vec![format!("Brand {number} Street")],
        ..Brand::new(format!("brand{number}").parse().expect("a brand id"))
    };
    (0..count).map(brand).collect()
}

#[divan::bench(args = BRANDS)]
fn one_automaton(bencher: Bencher<'_, '_>, count: usize) {
    let matcher = Matcher::new(&brands(count));
    let posts = posts();
    bencher.counter(ItemsCount::new(posts.len())).bench_local(|| {
        for post in &posts {
            black_box(matcher.find(black_box(post), &|_| None));
        }
    });
}

/// Does less than the matcher: no hosts, no exclusions, no scripts without spaces.
#[divan::bench(args = BRANDS)]
fn a_regex_each(bencher: Bencher<'_, '_>, count: usize) {
    let regexes: Vec<Regex> = brands(count)
        .iter()
        .map(|brand| {
            let terms: Vec<String> =
                brand.words.iter().map(|word| regex::escape(word).replace(' ', r"\s+")).collect();
            Regex::new(&format!(r"(?i)\b(?:{})\b", terms.join("|"))).expect("a regular expression")
        })
        .collect();
    let posts = posts();
    bencher.counter(ItemsCount::new(posts.len())).bench_local(|| {
        for post in &posts {
            for regex in &regexes {
                black_box(regex.find_iter(black_box(&post.text)).count());
            }
        }
    });
}

#[divan::bench(args = BRANDS)]
fn compile(bencher: Bencher<'_, '_>, count: usize) {
    let brands = brands(count);
    bencher.bench_local(|| Matcher::new(black_box(&brands)));
}
