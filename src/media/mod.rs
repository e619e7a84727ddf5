//! Pictures from other people's servers: fetched behind a guard, decoded within limits.
//!
//! Whoever writes a post chooses the addresses of its pictures, and whoever owns a server chooses
//! what it answers. So nothing here is trusted: not the address (it may point into our own
//! network), not the answer (it may never end), not the file (it may unpack to anything).
//!
//! - `address` and `guard` say which addresses are connected to at all.
//! - `fetch` gets a file within limits of time and size, following redirects, and tells what each
//!   answer means; `outcome` has the words for it.
//! - `hosts` and `retry_after` are manners: not too many requests at once, and pauses.
//! - `decode` turns a file into a [`Picture`](crate::domain::Picture).
//! - `perceptual` finds that two pictures are the same to the eye.

mod address;
mod decode;
mod fetch;
mod guard;
mod hosts;
mod outcome;
mod perceptual;
mod retry_after;
mod scaled_jpeg;

use std::num::NonZeroUsize;
use std::time::Duration;

use ipnet::IpNet;

pub use decode::{Undecodable, decode};
pub use fetch::Fetcher;
pub use outcome::{Delay, Failure, Fetched, Outcome, PutOff, Refusal};
pub use perceptual::{PerceptualHash, perceptual_hash};

/// How to fetch and decode.
#[derive(Clone, Debug)]
pub struct Options {
    /// Networks that pictures may come from though they are not public.
    pub allowed_networks: Vec<IpNet>,
    /// How often an address may send on to another.
    pub redirects: u32,
    /// How long resolving, connecting and agreeing on TLS may take together.
    pub connect_timeout: Duration,
    /// How long the answer may take to begin, connecting included.
    pub first_byte_timeout: Duration,
    /// How long all of it may take, redirects included.
    pub total_timeout: Duration,
    /// Largest file, in bytes.
    pub max_bytes: NonZeroUsize,
    /// Most pixels that a file may unpack to.
    pub max_pixels: NonZeroUsize,
    /// Most requests to one host at once.
    pub per_host: NonZeroUsize,
    /// How long a picture is put off the first time; twice as long each further time.
    pub retry_pause: Duration,
    /// How long at most, whatever the host asks.
    pub retry_pause_max: Duration,
    /// Where to complain: a URL or a mail address, for the header `User-Agent`. May be empty.
    pub contact: String,
}

/// Why pictures can't be fetched at all.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// No certificate can be checked.
    #[error(
        "TLS for fetching pictures can't be set up: {0}; install the machine's certificate authorities (the package ca-certificates)"
    )]
    Tls(String),
    /// The contact can't stand in a header.
    #[error("The contact {0:?} can't be sent in a header; write a URL or a mail address")]
    Contact(String),
    /// The client refuses its settings.
    #[error("The HTTP client refuses its settings: {0}")]
    Client(String),
}
