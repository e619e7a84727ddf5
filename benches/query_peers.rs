//! Boolean queries on posts of some 200 bytes, written down for other engines to run the same.
//!
//! `cargo bench --bench query_peers -- FOLDER RUNS` writes into the folder `queries-KIND-COUNT.txt` (a name and
//! an s-expression a line), `posts-KIND-COUNT-SET.txt` (a post a line) and
//! `posts-KIND-COUNT-SET-overheard.matches` (number of the post, name of the query). It prints a line for
//! each: queries, posts, engine, microseconds a post of each run by the processor's time, and how many posts
//! were checked. `make bench-queries-peer` compares them with Lucene Monitor's.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use chrono::DateTime;
use overheard::domain::{Brand, Near, Post, PostKey, Query, Term};
use overheard::matching::Matcher;

const KINDS: [&str; 3] = ["seven-words", "120-words", "wildcards"];
const COUNTS: [usize; 2] = [10, 1000];
const POSTS: usize = 2000;
/// How many words of the vocabulary posts are made of.
const COMMON: usize = 8000;
const LEAST_TIME: Duration = Duration::from_secs(1);

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (folder, runs) = match arguments.as_slice() {
        [] => (PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("query-peers"), 3),
        [folder, runs] => (PathBuf::from(folder), runs.parse().expect("a number of runs")),
        _ => panic!("use it as: cargo bench --bench query_peers -- FOLDER RUNS"),
    };
    fs::create_dir_all(&folder).expect("a folder that can be made");
    let vocabulary = vocabulary();
    for kind in KINDS {
        for count in COUNTS {
            let mut random = Random(42);
            let brands = brands(kind, count, &vocabulary, &mut random);
            write(&folder.join(format!("queries-{kind}-{count}.txt")), &written(&brands));
            let matcher = Matcher::new(&brands.iter().map(|brand| brand.brand.clone()).collect::<Vec<_>>());
            for (set, matching) in [("none", None), ("one-percent", Some(&brands))] {
                let texts = texts(&vocabulary, matching, &mut random);
                let name = format!("posts-{kind}-{count}-{set}");
                write(&folder.join(format!("{name}.txt")), &(texts.join("\n") + "\n"));
                let posts: Vec<Post> = texts.iter().map(|text| post(text)).collect();
                write(&folder.join(format!("{name}-overheard.matches")), &matches(&matcher, &posts));
                let times = times(&matcher, &posts, runs);
                println!("queries-{kind}-{count}.txt\t{name}.txt\toverheard\t{times:?}\t{POSTS}");
            }
        }
    }
}

/// A query with what makes a post match it.
struct Example {
    brand: Brand,
    query: Query,
    text: [String; 2],
}

/// Lower-case words of a text model's vocabulary, the most frequent first.
fn vocabulary() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/sentiment/tokenizer.json");
    let file: serde_json::Value = serde_json::from_slice(&fs::read(file).expect("the model")).expect("JSON");
    let mut words: Vec<(u64, &String)> = file["model"]["vocab"]
        .as_object()
        .expect("a vocabulary")
        .iter()
        .filter(|(word, _)| (4..=10).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase()))
        .filter(|(word, _)| !["near", "onear"].contains(&word.as_str()))
        .map(|(word, number)| (number.as_u64().expect("a number"), word))
        .collect();
    words.sort_unstable();
    words.into_iter().map(|(_, word)| word.clone()).collect()
}

/// Splitmix64 (G. Steele, D. Lea and C. Flood, Fast splittable pseudorandom number generators, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("less than a usize")
    }

    /// Below `end`, and half as often twice as far: as words are used.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn ranked(&mut self, end: usize) -> usize {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((end as f64).powf(share) as usize - 1).min(end - 1)
    }
}

fn brands(kind: &str, count: usize, vocabulary: &[String], random: &mut Random) -> Vec<Example> {
    let mut names = Names { vocabulary, used: HashSet::new() };
    (0..count)
        .map(|number| {
            let (query, text) = match kind {
                "seven-words" => seven_words(&mut names, random),
                "120-words" => many_words(&mut names, random),
                _ => wildcards(&mut names, random),
            };
            let id = format!("q{number}");
            Example { brand: brand(&id, query.clone()), query, text }
        })
        .collect()
}

/// Names that no post holds by chance, each for one query: two words in one.
struct Names<'v> {
    vocabulary: &'v [String],
    used: HashSet<String>,
}

impl Names<'_> {
    fn name(&mut self, random: &mut Random) -> String {
        loop {
            let [one, other] = [(); 2].map(|()| &self.vocabulary[random.below(self.vocabulary.len())]);
            let name = format!("{one}{other}");
            let is_word = self.vocabulary.iter().any(|word| word.starts_with(&name));
            if !is_word && self.used.insert(name.clone()) {
                return name;
            }
        }
    }

    fn names(&mut self, count: usize, random: &mut Random) -> Vec<Query> {
        (0..count).map(|_| term(&self.name(random), false)).collect()
    }

    /// A word that posts use.
    fn word(&self, random: &mut Random) -> String {
        self.vocabulary[random.ranked(COMMON)].clone()
    }

    fn words(&self, count: usize, random: &mut Random) -> Vec<Query> {
        (0..count).map(|_| term(&self.word(random), false)).collect()
    }

    /// A word that few posts use, so that what shall match is not excluded by chance.
    fn rare(&self, count: usize, prefix: bool, random: &mut Random) -> Vec<Query> {
        (0..count).map(|_| term(&self.vocabulary[COMMON / 2 + random.below(COMMON / 2)], prefix)).collect()
    }
}

