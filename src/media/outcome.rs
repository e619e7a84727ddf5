//! The result types of a fetch, with their messages and metrics labels.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};

/// The result of fetching a picture's URL.
#[derive(Debug)]
pub enum Outcome {
    /// The file was downloaded.
    Fetched(Fetched),
    /// The guard refused the URL. A retry is useless.
    Refused(Refusal),
    /// The host has no file there, or none that is accepted. A retry is useless.
    Failed(Failure),
    /// A retry may succeed later.
    PutOff(PutOff),
}

impl Outcome {
    /// Value of the metrics label `outcome`.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Fetched(_) => "fetched",
            Self::Refused(_) => "refused",
            Self::Failed(failure) => failure.label(),
            Self::PutOff(put_off) => put_off.reason.label(),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetched(fetched) => write!(f, "Fetched {} bytes", fetched.bytes.len()),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Failed(failure) => failure.fmt(f),
            Self::PutOff(put_off) => put_off.reason.fmt(f),
        }
    }
}

/// A downloaded file; it need not be a picture.
#[derive(Clone)]
pub struct Fetched {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256, to recognise the same file at another URL.
    pub sha256: [u8; 32],
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fetched({} bytes)", self.bytes.len())
    }
}

/// Why the guard refuses a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It can't be parsed, or names no host.
    #[error("The address is no URL: {0}")]
    NotAUrl(String),
    /// The scheme is neither http nor https.
    #[error("The scheme of the address is {0:?}, and only http and https are fetched")]
    Scheme(String),
    /// It has a user name or a password.
    #[error("The address holds a user name or a password")]
    UserInfo,
    /// A port of another service.
    #[error("The port {0} of the address is not one that web servers use")]
    Port(u16),
    /// It leads into a network that is denied.
    #[error("{host} has the address {address}, which is in a network of media.denied_networks")]
    Denied {
        /// The host as the URL names it.
        host: String,
        /// The address that it has, or that it is.
        address: IpAddr,
    },
    /// The host's IP address is forbidden.
    #[error(
        "{host} has the address {address}, which is {word}; name its network in media.allowed_networks if pictures shall come from there"
    )]
    Address {
        /// The host as the URL names it.
        host: String,
        /// The IP address that it resolves to, or that it is.
        address: IpAddr,
        /// What that address is, to complete "which is ...".
        word: &'static str,
    },
}

/// Why a fetch fails for good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// 404 or 410.
    #[error("{host} has nothing there (HTTP status {status})")]
    Gone {
        /// The host.
        host: String,
        /// The status.
        status: u16,
    },
    /// Any other status that is not worth a retry.
    #[error("{host} answered with HTTP status {status}")]
    Status {
        /// The host.
        host: String,
        /// The status.
        status: u16,
    },
    /// Larger than `max_bytes`.
    #[error("The file is larger than media.max_bytes ({max_bytes} bytes)")]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// Sent with a content encoding, though only `identity` was accepted.
    #[error("{host} sent the file in the encoding {encoding:?}, and none was asked for")]
    Encoded {
        /// The host.
        host: String,
        /// The encoding's name.
        encoding: String,
    },
    /// Too many redirects.
    #[error("The address was redirected more than {0} times")]
    Redirects(u32),
    /// A redirect without a readable `Location`.
    #[error("{host} redirects to nowhere (HTTP status {status})")]
    Nowhere {
        /// The host.
        host: String,
        /// The status.
        status: u16,
    },
}

impl Failure {
    fn label(&self) -> &'static str {
        match self {
            Self::Gone { .. } => "gone",
            Self::Status { .. } | Self::Nowhere { .. } => "status",
            Self::TooLarge { .. } => "too_large",
            Self::Encoded { .. } => "encoded",
            Self::Redirects(_) => "redirects",
        }
    }
}

/// A fetch to retry later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutOff {
    /// Why not now.
    pub reason: Delay,
    /// Earliest time of the next attempt.
    pub not_before: DateTime<Utc>,
}

impl PutOff {
    /// Whether this counts as an attempt. It does not if the host, or one redirected to, was busy or
    /// resting.
    pub fn was_tried(&self) -> bool {
        !matches!(self.reason, Delay::Busy { .. } | Delay::Resting { .. })
    }
}

/// Why a fetch has to be retried later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Delay {
    /// The host has the most concurrent requests already; this one was not sent.
    #[error("{host} has {requests} of our requests to answer already")]
    Busy {
        /// The host.
        host: String,
        /// Most concurrent requests.
        requests: usize,
    },
    /// The host asked for a pause in an earlier response; this request was not sent.
    #[error("{host} asked for a pause")]
    Resting {
        /// The host.
        host: String,
    },
    /// 408, 425, 429 or 5xx.
    #[error("{host} answered with HTTP status {status}")]
    Status {
        /// The host.
        host: String,
        /// The status.
        status: u16,
    },
    /// The connection failed or broke.
    #[error("The connection to {host} failed: {cause}")]
    Connection {
        /// The host.
        host: String,
        /// What happened.
        cause: String,
    },
    /// A time limit was exceeded.
    #[error("{host} took longer than {limit:?} to {what}")]
    Timeout {
        /// The host.
        host: String,
        /// The limit.
        limit: Duration,
        /// What took too long, to complete "took longer than ... to ...".
        what: &'static str,
    },
}

impl Delay {
    fn label(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::Resting { .. } => "resting",
            Self::Status { status: 429, .. } => "too_many_requests",
            Self::Status { .. } => "server_error",
            Self::Connection { .. } => "connection",
            Self::Timeout { .. } => "timeout",
        }
    }
}
