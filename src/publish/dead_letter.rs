//! Dead letters: records that can't be used, with their payload unchanged and the reason in headers.

use chrono::{DateTime, SecondsFormat, Utc};
use rdkafka::message::{Header, OwnedHeaders};

use super::{PublishError, Publisher};
use crate::domain::{Delivery, Durable, Record, Rejection};

/// How much of a payload is sent first where the broker refuses all of it for its size.
const CUT_TO: usize = 256 * 1024;
/// A payload that would be cut to less than this is left out.
const SMALLEST_CUT: usize = 1024;
/// The longest detail in bytes, so that headers always fit.
const LONGEST_DETAIL: usize = 1024;

/// How much of its record a dead letter carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    /// Key and payload.
    Whole,
    /// The key, and so many bytes of the payload.
    Cut(usize),
    /// Neither: the headers say where the record is.
    Headers,
}

impl Carried {
    /// What to try next when the broker refuses this for its size; nothing after headers alone.
    fn less(self, payload: usize, has_key: bool) -> Option<Self> {
        let kept = match self {
            Self::Whole => payload,
            Self::Cut(kept) => kept,
            Self::Headers => return None,
        };
        match kept {
            0 => has_key.then_some(Self::Headers),
            more if more > CUT_TO => Some(Self::Cut(CUT_TO)),
            more if more / 2 < SMALLEST_CUT => Some(Self::Cut(0)),
            more => Some(Self::Cut(more / 2)),
        }
    }
}

impl Publisher {
    /// Sends a record to the dead-letter topic: the same key and payload, and headers that say
    /// where it is, why it can't be used, and when that was found (`docs/dead-letters.md`).
    /// Where the broker refuses it for its size, as much of it as the broker takes. Once the broker
    /// has acknowledged it, the record is durable.
    ///
    /// # Errors
    /// The broker did not take it. The delivery comes back.
    pub async fn dead_letter(
        &self,
        delivery: Delivery,
        rejection: &Rejection,
        at: DateTime<Utc>,
    ) -> Result<Durable, (PublishError, Delivery)> {
        match self.send_dead_letter(&delivery.record, rejection, at).await {
            Ok(()) => Ok(Durable::attest([delivery.ack])),
            Err(error) => Err((error, delivery)),
        }
    }

    async fn send_dead_letter(
        &self,
        record: &Record,
        rejection: &Rejection,
        at: DateTime<Utc>,
    ) -> Result<(), PublishError> {
        let plain = headers(record, rejection, at);
        let (key, payload) = (record.key.as_deref(), record.payload.as_deref());
        let length = payload.map_or(0, <[u8]>::len);
        let mut carried = Carried::Whole;
        loop {
            let kept = match carried {
                Carried::Whole => length,
                Carried::Cut(kept) => kept,
                Carried::Headers => 0,
            };
            let mut headers = plain.clone();
            if kept < length {
                headers = with(headers, "overheard.cut-from-bytes", &length.to_string());
            }
            let key = key.filter(|_| carried != Carried::Headers);
            if let (Some(dropped), Carried::Headers) = (&record.key, carried) {
                headers = with(headers, "overheard.key-left-out-bytes", &dropped.len().to_string());
            }
            let payload = payload.map(|bytes| &bytes[..kept]);
            let error = match self.send(&self.dead_letter_topic, key, payload, headers).await {
                Err(error) if error.is_too_large() => error,
                result => return result,
            };
            carried = carried.less(length, record.key.is_some()).ok_or(error)?;
        }
    }
}

fn headers(record: &Record, rejection: &Rejection, at: DateTime<Utc>) -> OwnedHeaders {
    let position = &record.position;
    let headers = with(OwnedHeaders::new(), "overheard.reason", rejection.reason.as_str());
    let headers = with(headers, "overheard.detail", beginning(&rejection.detail, LONGEST_DETAIL));
    let headers = with(headers, "overheard.topic", &position.topic);
    let headers = with(headers, "overheard.partition", &position.partition.to_string());
    let headers = with(headers, "overheard.offset", &position.offset.to_string());
    with(headers, "overheard.time", &at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn with(headers: OwnedHeaders, key: &str, value: &str) -> OwnedHeaders {
    headers.insert(Header { key, value: Some(value) })
}

/// As much of a text's beginning as fits, in whole characters.
fn beginning(text: &str, longest: usize) -> &str {
    &text[..text.floor_char_boundary(longest)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is tried one after another, when the broker refuses all of it.
    fn tried(payload: usize, has_key: bool) -> Vec<Carried> {
        std::iter::successors(Some(Carried::Whole), |carried| carried.less(payload, has_key)).collect()
    }

    #[test]
    fn what_is_too_large_becomes_less_until_headers_are_left() {
        use Carried::{Cut, Headers, Whole};
        assert_eq!(tried(5000, true), [Whole, Cut(2500), Cut(1250), Cut(0), Headers]);
        assert_eq!(tried(5000, false), [Whole, Cut(2500), Cut(1250), Cut(0)]);
        assert_eq!(tried(10, true), [Whole, Cut(0), Headers]);
        assert_eq!(tried(0, true), [Whole, Headers]);
        assert_eq!(tried(0, false), [Whole]);
        let large = tried(16_000_000, true);
        assert_eq!(large[..3], [Whole, Cut(CUT_TO), Cut(CUT_TO / 2)]);
        assert_eq!(large[large.len() - 2..], [Cut(0), Headers]);
        assert!(large.len() < 15, "{large:?}");
    }

    #[test]
    fn a_detail_is_cut_between_characters() {
        assert_eq!(beginning("short", LONGEST_DETAIL), "short");
        assert_eq!(beginning("aé", 2), "a");
    }
}
