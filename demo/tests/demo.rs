//! The demo as a process: what it shows, and that nothing stays behind however it ends.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use sqlx::Connection;

const PROGRAM: &str = env!("CARGO_BIN_EXE_overheard-demo");

/// Where demos keep their folders during one test.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        // Postgres may run as another user.
        std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Self(place)
    }

    fn demo(&self, arguments: &[&str]) -> Demo {
        let output = self.0.path().join(format!("{}.out", arguments.concat()));
        let process = Command::new(PROGRAM)
            .args(arguments)
            .env("TMPDIR", self.0.path())
            .stdin(Stdio::null())
            .stdout(File::create(&output).unwrap())
            .stderr(File::create(output.with_extension("err")).unwrap())
            .spawn()
            .unwrap();
        Demo { process, output }
    }

    /// What demos have left: folders, and servers that work in them.
    fn leftovers(&self) -> Vec<String> {
        let folders = std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        let folders = folders.filter(|path| path.is_dir()).map(|path| path.display().to_string());
        let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let servers = processes.filter_map(|process| {
            let works_in = std::fs::read_link(process.path().join("cwd")).ok()?;
            works_in.starts_with(self.0.path()).then(|| process.path().display().to_string())
        });
        folders.chain(servers).collect()
    }

    /// What is still there after a moment: a process that was killed may be in the list of a busy
    /// machine a little longer.
    fn left_behind(&self) -> Vec<String> {
        for _ in 0..40 {
            if self.leftovers().is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.leftovers()
    }
}

struct Demo {
    process: Child,
    output: PathBuf,
}

impl Demo {
    fn said(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap()
    }

    fn complained(&self) -> String {
        std::fs::read_to_string(self.output.with_extension("err")).unwrap()
    }

    fn until_it_says(&mut self, words: &str) {
        let began = Instant::now();
        while !self.said().contains(words) {
            assert!(began.elapsed() < Duration::from_mins(2), "no {words:?} in\n{}", self.said());
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "it ended early:\n{}\n{}", self.said(), self.complained());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.process.id()).unwrap()), signal).unwrap();
    }

    fn ends_within(&mut self, limit: Duration) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < limit, "it still runs:\n{}\n{}", self.said(), self.complained());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // A test that fails in between leaves no demo running.
        if matches!(self.process.try_wait(), Ok(None)) {
            self.signal(Signal::SIGTERM);
            let _ = self.process.wait();
        }
    }
}

/// At the fastest pace, so that it also shows that alerts don't depend on the machine's speed.
#[test]
fn an_hour_is_played_and_its_alerts_fire_and_resolve() {
    let place = Place::new();
    let mut demo = place.demo(&["--seconds", "10"]);
    let status = demo.ends_within(Duration::from_mins(3));
    let said = demo.said();
    assert!(status.success(), "{said}\n{}", demo.complained());
    for words in [
        "librdkafka's mock cluster",
        "Coca-Cola by a boolean query",
        "ALERT firing   vmware volume-spike",
        "ALERT resolved vmware volume-spike",
        "ALERT firing   vmware negative-share",
        "ALERT resolved vmware negative-share",
        "4 messages read back from the topic overheard.alerts",
        "3 dead letters on the topic overheard.dead-letters",
    ] {
        assert!(said.contains(words), "no {words:?} in\n{said}\n{}", demo.complained());
    }
    let changes: Vec<_> =
        said.lines().skip_while(|line| !line.ends_with("edited or deleted by their authors:")).collect();
    assert!(changes[0].starts_with("3 posts"), "{said}");
    assert!(changes[2].starts_with("  edited   starbucks positive "), "{said}");
    assert!(changes[3].starts_with("  deleted  0 rows are left "), "{said}");
    let row = said.lines().find(|line| line.starts_with("vmware ")).expect("a row for the brand");
    // Two of them show it in their pictures alone. Another one was deleted again.
    assert_eq!(row.split_whitespace().nth(1), Some("238"), "{row}");
    let row = said.lines().find(|line| line.starts_with("cocacola ")).expect("a row for the brand");
    // The museum's coke ovens are none.
    assert_eq!(row.split_whitespace().nth(1), Some("11"), "{row}");
    assert!(said.contains("5 logos seen in the pictures of posts:"), "{said}");
    assert!(said.contains("vmware    image  positive"), "{said}");
    // Where the test's folder and the checkout lie may make a line longer, nothing else.
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_str().unwrap();
    let lines = said
        .lines()
        .map(|line| line.replace(place.0.path().to_str().unwrap(), "/tmp").replace(checkout, "/overheard"));
    for line in lines {
        assert!(line.chars().count() <= 100, "too long: {line}");
    }
    assert_eq!(demo.complained(), "");
    assert!(place.leftovers().is_empty(), "{:?}", place.leftovers());
}

