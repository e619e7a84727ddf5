//! The real program, started with settings of its own, watched through its log and its listener,
//! stopped by signals.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::kafka::TestTopics;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_overheard");

/// The brands that tests listen for.
pub const BRANDS: &str = r#"
[[brand]]
id = "vmware"
name = "VMware"
words = ["VMware", "VMware Horizon"]
hashtags = ["vmware"]
hosts = ["vmware.com"]

[[brand]]
id = "acme"
name = "Acme"
words = ["Acme"]
handles = ["acme"]
"#;

/// No rule fires on its own.
pub const NO_RULES: &str = r#"
[[rule]]
id = "never"
kind = "negative_share"
window = "5m"
share = 1.0
min_mentions = 1000000
for = "1m"
keep_firing_for = "1m"
cooldown = "1m"
"#;

/// Settings of one test's daemons.
pub struct Setup {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Setup {
    pub fn new(topics: &TestTopics, postgres: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let consumed = format!(
            "[{{ name = \"{}\", format = \"post\" }}, {{ name = \"{}\", format = \"jetstream\" }}]",
            topics.name("posts"),
            topics.name("jetstream")
        );
        let setup = Self { folder, environment: Vec::new() };
        setup
            .with_file("brands.toml", BRANDS)
            .with_file("alerts.toml", NO_RULES)
            .with("KAFKA__BROKERS", &topics.brokers)
            .with("KAFKA__GROUP", &topics.group())
            .with("KAFKA__TOPICS", &consumed)
            .with("KAFKA__ALERT_TOPIC", &topics.name("alerts"))
            .with("KAFKA__DEAD_LETTER_TOPIC", &topics.name("dead-letters"))
            .with("KAFKA__SESSION_TIMEOUT", "25s")
            .with("POSTGRES__URL", postgres)
            .with("POSTGRES__MIGRATE", "true")
            .with("INFERENCE__DEVICE", "cpu")
            .with("ADMIN__LISTEN", "127.0.0.1:0")
            .with("ALERTS__EVERY", "1s")
            .with("PICTURES__ENABLED", "false")
    }

    /// Looks at pictures, also at those of this machine, with the tests' own detector, which takes
    /// plain colours for logos: red for the first brand's, blue for the second's, green for one that nobody listens
    /// for.
    pub fn with_pictures(self) -> Self {
        self.with_test_models()
            .with("PICTURES__ENABLED", "true")
            .with("MEDIA__ALLOWED_NETWORKS", "[\"127.0.0.0/8\"]")
    }

    /// Scores English towards its brands and German as a whole, by counting good and bad words: what
    /// a text scores is known.
    pub fn with_word_models(self) -> Self {
        self.with_test_models()
            .with("INFERENCE__TEXT_MODEL", "words-en")
            .with("INFERENCE__MORE_TEXT_MODELS", "[\"words-de\"]")
    }

    /// The tests' own models beside those shipped for texts.
    fn with_test_models(self) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let models = self.folder.path().join("models");
        if !models.exists() {
            std::fs::create_dir(&models).unwrap();
            for shipped in ["sentiment", "languages"] {
                symlink(root.join("models").join(shipped), models.join(shipped)).unwrap();
            }
            for made in ["logo-detector", "words-en", "words-de"] {
                symlink(root.join("tests/fixtures/models").join(made), models.join(made)).unwrap();
            }
        }
        self.with("INFERENCE__MODELS", models.to_str().unwrap())
    }

    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.environment.push((format!("OVERHEARD__{key}"), value.to_owned()));
        self
    }

    /// A file of the test's own: `brands.toml` or `alerts.toml`.
    pub fn with_file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let section = name.trim_end_matches(".toml").to_uppercase();
        self.with(&format!("{section}__FILE"), path.to_str().unwrap())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        // A checkout's own settings file must not reach into tests.
        command.args(arguments).args(["--config", "/dev/null"]).envs(self.environment.iter().cloned());
        command
    }

    /// Starts the daemon.
    pub fn start(&self, name: &str) -> Daemon {
        let log = self.folder.path().join(format!("{name}.log"));
        let process = self
            .command(&["run"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .expect("the program starts");
        Daemon { process, log }
    }
}

/// A running daemon; killed when dropped.
pub struct Daemon {
    process: Child,
    log: PathBuf,
}

impl Daemon {
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
        let log = self.log();
        let address = log.split("admin.address=").nth(1).expect("the listener's address is in the log");
        let address = address.split_whitespace().next().unwrap();
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("the listener answers");
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
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

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.process.id()).unwrap()), signal).unwrap();
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.until_ended().await
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
