//! Records of the past on the post's way, without a consumer group: the same intake, the same judge,
//! the same transaction.

use std::sync::Mutex;

use chrono::{DateTime, Utc};

use super::batching::write_or_split;
use super::intake::{InFlight, Outcome, take_in, unpack};
use super::writer::{Batch, write};
use super::{Components, Options, PipelineError};
use crate::domain::{Delivery, Position, Rejection, RejectionReason};
use crate::store::Written;

/// What became of records.
#[derive(Debug, Default)]
pub struct Backfilled {
    /// What was written.
    pub written: Written,
    /// Posts that claim a time that alerts still look at, and were left to the daemon.
    pub too_new: u64,
    /// Records that can't be used.
    pub rejected: Vec<(Position, Rejection)>,
}

/// Decodes, matches, judges and stores records, in their order. Whatever is stored already stays as
/// it is; mentions that it lacks are added. Posts that claim `before` or later are left out.
///
/// # Errors
/// A model has ended.
pub async fn backfill(
    components: &Components,
    options: &Options,
    deliveries: Vec<Delivery>,
    before: DateTime<Utc>,
) -> Result<Backfilled, PipelineError> {
    let mut done = Backfilled::default();
    // All texts are on their way before the first is waited for.
    let mut in_flight = Vec::with_capacity(deliveries.len());
    for (delivery, found) in deliveries.into_iter().flat_map(|delivery| unpack(options, delivery)) {
        let mut outcome = take_in(components, options, found).await?;
        if matches!(&outcome, Outcome::Post { post, .. } if post.key.created_at >= before) {
            done.too_new += 1;
            outcome = Outcome::Nothing;
        }
        in_flight.push(InFlight { delivery, outcome });
    }
    let mut batch = Batch::default();
    for record in in_flight {
        batch.add(record).await?;
    }
    let refused = Mutex::new(batch.rejected);
    let written = write_or_split(
        batch.changes,
        async |changes| write(components, changes).await.map(|(_, written)| written),
        async |change, error| {
            let rejection = Rejection::new(RejectionReason::Store, error.to_string());
            refused
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push((change.delivery, rejection));
            Ok(Written::default())
        },
    )
    .await?;
    for part in written {
        done.written += part;
    }
    let refused = refused.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.rejected = refused
        .into_iter()
        .map(|(delivery, rejection)| (delivery.record.position.clone(), rejection))
        .collect();
    Ok(done)
}
