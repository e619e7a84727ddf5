//! Scores texts on the sentiment model's own thread, in batches of similar length.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;

use super::worker::{Batches, Queue};
use super::{
    ActiveDevice, InferenceError, Options, Pending, Target, TextModel, TextRow, TextTokenizer, plan_batches,
};
use crate::domain::{Language, ModelId, Sentiment, Span};
use crate::metrics;

/// Batches that one window may fill: enough texts to sort by length, few enough to answer soon.
const WINDOW_BATCHES: usize = 4;

/// A text on its way to the model, towards something in it.
struct Text {
    ids: Arc<[i64]>,
    target: Target,
}

/// The text model as its thread sees it: rows of token ids in, scores out.
struct TextBatches {
    model: TextModel,
    name: String,
    budget: NonZeroUsize,
}

impl Batches for TextBatches {
    type Item = Text;
    type Answer = Sentiment;

    fn size(&self, text: &Text) -> usize {
        text.ids.len()
    }

    fn window(&self) -> usize {
        self.budget.get() * WINDOW_BATCHES
    }

    fn plan(&self, window: &[&Text]) -> Vec<Vec<usize>> {
        let lengths: Vec<usize> = window.iter().map(|text| text.ids.len()).collect();
        plan_batches(&lengths, self.budget)
    }

    fn run(&mut self, batch: &[&Text]) -> Result<Vec<Sentiment>, InferenceError> {
        let rows: Vec<_> = batch.iter().map(|text| TextRow { ids: &text.ids, target: text.target }).collect();
        self.model.run(&rows)
    }

    fn probe(&mut self) -> Result<(), InferenceError> {
        self.model.probe()
    }

    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    fn record(&self, batch: &[&Text], took: Duration) {
        let name = self.name.clone();
        let real: usize = batch.iter().map(|text| text.ids.len()).sum();
        let padded = batch.len() * batch.iter().map(|text| text.ids.len()).max().unwrap_or(0);
        ::metrics::histogram!(metrics::MODEL_RUN_SECONDS, "model" => name.clone()).record(took);
        ::metrics::histogram!(metrics::MODEL_BATCH_POSTS, "model" => name.clone()).record(batch.len() as f64);
        ::metrics::counter!(metrics::MODEL_TOKENS, "model" => name.clone(), "kind" => "real")
            .increment(real as u64);
        ::metrics::counter!(metrics::MODEL_TOKENS, "model" => name, "kind" => "padding")
            .increment((padded - real) as u64);
    }
}

/// A handle to the text model's thread. The thread ends when the last handle is dropped, or when
/// the runtime breaks.
#[derive(Clone)]
pub struct TextScorer {
    tokenizer: Arc<TextTokenizer>,
    queue: Queue<Text, Sentiment>,
    model: ModelId,
    languages: Arc<[Language]>,
    takes_targets: bool,
    device: ActiveDevice,
}

/// Scores of one text that are on their way, one for each place that was asked about.
#[must_use]
pub struct PendingScores {
    rows: Vec<Pending<Sentiment>>,
    /// The row of each place: places that are the same to the model share one.
    row_of: Vec<usize>,
}

impl PendingScores {
    /// Waits for all of them.
    ///
    /// # Errors
    /// The model fails on the text, or its thread has ended.
    pub async fn all(self) -> Result<Vec<Sentiment>, InferenceError> {
        let rows = try_join_all(self.rows).await?;
        Ok(self.row_of.into_iter().map(|row| rows[row]).collect())
    }
}

impl TextScorer {
    /// Moves the model to a thread of its own.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(model: TextModel, tokenizer: TextTokenizer, options: &Options) -> std::io::Result<Self> {
        let id = model.id();
        let device = model.device().clone();
        ::metrics::gauge!(metrics::MODEL_DEVICE, "model" => id.to_string(), "device" => device.name).set(1.0);
        let languages = model.manifest().kind.languages.as_slice().into();
        let takes_targets = model.takes_targets();
        let batches = TextBatches { model, name: id.to_string(), budget: options.batch_tokens };
        let queue = Queue::start(batches, &id, "text-model", options.queue)?;
        Ok(Self { tokenizer: Arc::new(tokenizer), queue, model: id, languages, takes_targets, device })
    }

    /// The model that scores.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// Where it runs.
    pub fn device(&self) -> &ActiveDevice {
        &self.device
    }

    /// The languages that it scores.
    pub fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// Whether it scores towards a place in the text; one that does not scores texts as a whole.
    pub fn takes_targets(&self) -> bool {
        self.takes_targets
    }

    /// Hands a text to the model, once for each of these places in it that are different to the
    /// model, `None` being the text as a whole; waits while the queue is full. To a model without
    /// targets all places are the same, so it scores the text once.
    ///
    /// # Errors
    /// The text can't be tokenized, or the model's thread has ended.
    pub async fn submit(&self, text: &str, places: &[Option<Span>]) -> Result<PendingScores, InferenceError> {
        let (ids, targets) = if self.takes_targets {
            self.tokenizer.encode_with_targets(text, places)?
        } else {
            (self.tokenizer.encode(text)?, vec![Target::default(); places.len()])
        };
        let ids: Arc<[i64]> = ids.into();
        let mut different: Vec<Target> = Vec::new();
        let mut row_of = Vec::with_capacity(targets.len());
        for target in targets {
            let known = different.iter().position(|other| *other == target);
            row_of.push(known.unwrap_or(different.len()));
            if known.is_none() {
                different.push(target);
            }
        }
        let mut rows = Vec::with_capacity(different.len());
        for target in different {
            rows.push(self.queue.submit(Text { ids: ids.clone(), target }).await?);
        }
        Ok(PendingScores { rows, row_of })
    }
}
