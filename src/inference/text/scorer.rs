//! Runs a sentiment model on its own thread, in batches of texts of similar length.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;

use super::batches::plan_batches;
use super::model::{TextModel, TextRow};
use super::tokenizer::{Target, TextTokenizer};
use crate::domain::{Language, ModelId, Sentiment, Span};
use crate::health::{Health, Stage};
use crate::inference::worker::{Batches, Queue};
use crate::inference::{ActiveDevice, InferenceError, Options, Pending};
use crate::metrics;

/// Window size in batches: enough texts to sort by length, few enough for low latency.
const WINDOW_BATCHES: usize = 4;

/// A queued text with its target.
struct Text {
    ids: Arc<[i64]>,
    target: Target,
}

/// The model on its thread. `budget` is the most tokens in one batch, padding included.
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

/// Pending scores of one text, one per submitted place.
#[must_use]
pub struct PendingScores {
    rows: Vec<Pending<Sentiment>>,
    /// The row of each place; places with the same target share one.
    row_of: Vec<usize>,
}

impl PendingScores {
    /// Waits for all scores, in the order of the places.
    ///
    /// # Errors
    /// The model fails on the text, or its thread has ended.
    pub async fn all(self) -> Result<Vec<Sentiment>, InferenceError> {
        let rows = try_join_all(self.rows).await?;
        Ok(self.row_of.into_iter().map(|row| rows[row]).collect())
    }
}

impl TextScorer {
    /// Moves the model to a thread of its own, which reports its progress.
    ///
    /// # Errors
    /// The system can't start a thread.
    pub fn start(
        model: TextModel,
        tokenizer: TextTokenizer,
        options: &Options,
        health: &Health,
    ) -> std::io::Result<Self> {
        let id = model.id();
        let device = model.device().clone();
        ::metrics::gauge!(metrics::MODEL_DEVICE, "model" => id.to_string(), "device" => device.name).set(1.0);
        let languages = model.manifest().kind.languages.as_slice().into();
        let takes_targets = model.takes_targets();
        let batches = TextBatches { model, name: id.to_string(), budget: options.batch_tokens };
        let heartbeat = health.heartbeat(Stage::TextModel);
        let queue = Queue::start(batches, &id, "text-model", options.queue, heartbeat)?;
        Ok(Self { tokenizer: Arc::new(tokenizer), queue, model: id, languages, takes_targets, device })
    }

    /// Name and version of the model.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// The device that it runs on.
    pub fn device(&self) -> &ActiveDevice {
        &self.device
    }

    /// The languages that it supports.
    pub fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// Whether it takes targets. If not, it scores texts as a whole.
    pub fn takes_targets(&self) -> bool {
        self.takes_targets
    }

    /// Queues a text once for each distinct target among `places`, where `None` is the whole text;
    /// waits while the queue is full. A model that takes no targets scores the text once.
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