#[test]
fn nothing_stays_behind_when_it_is_interrupted_whatever_it_does() {
    for (phase, signal) in [
        ("Postgres  starting", Signal::SIGHUP),
        ("Postgres  18", Signal::SIGTERM),
        ("Model     loading", Signal::SIGINT),
        ("Daemon    joining", Signal::SIGQUIT),
        ("Playing", Signal::SIGINT),
    ] {
        let place = Place::new();
        let mut demo = place.demo(&["--keep", "--seconds", "600"]);
        demo.until_it_says(phase);
        assert!(!place.leftovers().is_empty(), "while it runs, its folder is there");
        // Impatience changes nothing.
        for _ in 0..5 {
            demo.signal(signal);
            std::thread::sleep(Duration::from_millis(5));
            if demo.process.try_wait().unwrap().is_some() {
                break;
            }
        }
        let status = demo.ends_within(Duration::from_secs(20));
        assert_eq!(status.code(), Some(130), "{phase}: {status}\n{}\n{}", demo.said(), demo.complained());
        let left = place.left_behind();
        assert!(left.is_empty(), "{phase}: {left:?}\n{}", demo.said());
        assert_eq!(demo.complained(), "", "{phase}");
    }
}

#[test]
fn what_a_killed_demo_leaves_goes_with_the_next() {
    let place = Place::new();
    let mut killed = place.demo(&["--seconds", "600"]);
    killed.until_it_says("Postgres  18");
    let mut alive = place.demo(&["--seconds", "601"]);
    alive.until_it_says("Postgres  18");
    killed.signal(Signal::SIGKILL);
    killed.process.wait().unwrap();
    let folder = |demo: &Demo| {
        let said = demo.said();
        let line = said.lines().find_map(|line| line.strip_prefix("Postgres  starting one in "));
        line.unwrap().trim_end_matches(" ...").to_owned()
    };
    assert!(place.leftovers().iter().any(|left| left.starts_with("/proc")), "the server lives on");

    let mut next = place.demo(&["--seconds", "602"]);
    next.until_it_says("Postgres  starting");
    assert!(next.said().contains(&format!("had left: {}", folder(&killed))), "{}", next.said());
    let left = place.leftovers();
    assert!(!left.contains(&folder(&killed)), "{left:?}");
    assert!(left.contains(&folder(&alive)), "another demo's folder is left alone: {left:?}");
    for demo in [&mut next, &mut alive] {
        demo.signal(Signal::SIGTERM);
        demo.ends_within(Duration::from_secs(20));
    }
    assert!(place.leftovers().is_empty(), "{:?}", place.leftovers());
}

/// A client of librdkafka sends, as kcat does, to the broker that the demo names; the mention is
/// read at the address that it prints for psql.
#[tokio::test(flavor = "multi_thread")]
async fn a_post_of_ones_own_arrives_in_a_demo_that_is_kept() {
    let place = Place::new();
    let mut demo = place.demo(&["--keep", "--seconds", "10"]);
    demo.until_it_says("All goes on until Ctrl-C");
    let said = demo.said();
    let word_after = |words: &str| {
        let rest = said.split_once(words).unwrap_or_else(|| panic!("no {words:?} in\n{said}")).1;
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let brokers = word_after("kcat -P -b ");
    let address = word_after("bin/psql ");
    let post = said.lines().find(|line| line.contains("VMware rocks!")).expect("an example to send").trim();

    let producer: FutureProducer = ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    let record = FutureRecord::<(), str>::to("posts").payload(post);
    producer.send(record, Duration::from_secs(10)).await.expect("the broker takes it");

    let mut postgres = sqlx::PgConnection::connect(&address).await.unwrap();
    let began = Instant::now();
    loop {
        let found: Vec<String> = sqlx::query_scalar(
            "SELECT brand FROM overheard.recent_mentions WHERE source = 'me' AND text = 'VMware rocks!'",
        )
        .fetch_all(&mut postgres)
        .await
        .unwrap();
        if found == ["vmware"] {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "found {found:?}\n{}", demo.said());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    demo.until_it_says("290 mentions");
    // With a client still connected.
    demo.signal(Signal::SIGINT);
    demo.signal(Signal::SIGINT);
    let status = demo.ends_within(Duration::from_secs(20));
    assert_eq!(status.code(), Some(0), "{}\n{}", demo.said(), demo.complained());
    assert!(place.leftovers().is_empty(), "{:?}", place.leftovers());
}
