//! A `WebSocket` that is only read from.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL, USER_AGENT};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message as Frame};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use super::error::beginning;
use super::http::host_of;
use super::{FeedError, LARGEST, tls};

/// To connect, with TLS and the handshake.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

/// How to read.
#[derive(Clone, Debug)]
pub struct SocketOptions {
    /// The subprotocol to ask for.
    pub protocol: Option<&'static str>,
    /// Something comes at least this often; after half of it the server is pinged.
    pub idle: Duration,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

/// An open one.
pub struct Socket {
    stream: WebSocketStream<Box<dyn Connection>>,
    host: String,
    idle: Duration,
    heard: Instant,
    asked: bool,
}

trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

impl Socket {
    /// Connects to a `ws:` or `wss:` address.
    ///
    /// # Errors
    /// No connection, or the server refuses.
    pub async fn connect(url: &Url, options: &SocketOptions) -> Result<Self, FeedError> {
        let host = host_of(url);
        let connected = tokio::time::timeout(CONNECT_LIMIT, Self::connect_now(url, options)).await;
        connected.unwrap_or(Err(FeedError::Silent { host, limit: CONNECT_LIMIT }))
    }

    async fn connect_now(url: &Url, options: &SocketOptions) -> Result<Self, FeedError> {
        let host = host_of(url);
        let broken = |cause: String| FeedError::Connection { host: host.clone(), cause };
        let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let tcp = TcpStream::connect((name.as_str(), port)).await;
        let tcp = tcp.map_err(|error| broken(error.to_string()))?;
        tcp.set_nodelay(true).map_err(|error| broken(error.to_string()))?;
        let connection: Box<dyn Connection> = if url.scheme() == "wss" {
            let server = ServerName::try_from(name).map_err(|error| broken(error.to_string()))?;
            let secure = TlsConnector::from(Arc::new(tls()?)).connect(server, tcp).await;
            Box::new(secure.map_err(|error| broken(error.to_string()))?)
        } else {
            Box::new(tcp)
        };
        let mut request = url.as_str().into_client_request().map_err(|error| broken(error.to_string()))?;
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(super::USER_AGENT));
        if let Some(protocol) = options.protocol {
            request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        }
        let limits = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
        match client_async_with_config(request, connection, Some(limits)).await {
            Ok((stream, _)) => {
                Ok(Self { stream, host, idle: options.idle, heard: Instant::now(), asked: false })
            }
            Err(Error::Http(response)) => {
                let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let body = response.body().as_deref().unwrap_or_default();
                Err(FeedError::status(host, response.status().as_u16(), retry_after, body))
            }
            Err(error) => Err(broken(error.to_string())),
        }
    }

    /// The next message. A call that is dropped loses nothing.
    ///
    /// # Errors
    /// The stream ended, broke or fell silent, or holds a message that is too large.
    pub async fn next(&mut self) -> Result<Message, FeedError> {
        loop {
            let patience = if self.asked { self.idle } else { self.idle / 2 };
            let next = tokio::time::timeout_at(self.heard + patience, self.stream.next()).await;
            let Ok(next) = next else {
                if self.asked {
                    return Err(FeedError::Silent { host: self.host.clone(), limit: self.idle });
                }
                self.asked = true;
                let ping = self.stream.send(Frame::Ping(Vec::new().into())).await;
                ping.map_err(|error| self.broken(&error))?;
                continue;
            };
            self.heard = Instant::now();
            self.asked = false;
            match next {
                Some(Ok(Frame::Text(text))) => return Ok(Message::Text(text.as_str().to_owned())),
                Some(Ok(Frame::Binary(bytes))) => return Ok(Message::Binary(bytes.to_vec())),
                // Pings are answered by the library.
                Some(Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_))) => {}
                Some(Ok(Frame::Close(frame))) => {
                    let reason = frame.map(|frame| format!("{} {}", u16::from(frame.code), frame.reason));
                    let reason = beginning(reason.unwrap_or_default().trim());
                    return Err(FeedError::Ended { host: self.host.clone(), reason });
                }
                None => return Err(FeedError::Ended { host: self.host.clone(), reason: String::new() }),
                Some(Err(error)) => return Err(self.broken(&error)),
            }
        }
    }

    fn broken(&self, error: &Error) -> FeedError {
        FeedError::Connection { host: self.host.clone(), cause: error.to_string() }
    }
}
