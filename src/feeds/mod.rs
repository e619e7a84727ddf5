//! Other people's servers that tell what is posted: HTTP, server-sent events, `WebSocket`; and files of
//! lines.
//!
//! - `error` has what goes wrong, and whether trying again may help.
//! - `http` asks for documents and opens streams; `sse` cuts such a stream into events.
//! - `socket` reads a `WebSocket`.
//! - `lines` reads lines of files, compressed or not.

mod error;
mod http;
mod lines;
mod socket;
mod sse;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;

pub use error::FeedError;
pub use http::{Answer, Document, HttpClient, Validators, host_of};
pub use lines::{LONGEST_LINE, Line, Lines};
pub use socket::{Message, Socket, SocketOptions};
pub use sse::{EventStream, ServerEvent};

/// Largest document, event or message, in bytes, after decompression.
pub const LARGEST: usize = 16 << 20;

/// Says to servers who asks.
const USER_AGENT: &str = concat!("overheard/", env!("CARGO_PKG_VERSION"));

/// TLS with the machine's certificate authorities.
fn tls() -> Result<ClientConfig, FeedError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| FeedError::Tls(error.to_string()))?;
    Ok(config.with_no_client_auth())
}
