//! The real program as a process: watched through its log and its listener, stopped by signals.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_overheard");

/// A running daemon; killed when dropped.
pub struct Daemon {
    process: Child,
    log: PathBuf,
}

impl Daemon {
    /// A process that was just started and writes its log to that file.
    pub(super) fn new(process: Child, log: PathBuf) -> Self {
        Self { process, log }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until the log says something.
    pub async fn until_log(&mut self, words: &str) {
        let began = Instant::now();
        while !self.log().contains(words) {
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("the daemon ended ({status}) before it said {words:?}:\n{}", self.log());
            }
            assert!(began.elapsed() < Duration::from_secs(90), "no {words:?} in time:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn until_ready(&mut self) {
        self.until_log("Answers /live").await;
        self.until_answer("/ready", 200).await;
    }

    /// Waits until a page of the admin listener has a status; gives its body.
    pub async fn until_answer(&mut self, path: &str, status: u16) -> String {
        let began = Instant::now();
        loop {
            assert!(self.process.try_wait().unwrap().is_none(), "the daemon ended:\n{}", self.log());
            let (found, body) = self.get(path).await;
            if found == status {
                return body;
            }
            let limit = Duration::from_secs(90);
            assert!(began.elapsed() < limit, "{path} is still {found}: {body}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Status and body of a page of the admin listener.
    pub async fn get(&self, path: &str) -> (u16, String) {
        self.request("GET", path).await
    }

    /// Status and body of an answer of the admin listener.
    pub async fn request(&self, method: &str, path: &str) -> (u16, String) {
        let log = self.log();
        let address = log.split("admin.address=").nth(1).expect("the listener's address is in the log");
        let address = address.split_whitespace().next().unwrap();
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("the listener answers");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        let status = response.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        let body = response.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned();
        (status, body)
    }

    /// Waits until a line of the metrics says so.
    pub async fn until_metric(&self, line: &str) {
        let began = Instant::now();
        loop {
            let (_, metrics) = self.get("/metrics").await;
            if metrics.lines().any(|found| found == line) {
                return;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "no {line:?} in\n{metrics}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.id()).unwrap()), signal).unwrap();
    }

    /// The most memory that it had at any time, in bytes, without its children's.
    pub fn most_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix("kB").unwrap().trim().parse::<u64>().unwrap() << 10
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        let status = self.until_ended().await;
        if !status.success() {
            eprintln!("--- the daemon's log ---\n{}", self.log());
        }
        status
    }

    /// Ends it without a chance to put anything in order.
    pub async fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        assert_eq!(self.until_ended().await.signal(), Some(9));
    }

    pub async fn until_ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "it does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("--- the daemon's log ---\n{}", self.log());
        }
    }
}
