//! Fetches and decodes pictures from untrusted servers.
//!
//! A post's author chooses the URLs of its pictures, and a server's owner chooses the responses. So
//! the URL (it may point into our own network), the response (it may never end) and the file (it
//! may be a decompression bomb) are all untrusted.
//!
//! - `address` and `guard` decide which addresses may be connected to.
//! - `fetch` downloads a file within limits of time and size, follows redirects and classifies the
//!   response; `outcome` has the types for that.
//! - `hosts` and `retry_after` limit concurrent requests per host and honour `Retry-After`.
//! - `decode` turns a file into [`Picture`](crate::domain::Picture)s: `still_frames` of animations, see-through
//!   ones on their `grounds`, and what can be read of a `damaged_png`.
//! - `decoders` does so in processes of their own, and holds pictures to a budget of memory.
//! - `perceptual` recognises pictures that look the same.

mod address;
mod damaged_png;
mod decode;
mod decoders;
mod fetch;
mod grounds;
mod guard;
mod hosts;
mod outcome;
mod perceptual;
mod retry_after;
mod scaled_jpeg;
mod still_frames;

use std::num::NonZeroUsize;
use std::time::Duration;

use ipnet::{IpNet, Ipv6Net};

pub use decode::{Shown, Undecodable, decode};
pub use decoders::{DecodeOutcome, DecodedPicture, Decoders, DecodersOptions, Memory, serve_if_asked};
pub use fetch::Fetcher;
pub use outcome::{Delay, Failure, Fetched, Outcome, PutOff, Refusal};
pub use perceptual::{PerceptualHash, perceptual_hash};
pub use still_frames::MOST_OTHERS;

/// How to fetch and decode.
#[derive(Clone, Debug)]
pub struct Options {
    /// Non-public networks that pictures may come from.
    pub allowed_networks: Vec<IpNet>,
    /// Networks that pictures never come from, public or not.
    pub denied_networks: Vec<IpNet>,
    /// Prefixes of translators to IPv4 (NAT64) besides the well-known one.
    pub nat64_prefixes: Vec<Ipv6Net>,
    /// Most redirects that are followed.
    pub redirects: u32,
    /// Limit for DNS, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Limit for each request until the response head arrives, connecting included.
    pub first_byte_timeout: Duration,
    /// Limit for the whole fetch, redirects included.
    pub total_timeout: Duration,
    /// Largest file, in bytes.
    pub max_bytes: NonZeroUsize,
    /// Most pixels that a file may decode to.
    pub max_pixels: NonZeroUsize,
    /// Most concurrent requests to one address, whatever names lead to it.
    pub per_address: NonZeroUsize,
    /// Memory for all pictures of this process, in bytes, from their headers to the end of detection.
    pub memory: NonZeroUsize,
    /// CPU time for decoding one file.
    pub decode_timeout: Duration,
    /// Most concurrent requests to one host.
    pub per_host: NonZeroUsize,
    /// Pause before the first retry of a picture; it doubles with each further one.
    pub retry_pause: Duration,
    /// Longest pause, whatever `Retry-After` says.
    pub retry_pause_max: Duration,
    /// Contact for server operators, sent in `User-Agent`: a URL or a mail address. May be empty.
    pub contact: String,
}

/// Lengths that the prefix of a translator to IPv4 may have.
pub const NAT64_LENGTHS: [u8; 6] = address::NAT64_LENGTHS;

/// Memory for decoding a picture of so many pixels, in bytes, at most.
pub fn largest_picture(max_pixels: NonZeroUsize) -> u64 {
    (max_pixels.get() as u64).saturating_mul(decode::BYTES_PER_PIXEL)
}

/// Why the fetcher can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The machine's certificate authorities can't be loaded.
    #[error(
        "TLS for fetching pictures can't be set up: {0}; install the machine's certificate authorities (the package ca-certificates)"
    )]
    Tls(String),
    /// The contact is not a valid header value.
    #[error("The contact {0:?} can't be sent in a header; write a URL or a mail address")]
    Contact(String),
    /// The HTTP client can't be built.
    #[error("The HTTP client refuses its settings: {0}")]
    Client(String),
}
