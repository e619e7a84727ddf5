//! Documents and streams over HTTP.

use std::io::Read;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, LINK, RETRY_AFTER,
};
use reqwest::{RequestBuilder, Response, StatusCode};
use url::Url;

use super::error::innermost;
use super::{EventStream, FeedError, LARGEST, USER_AGENT, tls};
use crate::domain::{ExposeSecret, SecretString};

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// To the end of a document.
const TOTAL_LIMIT: Duration = Duration::from_mins(1);

/// Asks servers. Clones share connections.
#[derive(Clone)]
pub struct HttpClient {
    client: reqwest::Client,
}

/// What a server calls a version of a document, to ask whether there is a newer one.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Validators {
    /// `ETag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// `Last-Modified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// A document.
#[derive(Debug)]
pub struct Document {
    /// Its bytes, decompressed.
    pub bytes: Vec<u8>,
    /// The value of `Content-Type`.
    pub content_type: Option<String>,
    /// The address of the previous page by `Link`, which on Mastodon is the next newer one.
    pub newer: Option<String>,
    /// What it is called.
    pub validators: Validators,
}

/// The answer to a conditional request.
#[derive(Debug)]
pub enum Answer {
    /// The document is the one of the validators.
    Unchanged,
    /// A newer one.
    Document(Document),
}

impl HttpClient {
    /// A client.
    ///
    /// # Errors
    /// TLS can't be set up.
    pub fn new() -> Result<Self, FeedError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_LIMIT)
            .build()
            .map_err(|error| FeedError::Tls(innermost(&error)))?;
        Ok(Self { client })
    }

    /// Asks for a document of at most [`LARGEST`] bytes; with validators, only for a newer one.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn get(
        &self,
        url: &Url,
        token: Option<&SecretString>,
        known: &Validators,
    ) -> Result<Answer, FeedError> {
        let mut request = authorised(self.client.get(url.clone()), token)
            .timeout(TOTAL_LIMIT)
            .header(ACCEPT_ENCODING, "gzip");
        for (name, value) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let response = request.send().await.map_err(|error| broken(url, &error))?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Answer::Unchanged);
        }
        let mut response = accepted(url, response).await?;
        let headers = std::mem::take(response.headers_mut());
        let body = read(url, &mut response, LARGEST).await?;
        let encoding = text(&headers, &CONTENT_ENCODING).unwrap_or_default().to_ascii_lowercase();
        let bytes = match encoding.trim() {
            "" | "identity" => body,
            "gzip" | "x-gzip" => unpacked(url, &body)?,
            other => {
                return Err(unreadable(url, format!("its encoding is {other:?}, and gzip was asked for")));
            }
        };
        Ok(Answer::Document(Document {
            bytes,
            content_type: text(&headers, &CONTENT_TYPE),
            newer: text(&headers, &LINK).and_then(|link| previous(&link)),
            validators: Validators {
                etag: text(&headers, &ETAG),
                last_modified: text(&headers, &LAST_MODIFIED),
            },
        }))
    }

    /// Opens a stream of server-sent events, in which something comes at least every `idle`.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn events(
        &self,
        url: &Url,
        token: Option<&SecretString>,
        idle: Duration,
    ) -> Result<EventStream, FeedError> {
        let request = authorised(self.client.get(url.clone()), token).header(ACCEPT, "text/event-stream");
        let answered = tokio::time::timeout(idle, request.send()).await;
        let response = answered
            .map_err(|_| FeedError::Silent { host: host_of(url), limit: idle })?
            .map_err(|error| broken(url, &error))?;
        let response = accepted(url, response).await?;
        let kind = text(response.headers(), &CONTENT_TYPE).unwrap_or_default();
        if !kind.starts_with("text/event-stream") {
            return Err(unreadable(url, format!("it is {kind:?}, not a stream of events")));
        }
        Ok(EventStream::new(response, host_of(url), idle))
    }
}

fn authorised(request: RequestBuilder, token: Option<&SecretString>) -> RequestBuilder {
    match token {
        Some(token) => request.bearer_auth(token.expose_secret()),
        None => request,
    }
}

async fn accepted(url: &Url, mut response: Response) -> Result<Response, FeedError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = text(response.headers(), &RETRY_AFTER);
    // What the server says beside the status is nice to have.
    let body = tokio::time::timeout(CONNECT_LIMIT, read(url, &mut response, 64 << 10)).await;
    let body = body.unwrap_or(Ok(Vec::new())).unwrap_or_default();
    Err(FeedError::status(host_of(url), status.as_u16(), retry_after.as_deref(), &body))
}

async fn read(url: &Url, response: &mut Response, most: usize) -> Result<Vec<u8>, FeedError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(url, &error))? {
        if chunk.len() > most - body.len() {
            return Err(unreadable(url, format!("it is larger than {most} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unpacked(url: &Url, body: &[u8]) -> Result<Vec<u8>, FeedError> {
    let mut bytes = Vec::new();
    let mut unpacking = MultiGzDecoder::new(body).take(LARGEST as u64 + 1);
    unpacking.read_to_end(&mut bytes).map_err(|error| unreadable(url, format!("gzip: {error}")))?;
    if bytes.len() > LARGEST {
        return Err(unreadable(url, format!("unpacked it is larger than {LARGEST} bytes")));
    }
    Ok(bytes)
}

/// The address of `rel="prev"` in a `Link` header.
fn previous(link: &str) -> Option<String> {
    link.split(',').find_map(|part| {
        let (address, parameters) = part.trim().strip_prefix('<')?.split_once('>')?;
        let is_previous = parameters.split(';').any(|parameter| {
            let relation = parameter.trim().strip_prefix("rel=");
            relation.is_some_and(|relation| relation.trim_matches('"') == "prev")
        });
        is_previous.then(|| address.to_owned())
    })
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Host and port of an address.
pub fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn broken(url: &Url, error: &reqwest::Error) -> FeedError {
    FeedError::Connection { host: host_of(url), cause: innermost(error) }
}

fn unreadable(url: &Url, cause: String) -> FeedError {
    FeedError::Protocol { host: host_of(url), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_page_is_found_in_a_link_header() {
        let link =
            r#"<https://m.example/t?max_id=1>; rel="next", <https://m.example/t?min_id=9>; rel="prev""#;
        assert_eq!(previous(link).as_deref(), Some("https://m.example/t?min_id=9"));
        for link in ["", "garbage", r#"<https://m.example/t?max_id=1>; rel="next""#] {
            assert_eq!(previous(link), None, "{link}");
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        use std::io::Write;
        let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        bomb.write_all(&vec![0; LARGEST + 1]).unwrap();
        let url = Url::parse("https://feed.example/rss").unwrap();
        let error = unpacked(&url, &bomb.finish().unwrap()).unwrap_err();
        assert!(error.to_string().contains("larger than"), "{error}");
    }
}
