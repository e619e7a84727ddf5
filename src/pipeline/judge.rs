//! Judging a text: its language, the model for it, and the score towards each place.
//!
//! Posts, pictures and the command line are all judged here.

use std::sync::Arc;

use crate::domain::{Judgement, Language, ModelId, Post, Score, Span};
use crate::inference::{InferenceError, PendingScores, TextScorer};
use crate::language;

/// Judges texts with the text models: each text by the first one that scores its language. Clones
/// share everything.
#[derive(Clone)]
pub struct Judge {
    scorers: Arc<[TextScorer]>,
    any_language: bool,
}

/// Judgements of one text that are on their way, one for each place that was asked about.
#[must_use]
pub struct PendingJudgements {
    language: Option<Language>,
    places: usize,
    scores: Option<(ModelId, PendingScores)>,
}

/// The language of a post that names brands at these places.
pub fn language_of(post: &Post, names: &[Span]) -> Option<Language> {
    language::detect(&post.text, &post.languages, names)
}

impl Judge {
    /// Models in the order in which they are asked.
    pub fn new(scorers: Vec<TextScorer>) -> Self {
        Self { scorers: scorers.into(), any_language: false }
    }

    /// One model that scores every text, whatever its language.
    pub fn of_any_language(scorer: TextScorer) -> Self {
        Self { scorers: [scorer].into(), any_language: true }
    }

    /// The models, in the order in which they are asked.
    pub fn scorers(&self) -> impl Iterator<Item = &TextScorer> {
        self.scorers.iter()
    }

    /// The languages that are scored, in alphabetical order.
    pub fn languages(&self) -> Vec<Language> {
        let mut languages: Vec<_> =
            self.scorers().flat_map(|scorer| scorer.languages().iter().copied()).collect();
        languages.sort_unstable();
        languages.dedup();
        languages
    }

    /// Finds out the language of a text, whose post claims these and which names brands in these
    /// places, and hands it to the model that scores it, with the places that scores are wanted
    /// towards (see [`TextScorer::submit`]).
    ///
    /// # Errors
    /// The text can't be tokenized, or the model's thread has ended.
    pub async fn submit(
        &self,
        text: &str,
        claimed: &[String],
        names: &[Span],
        places: &[Option<Span>],
    ) -> Result<PendingJudgements, InferenceError> {
        let language = language::detect(text, claimed, names);
        let is_for_it =
            |scorer: &&TextScorer| language.is_some_and(|language| scorer.languages().contains(&language));
        let in_charge = self.scorers().find(|scorer| self.any_language || is_for_it(scorer));
        let scores = match in_charge {
            Some(scorer) => Some((scorer.model().clone(), scorer.submit(text, places).await?)),
            None => None,
        };
        Ok(PendingJudgements { language, places: places.len(), scores })
    }
}

impl PendingJudgements {
    /// Waits for all of them.
    ///
    /// # Errors
    /// The model fails on the text, or its thread has ended.
    pub async fn all(self) -> Result<Vec<Judgement>, InferenceError> {
        let language = self.language;
        let Some((model, scores)) = self.scores else {
            return Ok(vec![Judgement { language, score: None }; self.places]);
        };
        let judged =
            |sentiment| Judgement { language, score: Some(Score { sentiment, model: model.clone() }) };
        Ok(scores.all().await?.into_iter().map(judged).collect())
    }
}
