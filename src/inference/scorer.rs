//! Owns the sentiment model on a thread of its own and scores texts in batches.
//!
//! There is no timer: while the model is busy, texts gather in a bounded queue, and the next
//! window takes what is there. A single text on an idle machine is scored at once; under load the
//! batches grow by themselves.

use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::{ActiveDevice, InferenceError, ModelId, Options, TextModel, TextTokenizer, plan_batches};
use crate::domain::Sentiment;
use crate::metrics;

/// Batches that one window may fill: enough texts to sort by length, few enough to answer soon.
const WINDOW_BATCHES: usize = 4;

struct Entry {
    tokens: Vec<i64>,
    reply: oneshot::Sender<Result<Sentiment, InferenceError>>,
}

/// A handle to the model's thread. The thread ends when the last handle is dropped.
#[derive(Clone)]
pub struct TextScorer {
    tokenizer: Arc<TextTokenizer>,
    queue: mpsc::Sender<Entry>,
    model: ModelId,
    device: ActiveDevice,
}

/// A score that is on its way.
#[must_use]
pub struct PendingScore(oneshot::Receiver<Result<Sentiment, InferenceError>>);

impl Future for PendingScore {
    type Output = Result<Sentiment, InferenceError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|reply| reply.unwrap_or(Err(InferenceError::Stopped)))
    }
}

impl TextScorer {
    /// Moves the model to a thread of its own.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(model: TextModel, tokenizer: TextTokenizer, options: &Options) -> std::io::Result<Self> {
        let (queue, entries) = mpsc::channel(options.queue.get());
        let id = model.id();
        let device = model.device().clone();
        let budget = options.batch_tokens;
        ::metrics::gauge!(metrics::MODEL_DEVICE, "model" => id.to_string(), "device" => device.name).set(1.0);
        std::thread::Builder::new()
            .name("text-model".to_owned())
            .spawn(move || run_windows(model, entries, budget))?;
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
        let tokens = self.tokenizer.encode(text)?;
        let (reply, pending) = oneshot::channel();
        self.queue.send(Entry { tokens, reply }).await.map_err(|_| InferenceError::Stopped)?;
        Ok(PendingScore(pending))
    }
}

fn run_windows(mut model: TextModel, mut entries: mpsc::Receiver<Entry>, budget: NonZeroUsize) {
    let name = model.id().to_string();
    while let Some(first) = entries.blocking_recv() {
        let mut gathered = first.tokens.len();
        let mut window = vec![first];
        while gathered < budget.get() * WINDOW_BATCHES {
            let Ok(entry) = entries.try_recv() else { break };
            gathered += entry.tokens.len();
            window.push(entry);
        }
        // Nobody waits for these any more.
        window.retain(|entry| !entry.reply.is_closed());
        let lengths: Vec<usize> = window.iter().map(|entry| entry.tokens.len()).collect();
        let mut window: Vec<Option<Entry>> = window.into_iter().map(Some).collect();
        for batch in plan_batches(&lengths, budget) {
            let batch: Vec<Entry> = batch.into_iter().filter_map(|index| window[index].take()).collect();
            run_batch(&mut model, &name, batch);
        }
    }
}

fn run_batch(model: &mut TextModel, name: &str, batch: Vec<Entry>) {
    let rows: Vec<&[i64]> = batch.iter().map(|entry| entry.tokens.as_slice()).collect();
    let started = Instant::now();
    let scores = model.run(&rows);
    record(name, &rows, started);
    match scores {
        Ok(scores) => {
            for (entry, score) in batch.into_iter().zip(scores) {
                // A receiver that has gone needs no score.
                let _ = entry.reply.send(Ok(score));
            }
        }
        // One text may have spoilt the batch: each is tried alone, so that only the culprit fails.
        Err(error) if batch.len() > 1 => {
            tracing::warn!(model.id = name, batch.texts = batch.len(), error = %error, "Batch failed, scoring its texts one by one");
            for entry in batch {
                let score = model.run(&[&entry.tokens]).map(|scores| scores[0]);
                let _ = entry.reply.send(score);
            }
        }
        Err(error) => {
            for entry in batch {
                let _ = entry.reply.send(Err(InferenceError::Runtime(error.to_string())));
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn record(name: &str, rows: &[&[i64]], started: Instant) {
    let name = name.to_owned();
    let real: usize = rows.iter().map(|row| row.len()).sum();
    let padded = rows.len() * rows.iter().map(|row| row.len()).max().unwrap_or(0);
    ::metrics::histogram!(metrics::MODEL_RUN_SECONDS, "model" => name.clone()).record(started.elapsed());
    ::metrics::histogram!(metrics::MODEL_BATCH_POSTS, "model" => name.clone()).record(rows.len() as f64);
    ::metrics::counter!(metrics::MODEL_TOKENS, "model" => name.clone(), "kind" => "real")
        .increment(real as u64);
    ::metrics::counter!(metrics::MODEL_TOKENS, "model" => name, "kind" => "padding")
        .increment((padded - real) as u64);
}
