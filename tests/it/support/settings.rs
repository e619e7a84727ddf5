//! Settings of a test's daemons: topics and a database of its own, brands and rules that tests know.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use overheard::config::Settings;

use super::daemon::{Daemon, PROGRAM};
use super::topics::TestTopics;

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
#[derive(Clone)]
pub struct Setup {
    folder: Arc<tempfile::TempDir>,
    config: PathBuf,
    environment: Vec<(String, String)>,
}

impl Setup {
    pub fn new(topics: &TestTopics, postgres: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let consumed = format!(
            "[{{ name = \"{}\", format = \"post\" }}, {{ name = \"{}\", format = \"jetstream\" }}]",
            topics.name("posts"),
            topics.name("jetstream")
        );
        // A checkout's own settings file must not reach into tests.
        let config = PathBuf::from("/dev/null");
        let setup = Self { folder, config, environment: Vec::new() };
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

    /// A settings file, below the environment.
    pub fn with_settings(mut self, text: &str) -> Self {
        self.config = self.folder.path().join("overheard.toml");
        std::fs::write(&self.config, text).unwrap();
        self
    }

    /// A file of the test's own: `brands.toml` or `alerts.toml`.
    pub fn with_file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let section = name.trim_end_matches(".toml").to_uppercase();
        self.with(&format!("{section}__FILE"), path.to_str().unwrap())
    }

    /// The settings that a program with this setup has.
    pub fn settings(&self) -> Settings {
        let environment = self.environment.iter().map(|(key, value)| (key.into(), value.into()));
        Settings::over_defaults("the test", "", environment).unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).arg("--config").arg(&self.config).envs(self.environment.iter().cloned());
        command
    }

    /// Starts the daemon.
    pub fn start(&self, name: &str) -> Daemon {
        self.start_command(name, &["run"])
    }

    /// Starts a command that runs until it is stopped.
    pub fn start_command(&self, name: &str, arguments: &[&str]) -> Daemon {
        let log = self.folder.path().join(format!("{name}.log"));
        let process = self
            .command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .expect("the program starts");
        Daemon::new(process, log)
    }
}
