//! A private Postgres: a data folder of its own, gone with the demo.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::config::places;
use crate::domain::Secret;
use crate::store::Store;

const USER: &str = "overheard";
/// Postgres refuses root: root runs it as the first of these that exists.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running server. Dropping it stops the server and removes its folder.
pub(super) struct PrivatePostgres {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    password: String,
    version: String,
    server: Child,
}

impl PrivatePostgres {
    /// Makes a cluster in a new folder and starts it.
    pub(super) async fn start(stop: &CancellationToken) -> anyhow::Result<Self> {
        let installed = places::find(".runtime/postgres", "/usr/lib/overheard/postgres")
            .map_err(|problem| anyhow::anyhow!("Postgres is {problem}; `make demo` fetches it"))?;
        let folder = Folder::new()?;
        let account = account()?;
        if let Some(account) = &account {
            chown(&folder.0, Some(account.uid.as_raw()), Some(account.gid.as_raw()))?;
        }
        let programs = reachable_programs(&installed, &folder.0, account.as_ref()).await?;
        let password = random_hex()?;
        let port = free_port()?;
        initialise(&programs, &folder.0, &password, account.as_ref()).await?;
        let server = command(&programs, "postgres", account.as_ref())
            .arg("-D")
            .arg(folder.0.join("data"))
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", &format!("port={port}"), "-c", "shared_buffers=64MB", "-c", "fsync=off"])
            .current_dir(&folder.0)
            // Ctrl-C is for the demo, which then stops the server in its turn.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.0.join("server.log"))?)
            .kill_on_drop(true)
            .spawn()
            .context("Postgres can't be started")?;
        let folder = folder.keep();
        let mut postgres = Self { folder, programs, port, password, version: String::new(), server };
        tokio::select! {
            answered = postgres.until_it_answers() => answered?,
            () = stop.cancelled() => bail!("Interrupted"),
        }
        Ok(postgres)
    }

    async fn until_it_answers(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < START_LIMIT {
            if let Some(status) = self.server.try_wait()? {
                let log = std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
                bail!("Postgres ended at once ({status}):\n{log}");
            }
            if TcpStream::connect(("127.0.0.1", self.port)).await.is_ok()
                && let Ok(version) = self.ask_version().await
            {
                self.version = version;
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("Postgres did not answer within {START_LIMIT:?}")
    }

    async fn ask_version(&self) -> anyhow::Result<String> {
        let settings = crate::config::Settings::for_demo(&format!("[postgres]\nurl = \"{}\"\n", self.url()))?;
        Ok(Store::connect_lazy(settings.store)?.server_version().await?)
    }

    /// The address with its password.
    pub(super) fn url(&self) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    /// What to type to look inside.
    pub(super) fn psql(&self) -> String {
        format!("{} '{}'", self.programs.join("bin/psql").display(), self.url())
    }

    /// The folder that goes with it.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The port that it listens on.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The server's version.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Stops the server in good order.
    pub(super) async fn stop(mut self) {
        self.signal(Signal::SIGINT);
        let _ = tokio::time::timeout(Duration::from_secs(10), self.server.wait()).await;
    }

    fn signal(&self, signal: Signal) {
        if let Some(id) = self.server.id().and_then(|id| i32::try_from(id).ok()) {
            // It may have ended by itself.
            let _ = kill(Pid::from_raw(id), signal);
        }
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        self.signal(Signal::SIGQUIT);
        let began = Instant::now();
        while matches!(self.server.try_wait(), Ok(None)) && began.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
        remove(&self.folder);
    }
}

/// A new folder that is removed unless it is kept.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("overheard-demo-{}", random_hex()?));
        std::fs::create_dir(&path).with_context(|| format!("{} can't be made", path.display()))?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755))?;
        Ok(Self(path))
    }

    fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            remove(&self.0);
        }
    }
}

fn remove(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder) {
        eprintln!("{} can't be removed: {error}", folder.display());
    }
}

/// Whom Postgres runs as, where the demo runs as root.
fn account() -> anyhow::Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    for name in UNPRIVILEGED {
        if let Some(user) = User::from_name(name)? {
            return Ok(Some(user));
        }
    }
    bail!("Postgres refuses to run as root, and there is no user {}", UNPRIVILEGED.join(" or "))
}

fn command(programs: &Path, name: &str, account: Option<&User>) -> Command {
    let mut command = Command::new(programs.join("bin").join(name));
    if let Some(account) = account {
        command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
    }
    command
}

/// The installed programs, or a copy in the demo's folder where the other user can't reach them:
/// a checkout below /root is closed to everybody else.
async fn reachable_programs(
    installed: &Path,
    folder: &Path,
    account: Option<&User>,
) -> anyhow::Result<PathBuf> {
    let runs = |programs: &Path| {
        let mut probe = command(programs, "postgres", account);
        probe.arg("--version").current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
        async move { probe.status().await.is_ok_and(|status| status.success()) }
    };
    if runs(installed).await {
        return Ok(installed.to_owned());
    }
    let copy = folder.join("programs");
    let copied = Command::new("cp").arg("-r").arg(installed).arg(&copy).status().await?;
    if copied.success() && runs(&copy).await {
        return Ok(copy);
    }
    bail!(
        "{} does not run; remove it and run `make demo` to fetch it again",
        installed.join("bin/postgres").display()
    )
}

async fn initialise(
    programs: &Path,
    folder: &Path,
    password: &str,
    account: Option<&User>,
) -> anyhow::Result<()> {
    let secret = folder.join("password");
    std::fs::write(&secret, Secret::new(password).expose())?;
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600))?;
    if let Some(account) = account {
        chown(&secret, Some(account.uid.as_raw()), Some(account.gid.as_raw()))?;
    }
    let made = command(programs, "initdb", account)
        .arg("-D")
        .arg(folder.join("data"))
        .args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync"])
        .args(["--locale", "C", "--no-instructions"])
        .arg("--pwfile")
        .arg(&secret)
        .current_dir(folder)
        .process_group(0)
        .kill_on_drop(true)
        .output()
        .await
        .context("initdb can't be run")?;
    std::fs::remove_file(&secret)?;
    if !made.status.success() {
        bail!("initdb failed:\n{}", String::from_utf8_lossy(&made.stderr));
    }
    Ok(())
}

fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn random_hex() -> anyhow::Result<String> {
    use std::fmt::Write;
    use std::io::Read;
    let mut bytes = [0u8; 12];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
