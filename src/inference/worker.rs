//! Runs a model on its own thread, in batches of the queued items.
//!
//! There is no batching timer: items collect in a bounded queue while the model is busy, and the
//! next window takes what is there. An idle model runs a single item at once; under load the
//! batches grow.
//!
//! When a batch fails, its items are run one by one. If an item fails and a probe then succeeds,
//! the item gets the error. If the probe fails too, the runtime is broken (GPU out of memory,
//! device lost): the thread ends and all remaining items get [`InferenceError::Stopped`], so that
//! no post is blamed.

use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::InferenceError;
use crate::domain::ModelId;
use crate::health::Heartbeat;

/// A model that runs in batches. Tests use one that fails on demand.
pub(super) trait Batches: Send + 'static {
    /// One item of input.
    type Item: Send + 'static;
    /// The result for one item.
    type Answer: Send + 'static;

    /// Size of an item, in tokens or pixels.
    fn size(&self, item: &Self::Item) -> usize;

    /// Items are taken from the queue until their total size reaches this, then split into batches.
    fn window(&self) -> usize;

    /// Splits a window into batches of indices into it.
    fn plan(&self, window: &[&Self::Item]) -> Vec<Vec<usize>>;

    /// Runs one batch.
    fn run(&mut self, batch: &[&Self::Item]) -> Result<Vec<Self::Answer>, InferenceError>;

    /// Runs the model on known input, to tell a broken runtime from a bad item.
    fn probe(&mut self) -> Result<(), InferenceError>;

    /// Records metrics of a batch that was run, with or without success.
    fn record(&self, batch: &[&Self::Item], took: Duration);
}

/// An item with the channel for its answer.
pub(super) struct Entry<I, A> {
    item: I,
    reply: oneshot::Sender<Result<A, InferenceError>>,
}

/// A future for an item's answer. It is [`InferenceError::Stopped`] if the thread ends first.
#[must_use]
pub struct Pending<A>(oneshot::Receiver<Result<A, InferenceError>>);

impl<A> Future for Pending<A> {
    type Output = Result<A, InferenceError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|reply| reply.unwrap_or(Err(InferenceError::Stopped)))
    }
}

/// The sending side of a model's queue. The thread ends when the last clone is dropped, or when the
/// runtime breaks.
pub(super) struct Queue<I, A>(mpsc::Sender<Entry<I, A>>);

impl<I, A> Clone for Queue<I, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<I: Send + 'static, A: Send + 'static> Queue<I, A> {
    /// Moves a model to a new thread named `thread`, behind a queue of `length` items. Its heart beats for
    /// every batch, and rests while nothing waits.
    pub(super) fn start(
        model: impl Batches<Item = I, Answer = A>,
        id: &ModelId,
        thread: &str,
        length: NonZeroUsize,
        heartbeat: Heartbeat,
    ) -> std::io::Result<Self> {
        let (queue, entries) = mpsc::channel(length.get());
        let id = id.to_string();
        std::thread::Builder::new().name(thread.to_owned()).spawn(move || {
            if let Err(error) = run_windows(model, &id, entries, &heartbeat) {
                tracing::error!(model.id = id, error = %error, "The model can't run any more");
            }
        })?;
        Ok(Self(queue))
    }

    /// Queues an item; waits while the queue is full.
    pub(super) async fn submit(&self, item: I) -> Result<Pending<A>, InferenceError> {
        let (entry, pending) = entry(item);
        self.0.send(entry).await.map_err(|_| InferenceError::Stopped)?;
        Ok(pending)
    }

    /// The same, blocking.
    pub(super) fn submit_blocking(&self, item: I) -> Result<Pending<A>, InferenceError> {
        let (entry, pending) = entry(item);
        self.0.blocking_send(entry).map_err(|_| InferenceError::Stopped)?;
        Ok(pending)
    }
}

fn entry<I, A>(item: I) -> (Entry<I, A>, Pending<A>) {
    let (reply, pending) = oneshot::channel();
    (Entry { item, reply }, Pending(pending))
}

/// Runs until all [`Queue`]s are dropped or the runtime breaks. Dropping the items that remain
/// resolves their [`Pending`] to [`InferenceError::Stopped`].
fn run_windows<M: Batches>(
    mut model: M,
    id: &str,
    mut entries: mpsc::Receiver<Entry<M::Item, M::Answer>>,
    heartbeat: &Heartbeat,
) -> Result<(), InferenceError> {
    while let Some(first) = entries.blocking_recv() {
        let mut gathered = model.size(&first.item);
        let mut window = vec![first];
        while gathered < model.window() {
            let Ok(entry) = entries.try_recv() else { break };
            gathered += model.size(&entry.item);
            window.push(entry);
        }
        // Skips items whose `Pending` was dropped.
        window.retain(|entry| !entry.reply.is_closed());
        let batches = model.plan(&items(&window));
        let mut window: Vec<Option<Entry<_, _>>> = window.into_iter().map(Some).collect();
        for batch in batches {
            let batch = batch.into_iter().filter_map(|index| window[index].take()).collect();
            run_batch(&mut model, id, batch, heartbeat)?;
        }
        heartbeat.rest();
    }
    Ok(())
}

