//! Sentiment of texts: tokenizer, batching and model.

mod batches;
mod manifest;
mod model;
mod scorer;
mod tokenizer;

pub use batches::plan_batches;
pub use manifest::{TextGolden, TextKind};
pub use model::{TextModel, TextRow};
pub use scorer::{PendingScores, TextScorer};
pub use tokenizer::{Target, TextTokenizer};
