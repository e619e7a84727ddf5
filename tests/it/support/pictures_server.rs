//! A web server for pictures that does what other people's servers do: serve, lie, drip, never end.
//!
//! It writes its answers byte by byte to the socket, since no server's library would misbehave like
//! this. Tests put files of their own with [`PicturesServer::put`].

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::picture_files::{gif, jpeg, picture, png, png_bomb, turned_jpeg, webp};

/// A server of its own for each test. It ends with the test's runtime.
#[derive(Clone)]
pub struct PicturesServer {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    files: Mutex<HashMap<String, (Vec<u8>, Duration)>>,
    heads: Mutex<Vec<String>>,
    open: AtomicUsize,
    most_open: AtomicUsize,
    open_at_arrival: Mutex<Vec<usize>>,
    body_bytes: AtomicUsize,
}

impl PicturesServer {
    /// On 127.0.0.1, with honest files and hostile ones.
    pub async fn start() -> Self {
        Self::start_on([127, 0, 0, 1].into()).await
    }

    /// On another of this machine's addresses.
    pub async fn start_on(address: IpAddr) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let original = picture(120, 80);
        for (path, bytes) in [
            ("/good.jpg", jpeg(&original)),
            ("/good.png", png(&original)),
            ("/good.webp", webp(&original)),
            ("/good.gif", gif(&original, 1)),
            ("/turned.jpg", turned_jpeg(&original, 6)),
            ("/many-frames.gif", gif(&original, 40)),
            ("/bomb.png", png_bomb(60_000, 60_000)),
            // Says that it is a JPEG, as every file here does.
            ("/page.jpg", b"<!doctype html><title>Not here</title>".to_vec()),
        ] {
            server.put(path, bytes);
        }
        let answering = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = answering.clone();
                // That the client hangs up is what many of these tests are about.
                tokio::spawn(async move { drop(server.answer(stream).await) });
            }
        });
        server
    }

    /// Serves bytes as they are, as `image/jpeg`, whatever they are.
    pub fn put(&self, path: &str, bytes: Vec<u8>) {
        self.put_slow(path, bytes, Duration::ZERO);
    }

    /// The same after a pause.
    pub fn put_slow(&self, path: &str, bytes: Vec<u8>, pause: Duration) {
        self.state.files.lock().unwrap().insert(path.to_owned(), (bytes, pause));
    }

    /// The URL of a path, with the server's address for a host.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.state.heads.lock().unwrap().clone()
    }

    /// How often a path was asked for.
    pub fn asked_for(&self, path: &str) -> usize {
        self.heads().iter().filter(|head| head.starts_with(&format!("GET {path} "))).count()
    }

    /// The most requests that were being answered at once.
    pub fn most_at_once(&self) -> usize {
        self.state.most_open.load(Ordering::SeqCst)
    }

    /// For each request, how many were being answered when it came, itself included.
    pub fn open_at_arrival(&self) -> Vec<usize> {
        self.state.open_at_arrival.lock().unwrap().clone()
    }

    /// The bytes that went out by the routes that never end.
    pub fn endless_bytes(&self) -> usize {
        self.state.body_bytes.load(Ordering::SeqCst)
    }

    async fn answer(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).await? == 0 {
                    return Ok(());
                }
            }
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            self.state.heads.lock().unwrap().push(head);
            let open = self.state.open.fetch_add(1, Ordering::SeqCst) + 1;
            self.state.most_open.fetch_max(open, Ordering::SeqCst);
            self.state.open_at_arrival.lock().unwrap().push(open);
            let answered = self.route(&mut stream, &path).await;
            self.state.open.fetch_sub(1, Ordering::SeqCst);
            if !answered? {
                return Ok(());
            }
        }
    }

    /// Answers one request; whether the connection may stay open.
    async fn route(&self, stream: &mut BufReader<TcpStream>, path: &str) -> std::io::Result<bool> {
        let file = self.state.files.lock().unwrap().get(path).cloned();
        if let Some((bytes, pause)) = file {
            tokio::time::sleep(pause).await;
            stream.write_all(head("200 OK", &[], Some(bytes.len())).as_bytes()).await?;
            stream.write_all(&bytes).await?;
            return Ok(true);
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let empty = |status: &str, headers: &[&str]| head(status, headers, Some(0));
        let answer = match path {
            // `/to?URL` and `/status?503&Retry-After: 7` say themselves what they do.
            "/to" => empty("302 Found", &[&format!("Location: {query}")]),
            "/status" => {
                let mut parts = query.split('&');
                let status = format!("{} As you wish", parts.next().unwrap());
                let headers: Vec<String> = parts.map(|header| header.replace("%20", " ")).collect();
                empty(&status, &headers.iter().map(String::as_str).collect::<Vec<_>>())
            }
            "/loop" => empty("301 Moved", &["Location: /loop"]),
            "/nowhere" => empty("302 Found", &[]),
            "/never" => {
                tokio::time::sleep(Duration::from_mins(10)).await;
                return Ok(false);
            }
            "/slow" => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                head("200 OK", &[], Some(3)) + "abc"
            }
            "/truncated" => {
                stream.write_all((head("200 OK", &[], Some(5000)) + "only this").as_bytes()).await?;
                return Ok(false);
            }
            "/hang-up" => return Ok(false),
            "/not-http" => "220 mail.example ESMTP\r\n\r\n".to_owned(),
            // A megabyte of zeros in a kilobyte of gzip would do the same; it is never unpacked.
            "/gzip" => head("200 OK", &["Content-Encoding: gzip"], Some(4)) + "\x1f\x08ab",
            "/announced" => head("200 OK", &[], Some(1 << 40)),
            "/endless" => {
                stream.write_all(head("200 OK", &[], None).as_bytes()).await?;
                let zeros = vec![0; 16 << 10];
                loop {
                    stream.write_all(&zeros).await?;
                    self.state.body_bytes.fetch_add(zeros.len(), Ordering::SeqCst);
                }
            }
            "/endless-head" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                loop {
                    stream.write_all(&b"X-More: and more of it\r\n".repeat(1000)).await?;
                }
            }
            "/drip" => {
                stream.write_all(head("200 OK", &[], None).as_bytes()).await?;
                loop {
                    stream.write_all(b".").await?;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            _ => empty("404 Not Found", &[]),
        };
        stream.write_all(answer.as_bytes()).await?;
        Ok(true)
    }
}

fn head(status: &str, headers: &[&str], length: Option<usize>) -> String {
    let headers: String = headers.iter().flat_map(|header| [*header, "\r\n"]).collect();
    let length = length.map_or("Connection: close".to_owned(), |length| format!("Content-Length: {length}"));
    format!("HTTP/1.1 {status}\r\nContent-Type: image/jpeg\r\n{headers}{length}\r\n\r\n")
}
