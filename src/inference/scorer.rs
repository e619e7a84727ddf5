//! Owns the sentiment model on a thread of its own and scores texts in batches.
//!
//! There is no timer: while the model is busy, texts gather in a bounded queue, and the next
//! window takes what is there. A single text on an idle machine is scored at once; under load the
//! batches grow by themselves.
//!
//! A text that fails alone, after a probe has shown that the model still runs, gets the error. When
//! the probe fails too it is the runtime that has broken (memory of the GPU exhausted, device lost):
//! the thread ends and every text is answered with [`InferenceError::Stopped`], so that no post is
//! blamed for it.

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

/// What the thread asks of a model; tests put one in its place that breaks when told to.
trait Scores {
    /// Scores rows of token ids.
    fn run(&mut self, rows: &[&[i64]]) -> Result<Vec<Sentiment>, InferenceError>;

    /// Shows that the model runs at all.
    fn probe(&mut self) -> Result<(), InferenceError>;
}

impl Scores for TextModel {
    fn run(&mut self, rows: &[&[i64]]) -> Result<Vec<Sentiment>, InferenceError> {
        self.run(rows)
    }

    fn probe(&mut self) -> Result<(), InferenceError> {
        self.probe()
    }
}

/// A handle to the model's thread. The thread ends when the last handle is dropped, or when the
/// runtime breaks.
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
        std::thread::Builder::new().name("text-model".to_owned()).spawn(move || {
            let name = model.id().to_string();
            if let Err(error) = run_windows(model, &name, entries, budget) {
                tracing::error!(model.id = name, error = %error, "The model can't run any more");
            }
        })?;
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

/// Scores until no handle is left, or until the runtime breaks. Then the texts that still wait are
/// dropped, which tells those who wait for them that the thread has ended.
fn run_windows(
    mut model: impl Scores,
    name: &str,
    mut entries: mpsc::Receiver<Entry>,
    budget: NonZeroUsize,
) -> Result<(), InferenceError> {
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
            run_batch(&mut model, name, batch)?;
        }
    }
    Ok(())
}

/// Scores a batch and answers each text. An error means that the runtime has broken.
fn run_batch(model: &mut impl Scores, name: &str, batch: Vec<Entry>) -> Result<(), InferenceError> {
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
        Err(error) => {
            tracing::warn!(model.id = name, batch.texts = batch.len(), error = %error, "Batch failed, scoring its texts one by one");
            for entry in batch {
                let score = model.run(&[&entry.tokens]).map(|scores| scores[0]);
                if score.is_err() {
                    model.probe()?;
                }
                let _ = entry.reply.send(score);
            }
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The token that no run survives.
    const POISON: i64 = -1;

    /// Fails with a poisoned text, and altogether from so many runs on.
    struct Fragile {
        runs_left: usize,
    }

    impl Scores for Fragile {
        fn run(&mut self, rows: &[&[i64]]) -> Result<Vec<Sentiment>, InferenceError> {
            let Some(left) = self.runs_left.checked_sub(1) else {
                return Err(InferenceError::Runtime("CUDA error: out of memory".to_owned()));
            };
            self.runs_left = left;
            if rows.iter().any(|row| row.contains(&POISON)) {
                return Err(InferenceError::Runtime("an id outside the vocabulary".to_owned()));
            }
            rows.iter().map(|_| Ok(Sentiment::new([0.1, 0.8, 0.1])?)).collect()
        }

        fn probe(&mut self) -> Result<(), InferenceError> {
            self.run(&[&[1]]).map(drop)
        }
    }

    /// What the thread ends with, and what it answered to each text of one token.
    fn answers(
        runs_left: usize,
        tokens: &[i64],
    ) -> (Result<(), InferenceError>, Vec<Result<Sentiment, InferenceError>>) {
        let (queue, entries) = mpsc::channel(tokens.len());
        let mut pending = Vec::new();
        for token in tokens {
            let (reply, score) = oneshot::channel();
            queue.try_send(Entry { tokens: vec![*token], reply }).unwrap();
            pending.push(PendingScore(score));
        }
        drop(queue);
        let ended = run_windows(Fragile { runs_left }, "fragile@1", entries, NonZeroUsize::new(2).unwrap());
        (ended, pending.into_iter().map(futures_util::FutureExt::now_or_never).map(Option::unwrap).collect())
    }

    #[test]
    fn a_text_that_the_model_refuses_fails_alone() {
        let (ended, scores) = answers(usize::MAX, &[1, POISON, 2, 3, POISON]);
        assert!(ended.is_ok());
        let failed: Vec<bool> = scores.iter().map(Result::is_err).collect();
        assert_eq!(failed, [false, true, false, false, true]);
        assert!(matches!(&scores[1], Err(InferenceError::Runtime(_))));
    }

    #[test]
    fn a_broken_runtime_blames_no_text() {
        // The first batch of two succeeds. From then on nothing does.
        let (ended, scores) = answers(1, &[1, 2, 3, 4, 5, POISON, 6]);
        assert!(matches!(&ended, Err(InferenceError::Runtime(why)) if why.contains("out of memory")));
        assert!(scores[..2].iter().all(Result::is_ok));
        for score in &scores[2..] {
            assert!(matches!(score, Err(InferenceError::Stopped)), "{score:?}");
        }
    }

    #[test]
    fn a_runtime_that_recovers_goes_on() {
        // A batch of two poisoned texts takes five runs: itself, and each alone with a probe.
        let (ended, scores) = answers(6, &[POISON, POISON, 1]);
        assert!(ended.is_ok());
        assert!(scores[2].is_ok());
        // One run fewer, and the text behind them finds a broken runtime.
        let (ended, scores) = answers(5, &[POISON, POISON, 1]);
        assert!(ended.is_err());
        assert!(matches!(&scores[0], Err(InferenceError::Runtime(_))));
        assert!(matches!(&scores[2], Err(InferenceError::Stopped)));
    }
}