fn items<I, A>(entries: &[Entry<I, A>]) -> Vec<&I> {
    entries.iter().map(|entry| &entry.item).collect()
}

/// Runs a batch and answers each item. An error means that the runtime has broken.
fn run_batch<M: Batches>(
    model: &mut M,
    id: &str,
    batch: Vec<Entry<M::Item, M::Answer>>,
    heartbeat: &Heartbeat,
) -> Result<(), InferenceError> {
    heartbeat.beat();
    let started = Instant::now();
    let answers = model.run(&items(&batch));
    model.record(&items(&batch), started.elapsed());
    match answers {
        Ok(answers) => {
            for (entry, answer) in batch.into_iter().zip(answers) {
                // The receiver may be gone.
                let _ = entry.reply.send(Ok(answer));
            }
        }
        // One bad item may have failed the batch; run alone, only that item fails.
        Err(error) => {
            tracing::warn!(model.id = id, batch.items = batch.len(), error = %error, "Batch failed, running its items one by one");
            for entry in batch {
                heartbeat.beat();
                let answer = model.run(&[&entry.item]).map(|mut answers| answers.swap_remove(0));
                if answer.is_err() {
                    model.probe()?;
                }
                let _ = entry.reply.send(answer);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Health, Stage};

    /// A batch with this number fails.
    const POISON: i64 = -1;

    type Answer = Result<i64, InferenceError>;

    /// Doubles numbers in batches of two. Fails on [`POISON`], and always after `runs_left` runs.
    struct Fragile {
        runs_left: usize,
    }

    impl Batches for Fragile {
        type Item = i64;
        type Answer = i64;

        fn size(&self, _: &i64) -> usize {
            1
        }

        fn window(&self) -> usize {
            8
        }

        fn plan(&self, window: &[&i64]) -> Vec<Vec<usize>> {
            let all: Vec<usize> = (0..window.len()).collect();
            all.chunks(2).map(<[usize]>::to_vec).collect()
        }

        fn run(&mut self, batch: &[&i64]) -> Result<Vec<i64>, InferenceError> {
            let Some(left) = self.runs_left.checked_sub(1) else {
                return Err(InferenceError::Runtime("CUDA error: out of memory".to_owned()));
            };
            self.runs_left = left;
            if batch.contains(&&POISON) {
                return Err(InferenceError::Runtime("an id outside the vocabulary".to_owned()));
            }
            Ok(batch.iter().map(|number| **number * 2).collect())
        }

        fn probe(&mut self) -> Result<(), InferenceError> {
            self.run(&[&1]).map(drop)
        }

        fn record(&self, _: &[&i64], _: Duration) {}
    }

    /// The thread's result, and the answer to each number.
    fn answers(runs_left: usize, numbers: &[i64]) -> (Result<(), InferenceError>, Vec<Answer>) {
        let (queue, entries) = mpsc::channel(numbers.len());
        let mut pending = Vec::new();
        for number in numbers {
            let (entry, answer) = entry(*number);
            queue.try_send(entry).ok().unwrap();
            pending.push(answer);
        }
        drop(queue);
        let heartbeat = Health::new().heartbeat(Stage::TextModel);
        let ended = run_windows(Fragile { runs_left }, "fragile@1", entries, &heartbeat);
        (ended, pending.into_iter().map(futures_util::FutureExt::now_or_never).map(Option::unwrap).collect())
    }

    #[test]
    fn an_item_that_the_model_refuses_fails_alone() {
        let (ended, answers) = answers(usize::MAX, &[1, POISON, 2, 3, POISON]);
        assert!(ended.is_ok());
        let failed: Vec<bool> = answers.iter().map(Result::is_err).collect();
        assert_eq!(failed, [false, true, false, false, true]);
        assert!(matches!(&answers[1], Err(InferenceError::Runtime(_))));
        assert_eq!(*answers[3].as_ref().unwrap(), 6);
    }

    #[test]
    fn a_broken_runtime_blames_no_item() {
        // Only the first batch of two succeeds.
        let (ended, answers) = answers(1, &[1, 2, 3, 4, 5, POISON, 6]);
        assert!(matches!(&ended, Err(InferenceError::Runtime(why)) if why.contains("out of memory")));
        assert!(answers[..2].iter().all(Result::is_ok));
        for answer in &answers[2..] {
            assert!(matches!(answer, Err(InferenceError::Stopped)), "{answer:?}");
        }
    }

    #[test]
    fn a_runtime_that_recovers_goes_on() {
        // A batch of two poisoned numbers takes five runs: the batch, and each number with a probe.
        let (ended, scores) = answers(6, &[POISON, POISON, 1]);
        assert!(ended.is_ok());
        assert!(scores[2].is_ok());
        // With one run fewer, the runtime is broken when the next number is run.
        let (ended, scores) = answers(5, &[POISON, POISON, 1]);
        assert!(ended.is_err());
        assert!(matches!(&scores[0], Err(InferenceError::Runtime(_))));
        assert!(matches!(&scores[2], Err(InferenceError::Stopped)));
    }
}