/// `(name OR name) AND (word OR word OR word) AND NOT (word OR word)`
fn seven_words(names: &mut Names<'_>, random: &mut Random) -> (Query, [String; 2]) {
    let (name, word) = (names.name(random), names.word(random));
    let mut called = vec![term(&name, false)];
    called.extend(names.names(1, random));
    let mut about = vec![term(&word, false)];
    about.extend(names.words(2, random));
    let not = names.rare(2, false, random);
    (Query::all([Query::any(called), Query::any(about), not_any(not)]), [name, word])
}

/// Ten names, two of them phrases of two; sixty words; eight words near each other; forty that exclude.
fn many_words(names: &mut Names<'_>, random: &mut Random) -> (Query, [String; 2]) {
    let (name, word) = (names.name(random), names.word(random));
    let mut called = vec![term(&name, false)];
    called.extend(names.names(7, random));
    called.extend((0..2).map(|_| term(&format!("{} {}", names.name(random), names.word(random)), false)));
    let mut about = vec![term(&word, false)];
    about.extend(names.words(59, random));
    let near = Near {
        left: Query::any(names.words(4, random)),
        right: Query::any(names.words(4, random)),
        distance: 5,
        ordered: false,
    };
    about.push(Query::Near(Box::new(near)));
    let not = names.rare(40, false, random);
    (Query::all([Query::any(called), Query::any(about), not_any(not)]), [name, word])
}

/// `(name* OR name*) AND (word* OR word* OR word*) AND NOT word*`
fn wildcards(names: &mut Names<'_>, random: &mut Random) -> (Query, [String; 2]) {
    let (name, word) = (names.name(random), names.word(random));
    let called = vec![term(&name, true), term(&names.name(random), true)];
    let mut about = vec![term(&word[..4], true)];
    about.extend((0..2).map(|_| term(&names.word(random)[..4], true)));
    let not = names.rare(1, true, random);
    (Query::all([Query::any(called), Query::any(about), not_any(not)]), [format!("{name}s"), word])
}

fn term(text: &str, prefix: bool) -> Query {
    Query::Term(Term { text: text.to_owned(), prefix, exact_case: false })
}

fn not_any(parts: Vec<Query>) -> Query {
    Query::Not(Box::new(Query::any(parts)))
}

/// Posts that match nothing; with examples, one of a hundred is made to match one of them.
fn texts(vocabulary: &[String], matching: Option<&Vec<Example>>, random: &mut Random) -> Vec<String> {
    (0..POSTS)
        .map(|number| {
            let mut words: Vec<String> =
                (0..20 + random.below(16)).map(|_| vocabulary[random.ranked(COMMON)].clone()).collect();
            if let Some(examples) = matching
                && number % 100 == 7
            {
                for word in &examples[random.below(examples.len())].text {
                    words.insert(random.below(words.len()), word.clone());
                }
            }
            let first = words[0][..1].to_ascii_uppercase();
            words[0].replace_range(..1, &first);
            words.join(" ") + "."
        })
        .collect()
}

fn post(text: &str) -> Post {
    let key = PostKey { source: "bench".to_owned(), id: "1".to_owned(), created_at: DateTime::UNIX_EPOCH };
    Post::new(key, text)
}

fn written(examples: &[Example]) -> String {
    let mut lines = String::new();
    for example in examples {
        writeln!(lines, "{}\t{}", example.brand.id, expression(&example.query)).expect("a string takes all");
    }
    lines
}

fn expression(query: &Query) -> String {
    let list = |parts: &[Query]| parts.iter().map(expression).collect::<Vec<_>>().join(" ");
    match query {
        Query::Term(term) if term.prefix => format!("(prefix {})", term.text),
        Query::Term(term) if term.text.contains(' ') => format!("(phrase {})", term.text),
        Query::Term(term) => format!("(term {})", term.text),
        Query::All(parts) => format!("(all {})", list(parts)),
        Query::Any(parts) => format!("(any {})", list(parts)),
        Query::Not(part) => format!("(not {})", expression(part)),
        Query::Near(near) => {
            format!("(near {} {} {})", near.distance, expression(&near.left), expression(&near.right))
        }
        Query::In(..) | Query::Is(_) => unreachable!("{query} is not made here"),
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn brand(id: &str, query: Query) -> Brand {
    Brand { query: Some(query), ..Brand::new(id.parse().expect("a brand id")) }
}

fn matches(matcher: &Matcher, posts: &[Post]) -> String {
    let mut lines = String::new();
    for (number, post) in posts.iter().enumerate() {
        for found in matcher.find(post, &|_| None) {
            writeln!(lines, "{number}\t{}", found.brand).expect("a string takes all");
        }
    }
    lines
}

/// Microseconds a post of each run.
#[expect(clippy::cast_precision_loss, reason = "a few thousand posts")]
fn times(matcher: &Matcher, posts: &[Post], runs: usize) -> Vec<f64> {
    let run = || {
        let begin = processor_time();
        let mut passes = 0.0;
        loop {
            for post in posts {
                black_box(matcher.find(black_box(post), &|_| None));
            }
            passes += 1.0;
            let spent = processor_time().saturating_sub(begin);
            if spent > LEAST_TIME {
                return spent.as_secs_f64() * 1e6 / passes / posts.len() as f64;
            }
        }
    };
    run();
    (0..runs).map(|_| run()).collect()
}

/// What this thread had of the processor, however busy the machine is.
fn processor_time() -> Duration {
    let status = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells each thread's time");
    let nanoseconds = status.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number of nanoseconds"))
}
