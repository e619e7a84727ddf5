//! Scores texts on the sentiment model's own thread, in batches of similar length.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::worker::{Batches, Queue};
use super::{
    ActiveDevice, InferenceError, ModelId, Options, Pending, TextModel, TextTokenizer, plan_batches,
};
use crate::domain::Sentiment;
use crate::metrics;

/// Batches that one window may fill: enough texts to sort by length, few enough to answer soon.
const WINDOW_BATCHES: usize = 4;

/// The text model as its thread sees it: rows of token ids in, scores out.
struct TextBatches {
    model: TextModel,
    name: String,
    budget: NonZeroUsize,
}

impl Batches for TextBatches {
    type Item = Vec<i64>;
    type Answer = Sentiment;

    fn size(&self, tokens: &Vec<i64>) -> usize {
        tokens.len()
    }

    fn window(&self) -> usize {
        self.budget.get() * WINDOW_BATCHES
    }

    fn plan(&self, window: &[&Vec<i64>]) -> Vec<Vec<usize>> {
        let lengths: Vec<usize> = window.iter().map(|tokens| tokens.len()).collect();
        plan_batches(&lengths, self.budget)
    }

    fn run(&mut self, batch: &[&Vec<i64>]) -> Result<Vec<Sentiment>, InferenceError> {
        let rows: Vec<&[i64]> = batch.iter().map(|tokens| tokens.as_slice()).collect();
        self.model.run(&rows)
    }

    fn probe(&mut self) -> Result<(), InferenceError> {
        self.model.probe()
    }

    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    fn record(&self, batch: &[&Vec<i64>], took: Duration) {
        let name = self.name.clone();
        let real: usize = batch.iter().map(|tokens| tokens.len()).sum();
        let padded = batch.len() * batch.iter().map(|tokens| tokens.len()).max().unwrap_or(0);
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
    queue: Queue<Vec<i64>, Sentiment>,
    model: ModelId,
    device: ActiveDevice,
}

/// A score that is on its way.
pub type PendingScore = Pending<Sentiment>;

impl TextScorer {
    /// Moves the model to a thread of its own.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(model: TextModel, tokenizer: TextTokenizer, options: &Options) -> std::io::Result<Self> {
        let id = model.id();
        let device = model.device().clone();
        ::metrics::gauge!(metrics::MODEL_DEVICE, "model" => id.to_string(), "device" => device.name).set(1.0);
        let batches = TextBatches { model, name: id.to_string(), budget: options.batch_tokens };
        let queue = Queue::start(batches, &id, "text-model", options.queue)?;
        Ok(Self { tokenizer: Arc::new(tokenizer), queue, model: id, device })
    }

    /// The model that scores.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// Where it runs.
    pub fn device(&self) -> &ActiveDevice {
        &self.device
    }

    /// Hands a text to the model; waits while the queue is full.
    ///
    /// # Errors
    /// The text can't be tokenized, or the model's thread has ended.
    pub async fn submit(&self, text: &str) -> Result<PendingScore, InferenceError> {
        self.queue.submit(self.tokenizer.encode(text)?).await
    }
}
