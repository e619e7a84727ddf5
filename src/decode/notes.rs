//! What was mended while a record was read: a part that can't be read is left out and the post kept.

use std::cell::RefCell;
use std::fmt;

use crate::domain::Rejection;

/// What was left out of a post, or mended in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Repair {
    /// An attachment.
    Attachment,
    /// A picture's address.
    Picture,
    /// The description of a picture.
    AltText,
    /// A link in the text, or the link to the post.
    Link,
    /// A hashtag.
    Hashtag,
    /// A claimed language.
    Language,
    /// A reference to another post.
    Reference,
    /// The author, or something that is said of the author.
    Author,
    /// The reach.
    Reach,
    /// The kind of the post.
    Kind,
    /// The time of an edit or a removal; the time of arrival stands for it.
    Time,
    /// A time had no zone and was taken as UTC.
    Zone,
    /// JSON that is not as RFC 8259 has it: a lone surrogate, a number that is none, a raw control
    /// character, or values nested too deeply.
    Json,
}

impl Repair {
    /// The name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attachment => "attachment",
            Self::Picture => "picture",
            Self::AltText => "alt_text",
            Self::Link => "link",
            Self::Hashtag => "hashtag",
            Self::Language => "language",
            Self::Reference => "reference",
            Self::Author => "author",
            Self::Reach => "reach",
            Self::Kind => "kind",
            Self::Time => "time",
            Self::Zone => "zone",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Collects repairs while a record is read.
#[derive(Debug, Default)]
pub(super) struct Notes(RefCell<Vec<Repair>>);

impl Notes {
    /// Notes a repair.
    pub(super) fn note(&self, repair: Repair) {
        self.0.borrow_mut().push(repair);
    }

    /// The value, or nothing and a note where it can't be read.
    pub(super) fn or_left_out<T: Default>(&self, part: Repair, value: Result<T, Rejection>) -> T {
        value.unwrap_or_else(|_| {
            self.note(part);
            T::default()
        })
    }

    /// Everything that was noted.
    pub(super) fn into_repairs(self) -> Vec<Repair> {
        self.0.into_inner()
    }
}
