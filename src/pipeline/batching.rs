//! Batches: how they are gathered, and what happens to one that Postgres refuses.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::PipelineError;
use crate::store::StoreError;

/// Receives until `most` items are there or `wait` has passed since the first. The batch is empty
/// only when the channel is closed.
pub(super) async fn gather<T>(items: &mut mpsc::Receiver<T>, most: usize, wait: Duration) -> Vec<T> {
    let mut batch = Vec::new();
    items.recv_many(&mut batch, most).await;
    let deadline = Instant::now() + wait;
    while !batch.is_empty() && batch.len() < most {
        let more = most - batch.len();
        match timeout_at(deadline, items.recv_many(&mut batch, more)).await {
            Ok(received) if received > 0 => {}
            _ => break,
        }
    }
    batch
}

/// Writes a batch in one piece, or, where that is refused, item by item. What is refused alone goes
/// to `reject`. Returns what each write and each rejection came to.
///
/// `write` retries what is transient, and gives back what it could not write.
pub(super) async fn write_or_split<T, R, W, J>(
    batch: Vec<T>,
    mut write: impl FnMut(Vec<T>) -> W,
    mut reject: impl FnMut(T, StoreError) -> J,
) -> Result<Vec<R>, PipelineError>
where
    W: Future<Output = Result<R, (StoreError, Vec<T>)>>,
    J: Future<Output = Result<R, PipelineError>>,
{
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let (error, batch) = match write(batch).await {
        Ok(result) => return Ok(vec![result]),
        Err(refused) => refused,
    };
    tracing::warn!(batch.items = batch.len(), error = %error, "Postgres refuses a batch; writing its items one by one");
    let mut results = Vec::with_capacity(batch.len());
    for item in batch {
        match write(vec![item]).await {
            Ok(result) => results.push(result),
            Err((error, mut refused)) => {
                if let Some(item) = refused.pop() {
                    results.push(reject(item, error).await?);
                }
            }
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_batch_is_full_or_as_large_as_the_wait_allows_and_empty_only_at_the_end() {
        let (sender, mut items) = mpsc::channel(10);
        for n in 0..7 {
            sender.send(n).await.unwrap();
        }
        let long = Duration::from_hours(1);
        assert_eq!(gather(&mut items, 4, long).await, [0, 1, 2, 3]);
        assert_eq!(gather(&mut items, 4, Duration::from_millis(10)).await, [4, 5, 6]);
        let late = tokio::spawn(async move {
            sender.send(7).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            sender.send(8).await.unwrap();
        });
        assert_eq!(gather(&mut items, 4, long).await, [7, 8]);
        late.await.unwrap();
        assert_eq!(gather(&mut items, 4, long).await, [0; 0]);
    }

    #[tokio::test]
    async fn only_the_culprit_of_a_refused_batch_is_rejected() {
        let write = async |items: Vec<u8>| {
            if items.contains(&3) { Err((StoreError::Address("three".to_owned()), items)) } else { Ok(items) }
        };
        let reject = async |item, error: StoreError| {
            assert!(error.to_string().contains("three"), "{error}");
            Ok(vec![item + 100])
        };
        assert_eq!(write_or_split(vec![1, 2], write, reject).await.unwrap(), [vec![1, 2]]);
        let split = write_or_split(vec![1, 3, 2], write, reject).await.unwrap();
        assert_eq!(split, [vec![1], vec![103], vec![2]]);
        assert_eq!(write_or_split(Vec::new(), write, reject).await.unwrap(), [[0; 0]; 0]);
    }
}
