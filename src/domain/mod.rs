//! The vocabulary: posts, brands, mentions, sentiment, counts, alerts and stream positions.
//!
//! Plain data without I/O. A value that exists is valid: identifiers are parsed once, scores are
//! finite and within 0..=1.

mod alert;
mod author_key;
mod behind;
mod brand;
mod counts;
mod detection;
mod language;
mod mention;
mod model_id;
mod mute;
mod picture;
mod picture_outcome;
mod position;
mod post;
mod query;
mod query_version;
mod rejection;
mod removal;
mod sentiment;
mod sighting;
mod topics;

pub use alert::{Alert, AlertExample, AlertKind, AlertState};
pub use author_key::AuthorKey;
pub use behind::{BehindNotice, BehindState, NoticeKind};
pub use brand::{Brand, BrandId, BrandIdError, Case};
pub use counts::Counts;
pub use detection::Detection;
pub use language::{Language, LanguageError};
pub use mention::{Evidence, Judgement, Mention, Score, Span, Spans};
pub use model_id::ModelId;
pub use mute::{Mute, MuteOf};
pub use picture::Picture;
pub use picture_outcome::{ExaminedPicture, PictureOutcome};
pub use position::{Ack, Delivery, Durable, Epoch, Position, Record};
pub use post::{Post, PostKey, PostKind};
pub use query::{Near, Place, Property, Query, Term};
pub use query_version::QueryVersion;
pub use rejection::{Rejection, RejectionReason};
pub use removal::{Removal, Removed};
pub use secrecy::{ExposeSecret, SecretString};
pub use sentiment::{Label, Sentiment, SentimentError};
pub use sighting::{PixelBox, Prominence, Sighting};
pub use topics::Topics;
