//! A picture that is ready to be completed.

use super::queue::QueuedPicture;
use crate::domain::{Judgement, PictureOutcome, Sighting};

/// A picture of which everything is known that will be.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedPicture {
    /// Its row of the queue.
    pub queued: QueuedPicture,
    /// What became of its address.
    pub outcome: PictureOutcome,
    /// Whether the outcome is to be stored; false where the address was known already.
    pub is_new: bool,
    /// The logos of configured brands. Only a picture that was fetched shows any.
    pub sightings: Vec<Sighting>,
    /// What was found out about the post's text, needed where a brand is seen that it does not name.
    pub judgement: Option<Judgement>,
}
