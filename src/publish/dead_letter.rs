//! Dead letters: records that can't be used, with their payload untouched and the reason beside it.

use chrono::{DateTime, SecondsFormat, Utc};
use rdkafka::message::{Header, OwnedHeaders};

use super::{PublishError, Publisher};
use crate::domain::{Record, Rejection};

/// How much of a payload is kept where the broker refuses the whole for its size.
const CUT_TO: usize = 256 * 1024;

impl Publisher {
    /// Sends a record to the dead-letter topic: the same key and payload, and headers that say
    /// where it stood, why it can't be used, and when that was found (`docs/dead-letters.md`).
    ///
    /// # Errors
    /// The broker did not take it.
    pub async fn dead_letter(
        &self,
        record: &Record,
        rejection: &Rejection,
        at: DateTime<Utc>,
    ) -> Result<(), PublishError> {
        let headers = headers(record, rejection, at);
        let payload = record.payload.as_deref();
        let key = record.key.as_deref();
        match self.send(&self.dead_letter_topic, key, payload, headers.clone()).await {
            // The payload alone may have had the broker's limit; with headers it is over it.
            Err(error) if error.is_too_large() && payload.is_some_and(|bytes| bytes.len() > CUT_TO) => {
                let bytes = payload.unwrap_or_default();
                let length = bytes.len().to_string();
                let headers = with(headers, "overheard.cut-from-bytes", &length);
                self.send(&self.dead_letter_topic, key, Some(&bytes[..CUT_TO]), headers).await
            }
            result => result,
        }
    }
}

fn headers(record: &Record, rejection: &Rejection, at: DateTime<Utc>) -> OwnedHeaders {
    let position = &record.position;
    let headers = with(OwnedHeaders::new(), "overheard.reason", rejection.reason.as_str());
    let headers = with(headers, "overheard.detail", &rejection.detail);
    let headers = with(headers, "overheard.topic", &position.topic);
    let headers = with(headers, "overheard.partition", &position.partition.to_string());
    let headers = with(headers, "overheard.offset", &position.offset.to_string());
    with(headers, "overheard.time", &at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn with(headers: OwnedHeaders, key: &str, value: &str) -> OwnedHeaders {
    headers.insert(Header { key, value: Some(value) })
}
