//! Posts that a query finds: their number by day, the words that brought them, and a few of them. What it
//! takes in memory does not grow with the posts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::domain::{Post, Spans};
use crate::folding::folded_term;

/// How many different words are counted each for itself: `a*` finds without end.
const MOST_WORDS: usize = 10_000;
/// How many of them are shown.
const SHOWN_WORDS: usize = 20;

/// Posts, counted.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) posts: u64,
    pub(super) days: BTreeMap<NaiveDate, u64>,
    words: HashMap<String, u64>,
    /// Posts with words beyond the most that are counted.
    with_other_words: u64,
    /// Posts that only something beside their text brought.
    beside_text: u64,
    /// By a hash of their identity, so that the sample is an even one, and the same each time.
    sample: BTreeMap<(u64, String, String), Sampled>,
    sample_size: usize,
}

/// A post to show.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Sampled {
    pub(super) created_at: DateTime<Utc>,
    pub(super) source: String,
    pub(super) id: String,
    pub(super) author: Option<String>,
    pub(super) text: String,
    pub(super) link: Option<String>,
}

/// A word, or words in a row, folded, and in how many posts it names the brand.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Word {
    pub(super) word: String,
    pub(super) posts: u64,
}

/// What is told of the posts.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) posts: u64,
    pub(super) words: Vec<Word>,
    /// Posts with words that are not counted each for itself.
    pub(super) with_other_words: u64,
    /// Posts that a link, a tag or another property alone brought.
    pub(super) beside_text: u64,
    pub(super) sample: Vec<Sampled>,
}

impl Tally {
    pub(super) fn new(sample_size: usize) -> Self {
        Self {
            posts: 0,
            days: BTreeMap::new(),
            words: HashMap::new(),
            with_other_words: 0,
            beside_text: 0,
            sample: BTreeMap::new(),
            sample_size,
        }
    }

    /// Counts a post that is named at these places.
    pub(super) fn add(&mut self, post: &Post, found: &Spans) {
        self.posts += 1;
        *self.days.entry(post.key.created_at.date_naive()).or_default() += 1;
        let words: BTreeSet<String> = found
            .spans
            .iter()
            .filter_map(|span| post.text.get(span.start..span.end))
            .map(folded_term)
            .collect();
        self.beside_text += u64::from(words.is_empty());
        let mut has_others = false;
        for word in words {
            if self.words.len() < MOST_WORDS || self.words.contains_key(&word) {
                *self.words.entry(word).or_default() += 1;
            } else {
                has_others = true;
            }
        }
        self.with_other_words += u64::from(has_others);
        self.sample(post);
    }

    fn sample(&mut self, post: &Post) {
        let mut hasher = DefaultHasher::new();
        (&post.key.source, &post.key.id).hash(&mut hasher);
        let hash = hasher.finish();
        let is_full = self.sample.len() >= self.sample_size;
        if is_full && self.sample.last_key_value().is_none_or(|((last, ..), _)| hash >= *last) {
            return;
        }
        let sampled = Sampled {
            created_at: post.key.created_at,
            source: post.key.source.clone(),
            id: post.key.id.clone(),
            author: post.author.clone(),
            text: post.text.clone(),
            link: post.link.clone(),
        };
        self.sample.insert((hash, post.key.source.clone(), post.key.id.clone()), sampled);
        if self.sample.len() > self.sample_size {
            self.sample.pop_last();
        }
    }

    /// The posts of the sample by time, and the words that brought the most posts.
    pub(super) fn summary(self) -> Summary {
        let mut words: Vec<Word> = self.words.into_iter().map(|(word, posts)| Word { word, posts }).collect();
        words.sort_unstable_by(|one, other| {
            (Reverse(one.posts), &one.word).cmp(&(Reverse(other.posts), &other.word))
        });
        words.truncate(SHOWN_WORDS);
        let mut sample: Vec<Sampled> = self.sample.into_values().collect();
        sample.sort_by(|one, other| {
            (one.created_at, &one.source, &one.id).cmp(&(other.created_at, &other.source, &other.id))
        });
        let Self { posts, with_other_words, beside_text, .. } = self;
        Summary { posts, words, with_other_words, beside_text, sample }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PostKey, Span};

    fn add(tally: &mut Tally, id: usize, text: &str, names: &[&str]) {
        let key = PostKey {
            source: "test".to_owned(),
            id: id.to_string(),
            created_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(i64::try_from(id).unwrap()),
        };
        let span = |name: &&str| {
            let start = text.find(name).unwrap();
            Span { start, end: start + name.len() }
        };
        let spans = names.iter().map(span).collect();
        let found = Spans { brand: "acme".parse().unwrap(), spans, alt: None };
        tally.add(&Post::new(key, text), &found);
    }

    #[test]
    fn posts_are_counted_by_day_and_by_word_and_a_few_are_kept() {
        let mut tally = Tally::new(3);
        for id in 0..48 {
            add(&mut tally, id, "ACME and Acme", &["ACME", "Acme"]);
        }
        add(&mut tally, 50, "Acme's horizon", &["horizon"]);
        add(&mut tally, 51, "see here", &[]);
        assert_eq!(tally.days.values().copied().collect::<Vec<_>>(), [24, 24, 2]);
        let summary = tally.summary();
        let words: Vec<_> = summary.words.iter().map(|word| (word.word.as_str(), word.posts)).collect();
        assert_eq!(words, [("acme", 48), ("horizon", 1)]);
        assert_eq!((summary.posts, summary.beside_text, summary.with_other_words), (50, 1, 0));
        assert_eq!(summary.sample.len(), 3);
    }

    #[test]
    fn different_words_without_end_take_bounded_memory() {
        let mut tally = Tally::new(0);
        for id in 0..MOST_WORDS + 5 {
            let word = format!("vm{id}");
            add(&mut tally, id, &word, &[&word]);
        }
        assert_eq!(tally.words.len(), MOST_WORDS);
        let summary = tally.summary();
        assert_eq!((summary.with_other_words, summary.words.len()), (5, SHOWN_WORDS));
        assert!(summary.sample.is_empty());
    }
}
