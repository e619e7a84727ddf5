//! The words of the trade: posts, brands, mentions, sentiment, alerts and stream positions.
//!
//! Plain data without I/O. A value that exists is valid: identifiers are parsed once, scores are
//! finite and within 0..=1.

mod alert;
mod brand;
mod language;
mod mention;
mod model_id;
mod picture;
mod position;
mod post;
mod rejection;
mod secret;
mod sentiment;
mod sighting;

pub use alert::{Alert, AlertCounts, AlertExample, AlertKind, AlertState};
pub use brand::{Brand, BrandId, BrandIdError};
pub use language::{Language, LanguageError};
pub use mention::{Evidence, Judgement, Mention, Score, Span, Spans};
pub use model_id::ModelId;
pub use picture::Picture;
pub use position::{Ack, Delivery, Durable, Epoch, Position, Record};
pub use post::{Post, PostKey, PostKind};
pub use rejection::{Rejection, RejectionReason};
pub use secret::Secret;
pub use sentiment::{Label, Sentiment, SentimentError};
pub use sighting::{PixelBox, Prominence, Sighting};
