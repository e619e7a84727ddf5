//! What became of a picture's address, each in words that name the thing.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};

/// What became of a picture's address.
#[derive(Debug)]
pub enum Outcome {
    /// The bytes are here.
    Fetched(Fetched),
    /// Our own guard does not let it through. Trying again changes nothing.
    Refused(Refusal),
    /// The host has no picture there, or none that is taken. Trying again changes nothing.
    Failed(Failure),
    /// It may be had later.
    PutOff(PutOff),
}

impl Outcome {
    /// A word of few, for counting.
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

/// A file as it came, whatever it is.
#[derive(Clone)]
pub struct Fetched {
    /// Its bytes. Whether they are a picture, decoding tells.
    pub bytes: Vec<u8>,
    /// Their SHA-256: the same file at another address has the same.
    pub sha256: [u8; 32],
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fetched({} bytes)", self.bytes.len())
    }
}

/// Why the guard does not let an address through.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It can't be read as one.
    #[error("The address is no URL: {0}")]
    NotAUrl(String),
    /// Neither http nor https.
    #[error("The scheme of the address is {0:?}, and only http and https are fetched")]
    Scheme(String),
    /// It has a user name or a password.
    #[error("The address holds a user name or a password")]
    UserInfo,
    /// A port of something else.
    #[error("The port {0} of the address is not one that web servers use")]
    Port(u16),
    /// It leads into a network that pictures don't come from.
    #[error(
        "{host} has the address {address}, which is {word}; name its network in media.allowed_networks if pictures shall come from there"
    )]
    Address {
        /// The host as the URL names it.
        host: String,
        /// The address that it has, or that it is.
        address: IpAddr,
        /// What that is.
        word: &'static str,
    },
}

/// Why there is no picture to be had, now or later.
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
    /// Any other status that time does not heal.
    #[error("{host} answered with HTTP status {status}")]
    Status {
        /// The host.
        host: String,
        /// The status.
        status: u16,
    },
    /// Larger than is taken.
    #[error("The file is larger than media.max_bytes ({max_bytes} bytes)")]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// Compressed, though it was asked for as it is.
    #[error("{host} sent the file in the encoding {encoding:?}, and none was asked for")]
    Encoded {
        /// The host.
        host: String,
        /// The encoding's name.
        encoding: String,
    },
    /// Sent on and on.
    #[error("The address was redirected more than {0} times")]
    Redirects(u32),
    /// Sent on, but nowhere.
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

/// What may be had later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutOff {
    /// Why not now.
    pub reason: Delay,
    /// When it may be tried again.
    pub not_before: DateTime<Utc>,
}

impl PutOff {
    /// Whether a request was made for it. Where not, it is no attempt of the picture's.
    pub fn was_tried(&self) -> bool {
        !matches!(self.reason, Delay::Busy { .. } | Delay::Resting { .. })
    }
}

/// Why not now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Delay {
    /// As many requests as are allowed go to that host already; this one was not made.
    #[error("{host} has {requests} of our requests to answer already")]
    Busy {
        /// The host.
        host: String,
        /// How many at once.
        requests: usize,
    },
    /// The host asked for a pause, for another picture; this one was not asked for.
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
    /// No connection, or one that broke off.
    #[error("The connection to {host} failed: {cause}")]
    Connection {
        /// The host.
        host: String,
        /// What happened.
        cause: String,
    },
    /// Too slow.
    #[error("{host} took longer than {limit:?} to {what}")]
    Timeout {
        /// The host.
        host: String,
        /// How long it was waited for.
        limit: Duration,
        /// For what, to complete "took longer to ...".
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
