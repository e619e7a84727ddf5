//! Fetching one file: redirects, limits, and what each response means.

use std::collections::BTreeSet;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use rustls_platform_verifier::BuilderVerifierExt;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout_at};

use super::guard::{Checked, Guard, refusal_in};
use super::hosts::{Hosts, KEPT_FOR, Kept, Turn, Wait};
use super::outcome::{Delay, Failure, Fetched, Outcome, PutOff, Refusal};
use super::{MediaError, Options, retry_after};
use crate::clock::Clock;
use crate::metrics::{PICTURE_BYTES, PICTURE_FETCH_SECONDS, PICTURE_FETCHES};

/// Retry pause for a picture whose host is busy: about the time of a few fetches.
const BUSY_PAUSE: TimeDelta = TimeDelta::seconds(2);

/// Fetches files from untrusted servers. Clones share connections and per-host limits.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    /// Keeps no connection open.
    client_once: Client,
    guard: Guard,
    hosts: Hosts,
    /// The same by address: many names may lead to one.
    addresses: Hosts,
    kept: Kept,
    options: Arc<Options>,
    clock: Arc<dyn Clock>,
}

/// Why a fetch ends without a file; `fetch` turns it into an [`Outcome`] with the retry time.
enum End {
    Refused(Refusal),
    Failed(Failure),
    /// With the pause from `Retry-After`.
    Later(Delay, Option<Duration>),
    /// The host is busy or resting until then, so it got no request.
    NotAsked(Delay, DateTime<Utc>),
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Fetcher {
    /// Builds the client. Certificates are checked against the machine's authorities.
    ///
    /// # Errors
    /// The authorities can't be loaded, the contact is not a valid header value, or the client can't
    /// be built.
    pub fn new(options: &Options, clock: Arc<dyn Clock>) -> Result<Self, MediaError> {
        let guard =
            Guard::new(&options.allowed_networks).with(&options.denied_networks, &options.nat64_prefixes);
        Ok(Self {
            client: client(options, &guard, options.per_host.get())?,
            client_once: client(options, &guard, 0)?,
            guard,
            hosts: Hosts::new(options.per_host),
            addresses: Hosts::new(options.per_address),
            kept: Kept::default(),
            options: Arc::new(options.clone()),
            clock,
        })
    }

    /// Fetches the file at a URL. Ends within `media.total_timeout`, and never waits for a busy
    /// host. The retry pause doubles with each of the `earlier_attempts`.
    pub async fn fetch(&self, url: &str, earlier_attempts: u32) -> Outcome {
        let begin = Instant::now();
        let outcome = match self.follow(url, begin + self.options.total_timeout).await {
            Ok(fetched) => {
                metrics::counter!(PICTURE_BYTES).increment(fetched.bytes.len() as u64);
                Outcome::Fetched(fetched)
            }
            Err(End::Refused(refusal)) => Outcome::Refused(refusal),
            Err(End::Failed(failure)) => Outcome::Failed(failure),
            Err(End::NotAsked(reason, not_before)) => Outcome::PutOff(PutOff { reason, not_before }),
            Err(End::Later(reason, asked)) => {
                let Options { retry_pause, retry_pause_max, .. } = *self.options;
                let pause = retry_after::pause(earlier_attempts, asked, retry_pause, retry_pause_max);
                Outcome::PutOff(PutOff { reason, not_before: self.clock.now() + pause })
            }
        };
        metrics::counter!(PICTURE_FETCHES, "outcome" => outcome.label()).increment(1);
        if !matches!(&outcome, Outcome::PutOff(put_off) if !put_off.was_tried()) {
            metrics::histogram!(PICTURE_FETCH_SECONDS).record(begin.elapsed().as_secs_f64());
        }
        outcome
    }

    async fn follow(&self, url: &str, deadline: Instant) -> Result<Fetched, End> {
        let mut at = self.guard.check(url)?;
        for _ in 0..=self.options.redirects {
            let _turn = self.turn(&at)?;
            let _turns = self.turns_by_address(&at, deadline).await?;
            let response = self.ask(&at, deadline).await?;
            let status = response.status();
            if status == StatusCode::OK {
                return self.read(&at, response, deadline).await;
            }
            if !is_redirect(status) {
                return Err(self.meaning(&at, status, response.headers()));
            }
            let nowhere = || Failure::Nowhere { host: at.host().to_owned(), status: status.as_u16() };
            let location = response.headers().get(LOCATION).ok_or_else(nowhere)?;
            let location = std::str::from_utf8(location.as_bytes()).map_err(|_| nowhere())?;
            at = self.guard.check_redirect(&at, location)?;
        }
        Err(Failure::Redirects(self.options.redirects).into())
    }

    fn turn(&self, at: &Checked) -> Result<super::hosts::Turn, End> {
        let host = at.host();
        let now = self.clock.now();
        self.hosts.turn(host, now).map_err(|wait| match wait {
            Wait::Busy => {
                let reason = Delay::Busy { host: host.to_owned(), requests: self.hosts.at_once() };
                End::NotAsked(reason, now + BUSY_PAUSE)
            }
            Wait::Resting(until) => End::NotAsked(Delay::Resting { host: host.to_owned() }, until),
        })
    }

    /// Turns at all addresses of the host, whichever will be connected to. Judged here as well, so that
    /// a kept connection is no way past the guard.
    async fn turns_by_address(&self, at: &Checked, deadline: Instant) -> Result<Vec<Turn>, End> {
        let host = at.host();
        let addresses: Vec<IpAddr> = if let Ok(address) = host.parse() {
            vec![address]
        } else {
            let limit = self.options.connect_timeout;
            let within = (Instant::now() + limit).min(deadline);
            match timeout_at(within, self.guard.resolve_host(host)).await {
                Err(_) => return Err(late(at, limit, "resolve")),
                Ok(Ok(found)) => found.iter().map(std::net::SocketAddr::ip).collect(),
                Ok(Err(error)) => {
                    let host = host.to_owned();
                    return Err(match refusal_in(&*error) {
                        Some(refusal) => refusal.into(),
                        None => End::Later(Delay::Connection { host, cause: error.to_string() }, None),
                    });
                }
            }
        };
        let addresses: BTreeSet<IpAddr> = addresses.into_iter().collect();
        let now = self.clock.now();
        let turn = |address: IpAddr| self.addresses.turn(&address.to_string(), now);
        addresses.into_iter().map(turn).collect::<Result<_, _>>().map_err(|_| {
            let requests = self.addresses.at_once();
            End::NotAsked(Delay::Busy { host: host.to_owned(), requests }, now + BUSY_PAUSE)
        })
    }

    /// Sends the request and waits for the response head.
    async fn ask(&self, at: &Checked, deadline: Instant) -> Result<Response, End> {
        let limit = self.options.first_byte_timeout;
        let first = Instant::now() + limit;
        let is_kept = self.kept.may_keep(at.host(), self.options.total_timeout);
        let client = if is_kept { &self.client } else { &self.client_once };
        let request = client.get(at.url().clone()).send();
        match timeout_at(first.min(deadline), request).await {
            Err(_) if deadline < first => Err(self.too_slow(at)),
            Err(_) => Err(late(at, limit, "answer")),
            Ok(Err(error)) => match refusal_in(&error) {
                Some(refusal) => Err(refusal.into()),
                // The client can't build a request from the URL.
                None if error.is_builder() => Err(Refusal::NotAUrl(said(&error)).into()),
                None if error.is_timeout() => Err(late(at, self.options.connect_timeout, "connect")),
                None => Err(broken(at, &error)),
            },
            Ok(Ok(response)) => Ok(response),
        }
    }

    /// Reads the body, up to `max_bytes`.
    async fn read(&self, at: &Checked, mut response: Response, deadline: Instant) -> Result<Fetched, End> {
        let max_bytes = self.options.max_bytes.get();
        if let Some(encoding) = encoding(response.headers()) {
            return Err(Failure::Encoded { host: at.host().to_owned(), encoding }.into());
        }
        let announced = response.content_length();
        if announced.is_some_and(|bytes| bytes > max_bytes as u64) {
            return Err(Failure::TooLarge { max_bytes }.into());
        }
        // Content-Length is untrusted, so at most 64 KiB are reserved for it.
        let mut bytes = Vec::with_capacity(announced.map_or(0, |bytes| bytes.min(1 << 16) as usize));
        let mut hash = Sha256::new();
        loop {
            let chunk = match timeout_at(deadline, response.chunk()).await {
                Err(_) => return Err(self.too_slow(at)),
                Ok(Err(error)) => return Err(broken(at, &error)),
                Ok(Ok(None)) => break,
                Ok(Ok(Some(chunk))) => chunk,
            };
            if chunk.len() > max_bytes - bytes.len() {
                return Err(Failure::TooLarge { max_bytes }.into());
            }
            hash.update(&chunk);
            bytes.extend_from_slice(&chunk);
        }
        Ok(Fetched { bytes, sha256: hash.finalize().into() })
    }

    /// Classifies a status that is neither 200 nor a redirect.
    fn meaning(&self, at: &Checked, status: StatusCode, headers: &HeaderMap) -> End {
        let (host, code) = (at.host().to_owned(), status.as_u16());
        if matches!(code, 404 | 410) {
            return Failure::Gone { host, status: code }.into();
        }
        if !(status.is_server_error() || matches!(code, 408 | 425 | 429)) {
            return Failure::Status { host, status: code }.into();
        }
        let now = self.clock.now();
        let header = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let asked = header.and_then(|text| retry_after::read(text, now));
        if let Some(asked) = asked {
            // Retry-After applies to all requests to the host.
            self.hosts.rest(&host, now + asked.min(self.options.retry_pause_max), now);
        }
        End::Later(Delay::Status { host, status: code }, asked)
    }

    fn too_slow(&self, at: &Checked) -> End {
        late(at, self.options.total_timeout, "send the file")
    }
}

/// A client that keeps so many connections to a host open.
fn client(options: &Options, guard: &Guard, idle_per_host: usize) -> Result<Client, MediaError> {
    Client::builder()
        .tls_backend_preconfigured(tls()?)
        .dns_resolver(guard.clone())
        // A proxy would resolve names itself and so bypass the guard.
        .no_proxy()
        // `follow` checks and follows each redirect.
        .redirect(Policy::none())
        // The picture queue does the retries.
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(user_agent(&options.contact)?)
        .default_headers(default_headers())
        .connect_timeout(options.connect_timeout)
        .pool_max_idle_per_host(idle_per_host)
        .pool_idle_timeout(KEPT_FOR)
        .build()
        .map_err(|error| MediaError::Client(said(&error)))
}

fn late(at: &Checked, limit: Duration, what: &'static str) -> End {
    End::Later(Delay::Timeout { host: at.host().to_owned(), limit, what }, None)
}

fn broken(at: &Checked, error: &reqwest::Error) -> End {
    End::Later(Delay::Connection { host: at.host().to_owned(), cause: said(error) }, None)
}

/// The innermost cause: the outer errors only name the URL and say that something failed.
fn said(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source()).last().unwrap_or(error).to_string()
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The content encoding, unless it is `identity`, the only one accepted.
fn encoding(headers: &HeaderMap) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(CONTENT_ENCODING)?.as_bytes()).trim().to_ascii_lowercase();
    (!text.is_empty() && text != "identity").then(|| text.chars().take(20).collect())
}

fn default_headers() -> HeaderMap {
    let headers: [(HeaderName, &str); 2] = [
        (ACCEPT, "image/jpeg, image/png, image/webp, image/gif, image/*;q=0.5"),
        // Pictures are compressed already, and an encoded body can be a decompression bomb.
        (ACCEPT_ENCODING, "identity"),
    ];
    headers.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

/// The user agent: the program, and a contact for server operators.
fn user_agent(contact: &str) -> Result<HeaderValue, MediaError> {
    let program = concat!("overheard/", env!("CARGO_PKG_VERSION"));
    let text = if contact.is_empty() { program.to_owned() } else { format!("{program} (+{contact})") };
    HeaderValue::from_str(&text).map_err(|_| MediaError::Contact(contact.to_owned()))
}

/// TLS with the machine's certificate authorities: an operator can add one for private hosts, and an
/// authority that the system's vendor withdraws is gone without a new build. The images of
/// deploy/Dockerfile have them from the package ca-certificates.
fn tls() -> Result<rustls::ClientConfig, MediaError> {
    // Passed explicitly, so that no process-wide default has to be installed.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| MediaError::Tls(error.to_string()))?;
    Ok(config.with_no_client_auth())
}
