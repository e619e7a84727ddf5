//! A server of feeds on a real socket, which does what a test says: answers, streams, `WebSocket`s, and
//! connections that break in the middle.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path and query.
    pub target: String,
    head: String,
}

impl Asked {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }

    /// A parameter of the query; empty where there is none.
    pub fn parameter(&self, name: &str) -> String {
        let url = url::Url::parse("http://x").unwrap().join(&self.target).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map_or(String::new(), |(_, value)| value.into_owned())
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }
}

/// What is done.
pub enum Reply {
    /// Status, headers, body; the body in a packet of its own, after a moment.
    Answer(u16, Vec<String>, Vec<u8>),
    /// Bytes of a stream of events, one packet after the other, then the end where it is told so.
    Stream(Vec<String>, bool),
    /// Messages of a `WebSocket`, then what follows them.
    Socket(Vec<Message>, Then),
}

/// What follows the messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It stays open.
    Stay,
    /// It ends in the middle of a frame.
    Break,
}

type Handler = dyn Fn(&Asked, usize) -> Reply + Send + Sync;

/// The server; it ends when it is dropped.
pub struct FeedServer {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    accepting: JoinHandle<()>,
}

impl Drop for FeedServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl FeedServer {
    /// Does what `handler` says of a question and of how many like it, by path, came before.
    pub async fn start(handler: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let handler: Arc<Handler> = Arc::new(handler);
        let log = asked.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, log) = (handler.clone(), log.clone());
                tokio::spawn(async move { serve(stream, &*handler, &log).await });
            }
        });
        Self { port, asked, accepting }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits until so many questions about a path came; gives them.
    pub async fn until_asked(&self, path: &str, count: usize) -> Vec<Asked> {
        let began = Instant::now();
        loop {
            let found: Vec<Asked> = self.asked().into_iter().filter(|asked| asked.path() == path).collect();
            if found.len() >= count {
                return found;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "asked for {:?}", self.asked());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn serve(mut stream: TcpStream, handler: &Handler, log: &Mutex<Vec<Asked>>) -> Option<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let asked = Asked { target: head.split(' ').nth(1)?.to_owned(), head };
        let before = {
            let mut log = log.lock().unwrap();
            log.push(asked.clone());
            log.iter().filter(|earlier| earlier.path() == asked.path()).count() - 1
        };
        match handler(&asked, before) {
            Reply::Answer(status, headers, body) => {
                let headers: String = headers.iter().flat_map(|header| [header, "\r\n"]).collect();
                let length = body.len();
                let head = format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {length}\r\n\r\n");
                stream.write_all(head.as_bytes()).await.ok()?;
                stream.flush().await.ok()?;
                tokio::time::sleep(Duration::from_millis(50)).await;
                stream.write_all(&body).await.ok()?;
            }
            Reply::Stream(parts, ends) => {
                let head =
                    "HTTP/1.1 200 x\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
                stream.write_all(head.as_bytes()).await.ok()?;
                for part in parts {
                    let chunk = format!("{:x}\r\n{part}\r\n", part.len());
                    stream.write_all(chunk.as_bytes()).await.ok()?;
                    stream.flush().await.ok()?;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                if !ends {
                    let _ = stream.read_u8().await;
                }
                return None;
            }
            Reply::Socket(messages, then) => {
                let key = derive_accept_key(asked.header("sec-websocket-key").as_bytes());
                let protocol = match asked.header("sec-websocket-protocol") {
                    "" => String::new(),
                    protocol => format!("Sec-WebSocket-Protocol: {protocol}\r\n"),
                };
                let head = format!(
                    "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {key}\r\n{protocol}\r\n"
                );
                stream.write_all(head.as_bytes()).await.ok()?;
                let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
                for message in messages {
                    socket.send(message).await.ok()?;
                }
                if then == Then::Break {
                    // A text of 100 bytes, of which three come.
                    let stream = socket.get_mut();
                    stream.write_all(&[0x81, 100, b'{', b'"', b'd']).await.ok()?;
                    stream.shutdown().await.ok()?;
                    // What is not read would take back what was sent.
                    tokio::io::copy(stream, &mut tokio::io::sink()).await.ok()?;
                    return None;
                }
                // Answers pings until the other side goes.
                while let Some(Ok(_)) = socket.next().await {}
                return None;
            }
        }
    }
}
