//! What batching and sorting by length gain: the same 256 posts of mixed lengths, scored one at a
//! time, in batches as they come, and in batches of similar length as the daemon forms them.
//!
//! `cargo bench --bench scoring`; needs the library that `make build` fetches.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::OnceLock;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use overheard::domain::Span;
use overheard::inference::{Device, Runtime, Target, TextModel, TextRow, TextTokenizer, plan_batches};
use overheard::language;

const WORDS: [&str; 12] = [
    "support", "the", "update", "broke", "my", "license", "again", "and", "nobody", "answers", "honestly",
    "great",
];
const POSTS: usize = 256;

fn main() {
    divan::main();
}

fn model() -> (TextModel, TextTokenizer) {
    // ONNX Runtime has one environment a process.
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let runtime = RUNTIME.get_or_init(|| {
        let library = root.join(".runtime/onnxruntime/libonnxruntime.so");
        Runtime::load(&library, Device::Cpu, NonZeroUsize::MIN).expect("`make build` fetches the library")
    });
    TextModel::open(runtime, &root.join("models/sentiment")).expect("the shipped model opens")
}

/// Posts of 3 to 60 words, in no order.
fn posts() -> Vec<String> {
    let text = |post: usize| {
        let length = 3 + post * 37 % 58;
        (0..length).map(|word| WORDS[(post + word * 5) % WORDS.len()]).collect::<Vec<_>>().join(" ")
    };
    (0..POSTS).map(text).collect()
}

fn rows(tokenizer: &TextTokenizer) -> Vec<Vec<i64>> {
    posts().iter().map(|post| tokenizer.encode(post).expect("a text has tokens")).collect()
}

fn score(bencher: Bencher<'_, '_>, batches: impl Fn(&[usize]) -> Vec<Vec<usize>>) {
    let (mut model, tokenizer) = model();
    let rows = rows(&tokenizer);
    let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
    bencher.counter(ItemsCount::new(POSTS)).bench_local(|| {
        for batch in batches(&lengths) {
            let row = |index: &usize| TextRow { ids: &rows[*index], target: Target::default() };
            let batch: Vec<TextRow<'_>> = batch.iter().map(row).collect();
            black_box(model.run(&batch).expect("the model runs"));
        }
    });
}

#[divan::bench]
fn one_at_a_time(bencher: Bencher<'_, '_>) {
    score(bencher, |lengths| (0..lengths.len()).map(|index| vec![index]).collect());
}

#[divan::bench]
fn batches_as_they_come(bencher: Bencher<'_, '_>) {
    score(bencher, |lengths| {
        let all: Vec<usize> = (0..lengths.len()).collect();
        all.chunks(64).map(<[usize]>::to_vec).collect()
    });
}

#[divan::bench]
fn batches_of_similar_length(bencher: Bencher<'_, '_>) {
    score(bencher, |lengths| plan_batches(lengths, NonZeroUsize::new(4096).expect("not zero")));
}

#[divan::bench]
fn tokenizing(bencher: Bencher<'_, '_>) {
    let (_, tokenizer) = model();
    let posts = posts();
    bencher.counter(ItemsCount::new(POSTS)).bench_local(|| {
        for post in &posts {
            black_box(tokenizer.encode(post).expect("a text has tokens"));
        }
    });
}

/// The same with the tokens that stand at a place, as for a model that takes targets.
#[divan::bench]
fn tokenizing_with_a_target(bencher: Bencher<'_, '_>) {
    let (_, tokenizer) = model();
    let posts = posts();
    let place = [Some(Span { start: 4, end: 8 })];
    bencher.counter(ItemsCount::new(POSTS)).bench_local(|| {
        for post in &posts {
            black_box(tokenizer.encode_with_targets(post, &place).expect("a text has tokens"));
        }
    });
}

#[divan::bench]
fn detecting_the_language(bencher: Bencher<'_, '_>) {
    let posts = posts();
    bencher.counter(ItemsCount::new(POSTS)).bench_local(|| {
        for post in &posts {
            black_box(language::detect(post, &[], &[]));
        }
    });
}
