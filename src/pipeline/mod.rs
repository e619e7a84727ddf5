//! The post's way, put together: source -> intake -> writer, with alerts and upkeep beside it.
//!
//! 1. `intake` decodes each record, matches brands, and hands texts to the model.
//! 2. `writer` gathers scored posts, sends dead letters, writes one transaction a batch, and only
//!    then completes the offsets.
//! 3. `evaluator` evaluates alert rules over the roll-ups; `relay` publishes what is in the outbox.
//! 4. `upkeep` makes day partitions ahead and applies retention.
//!
//! A picture's way begins with a row that the writer's transaction leaves: `pictures`. A process
//! goes the post's way, the picture's, or both.
//!
//! Every channel is bounded: a slow database stalls the writer, then the intake, then the source,
//! which pauses its partitions. `run` supervises: a task that ends unexpectedly stops the process
//! after draining. Shutdown follows the flow: no new records, drain, commit offsets, leave.

mod error;
mod evaluator;
mod intake;
mod pace;
mod pictures;
mod relay;
mod retry;
mod run;
mod upkeep;
mod writer;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use crate::alerting::Rule;
use crate::clock::Clock;
use crate::decode::Format;
use crate::domain::{BrandId, Judgement};
use crate::health::Health;
use crate::inference::TextScorers;
use crate::matching::Matcher;
use crate::metrics;
use crate::publish::Publisher;
use crate::store::Store;

pub use error::PipelineError;
pub use pictures::{PictureOptions, PictureParts};
pub use run::{Ways, prepare_store, run};

/// How the steps are joined.
#[derive(Clone, Debug)]
pub struct Options {
    /// Format of each topic.
    pub formats: HashMap<String, Format>,
    /// Records that may wait between two steps.
    pub queue: NonZeroUsize,
    /// Most records settled by one transaction.
    pub batch_posts: NonZeroUsize,
    /// Longest wait for records to fill a transaction.
    pub batch_wait: Duration,
    /// Whether posts that name no brand are stored too.
    pub keep_unnamed: bool,
    /// How long in-flight posts may take to be settled after a stop.
    pub shutdown_deadline: Duration,
    /// How often alert rules are evaluated.
    pub evaluate_every: Duration,
    /// How often the outbox is published.
    pub publish_every: Duration,
}

/// What the steps of the post's way work with. Clones share everything.
#[derive(Clone)]
pub struct Parts {
    /// Finds brands in posts.
    pub matcher: Arc<Matcher>,
    /// Score texts.
    pub scorers: TextScorers,
    /// Keeps rows.
    pub store: Store,
    /// Sends alerts and dead letters.
    pub publisher: Publisher,
    /// When to raise alerts.
    pub rules: Arc<[Rule]>,
    /// All brands, for the rules.
    pub brands: Arc<[BrandId]>,
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
