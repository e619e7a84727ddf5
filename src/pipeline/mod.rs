//! The post's way, put together: source -> intake -> writer, with alerts and maintenance beside it.
//!
//! 1. `intake` decodes each record, matches brands, and hands texts to the model.
//! 2. `writer` gathers scored posts, sends dead letters, writes one transaction a batch, and
//!    completes the offsets of what is durable then.
//! 3. `progress` writes down how far partitions are read. `evaluator` evaluates alert rules over the
//!    counts, no further than that (`evaluation`); `relay` publishes what is in the outbox. Both are
//!    tasks of a `leader`: one process at a time does them.
//! 4. `maintenance` makes day partitions ahead and applies retention.
//!
//! `listening` is what they hear by: brands and rules, which a reload replaces.
//!
//! A picture's way begins with a row of the queue that the writer's transaction fills: `pictures`.
//! A process runs the post's way, the picture's, or both. `backoff` and `batching` serve both.
//!
//! `backfill` takes records of the past the post's way, for a command.
//!
//! Every channel is bounded: a slow database stalls the writer, then the intake, then the source,
//! which pauses its partitions. `run` supervises: a task that ends unexpectedly stops the process
//! after draining. Shutdown follows the flow: no new records, drain, commit offsets, leave.

mod backfill;
mod backoff;
mod batching;
mod error;
mod evaluation;
mod evaluator;
mod intake;
mod judge;
mod leader;
mod listening;
mod maintenance;
mod pictures;
mod progress;
mod relay;
mod run;
mod writer;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::decode::Wire;
use crate::domain::{BrandId, Judgement};
use crate::health::Health;
use crate::metrics;
use crate::privacy::Pseudonyms;
use crate::publish::Publisher;
use crate::store::Store;

pub use backfill::{Backfilled, backfill};
pub use error::PipelineError;
pub use evaluation::{AlertTiming, PastCache, evaluate_rules};
pub use evaluator::tell_behind;
pub use judge::{Judge, PendingJudgements, language_of};
pub use listening::{Current, Listening};
pub use maintenance::maintain;
pub use pictures::{PictureComponents, PictureOptions};
pub use run::{Pipelines, prepare_store, run};

/// How the steps are joined.
#[derive(Clone, Debug)]
pub struct Options {
    /// Format of each topic.
    pub wires: HashMap<String, Wire>,
    /// Records that may wait between two steps.
    pub queue: NonZeroUsize,
    /// Most records settled by one transaction.
    pub batch_posts: NonZeroUsize,
    /// Longest wait for records to fill a transaction.
    pub batch_wait: Duration,
    /// Whether posts that name no brand are stored too.
    pub keep_unnamed: bool,
    /// Whether posts are removed that their network removes.
    pub honour_deletions: bool,
    /// How long in-flight posts may take to be settled after a stop.
    pub shutdown_deadline: Duration,
    /// How often alert rules are evaluated.
    pub evaluate_every: Duration,
    /// What is too late for alerts.
    pub alerts: AlertTiming,
    /// How often the outbox is published.
    pub publish_every: Duration,
}

/// What the steps of the post's way work with. Clones share everything.
#[derive(Clone)]
pub struct Components {
    /// Brands and rules.
    pub listening: Current,
    /// Judges texts.
    pub judge: Judge,
    /// Names authors by pseudonyms.
    pub pseudonyms: Pseudonyms,
    /// Keeps rows.
    pub store: Store,
    /// Sends alerts and dead letters.
    pub publisher: Publisher,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where parts report.
    pub health: Health,
}

/// Counts a mention that was judged, scored or not.
fn count_judged(brand: &BrandId, judgement: &Judgement) {
    if let Some(score) = &judgement.score {
        let label = score.sentiment.label().as_str();
        ::metrics::counter!(metrics::MENTIONS_SCORED, "brand" => brand.to_string(), "label" => label)
            .increment(1);
        return;
    }
    // Codes of three letters are thousands, and a post may claim any.
    let language = judgement.language.map(|language| language.to_string());
    let language = match language {
        Some(code) if code.len() == 2 => code,
        Some(_) => "other".to_owned(),
        None => "und".to_owned(),
    };
    ::metrics::counter!(metrics::MENTIONS_UNSCORED, "language" => language).increment(1);
}
