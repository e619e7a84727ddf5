//! Owns a model on a thread of its own and runs what waits for it in batches.
//!
//! There is no timer: while the model is busy, items gather in a bounded queue, and the next
//! window takes what is there. A single item on an idle machine is answered at once; under load
//! the batches grow by themselves.
//!
//! An item that fails alone, after a probe has shown that the model still runs, gets the error.
//! When the probe fails too it is the runtime that has broken (memory of the GPU exhausted, device
//! lost): the thread ends and every item is answered with [`InferenceError::Stopped`], so that no
//! post is blamed for it.

use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::InferenceError;
use crate::domain::ModelId;

/// A model as its thread sees it; tests put one in its place that breaks when told to.
pub(super) trait Batches: Send + 'static {
    /// What is run.
    type Item: Send + 'static;
    /// What comes out, one an item.
    type Answer: Send + 'static;

    /// How large an item is: tokens, pixels.
    fn size(&self, item: &Self::Item) -> usize;

    /// How much is gathered before it is cut into batches.
    fn window(&self) -> usize;

    /// Cuts a window into batches: indices of its items.
    fn plan(&self, window: &[&Self::Item]) -> Vec<Vec<usize>>;

    /// Runs one batch.
    fn run(&mut self, batch: &[&Self::Item]) -> Result<Vec<Self::Answer>, InferenceError>;

    /// Shows that the model runs at all.
    fn probe(&mut self) -> Result<(), InferenceError>;

    /// Counts a batch that was run, with or without success.
    fn record(&self, batch: &[&Self::Item], took: Duration);
}

/// An item with the way back to whoever waits for its answer.
pub(super) struct Entry<I, A> {
    item: I,
    reply: oneshot::Sender<Result<A, InferenceError>>,
}

/// An answer that is on its way.
#[must_use]
pub struct Pending<A>(oneshot::Receiver<Result<A, InferenceError>>);

impl<A> Future for Pending<A> {
    type Output = Result<A, InferenceError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|reply| reply.unwrap_or(Err(InferenceError::Stopped)))
    }
}

/// The way to a model's thread. The thread ends when the last copy is dropped, or when the runtime
/// breaks.
pub(super) struct Queue<I, A>(mpsc::Sender<Entry<I, A>>);

impl<I, A> Clone for Queue<I, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<I: Send + 'static, A: Send + 'static> Queue<I, A> {
    /// Moves a model to a thread of this name, behind a queue of so many items.
    pub(super) fn start(
        model: impl Batches<Item = I, Answer = A>,
        id: &ModelId,
        thread: &str,
        length: NonZeroUsize,
    ) -> std::io::Result<Self> {
        let (queue, entries) = mpsc::channel(length.get());
        let id = id.to_string();
        std::thread::Builder::new().name(thread.to_owned()).spawn(move || {
            if let Err(error) = run_windows(model, &id, entries) {
                tracing::error!(model.id = id, error = %error, "The model can't run any more");
            }
        })?;
        Ok(Self(queue))
    }

    /// Hands an item over; waits while the queue is full.
    pub(super) async fn submit(&self, item: I) -> Result<Pending<A>, InferenceError> {
        let (entry, pending) = entry(item);
        self.0.send(entry).await.map_err(|_| InferenceError::Stopped)?;
        Ok(pending)
    }

    /// The same from a thread that may block.
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

/// Runs until no way to the thread is left, or until the runtime breaks. Then the items that still
/// wait are dropped, which tells those who wait for them that the thread has ended.
fn run_windows<M: Batches>(
    mut model: M,
    id: &str,
    mut entries: mpsc::Receiver<Entry<M::Item, M::Answer>>,
) -> Result<(), InferenceError> {
    while let Some(first) = entries.blocking_recv() {
        let mut gathered = model.size(&first.item);
        let mut window = vec![first];
        while gathered < model.window() {
            let Ok(entry) = entries.try_recv() else { break };
            gathered += model.size(&entry.item);
            window.push(entry);
        }
        // Nobody waits for these any more.
        window.retain(|entry| !entry.reply.is_closed());
        let batches = model.plan(&items(&window));
        let mut window: Vec<Option<Entry<_, _>>> = window.into_iter().map(Some).collect();
        for batch in batches {
            run_batch(&mut model, id, batch.into_iter().filter_map(|index| window[index].take()).collect())?;
        }
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
) -> Result<(), InferenceError> {
    let started = Instant::now();
    let answers = model.run(&items(&batch));
    model.record(&items(&batch), started.elapsed());
    match answers {
        Ok(answers) => {
            for (entry, answer) in batch.into_iter().zip(answers) {
                // A receiver that has gone needs no answer.
                let _ = entry.reply.send(Ok(answer));
            }
        }
        // One item may have spoilt the batch: each is tried alone, so that only the culprit fails.
        Err(error) => {
            tracing::warn!(model.id = id, batch.items = batch.len(), error = %error, "Batch failed, running its items one by one");
            for entry in batch {
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

    /// The number that no run survives.
    const POISON: i64 = -1;

    type Answer = Result<i64, InferenceError>;

    /// Doubles numbers in batches of two. Fails with a poisoned one, and altogether from so many
    /// runs on.
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

    /// What the thread ends with, and what it answered to each number.
    fn answers(runs_left: usize, numbers: &[i64]) -> (Result<(), InferenceError>, Vec<Answer>) {
        let (queue, entries) = mpsc::channel(numbers.len());
        let mut pending = Vec::new();
        for number in numbers {
            let (entry, answer) = entry(*number);
            queue.try_send(entry).ok().unwrap();
            pending.push(answer);
        }
        drop(queue);
        let ended = run_windows(Fragile { runs_left }, "fragile@1", entries);
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
        // The first batch of two succeeds. From then on nothing does.
        let (ended, answers) = answers(1, &[1, 2, 3, 4, 5, POISON, 6]);
        assert!(matches!(&ended, Err(InferenceError::Runtime(why)) if why.contains("out of memory")));
        assert!(answers[..2].iter().all(Result::is_ok));
        for answer in &answers[2..] {
            assert!(matches!(answer, Err(InferenceError::Stopped)), "{answer:?}");
        }
    }

    #[test]
    fn a_runtime_that_recovers_goes_on() {
        // A batch of two poisoned numbers takes five runs: itself, and each alone with a probe.
        let (ended, scores) = answers(6, &[POISON, POISON, 1]);
        assert!(ended.is_ok());
        assert!(scores[2].is_ok());
        // One run fewer, and the number behind them finds a broken runtime.
        let (ended, scores) = answers(5, &[POISON, POISON, 1]);
        assert!(ended.is_err());
        assert!(matches!(&scores[0], Err(InferenceError::Runtime(_))));
        assert!(matches!(&scores[2], Err(InferenceError::Stopped)));
    }
}
