//! A private Postgres with its data in the demo's folder.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::Signal;
use nix::unistd::{User, geteuid};
use overheard::config::{Settings, default_paths};
use overheard::store::Store;
use tokio::net::TcpStream;

use crate::folder::{Folder, random_hex};
use crate::process::Process;

const USER: &str = "demo";
/// Postgres refuses root: root runs it as the first of these that exists.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];
const START_LIMIT: Duration = Duration::from_secs(30);
/// To Postgres, SIGINT means: end connections and shut down in good order. SIGQUIT: exit at once.
const STOP_SIGNALS: [(Signal, Duration); 2] =
    [(Signal::SIGINT, Duration::from_secs(5)), (Signal::SIGQUIT, Duration::from_secs(5))];

/// A running server. Dropping it stops the server, within ten seconds at worst.
pub(crate) struct PrivatePostgres {
    log: PathBuf,
    programs: PathBuf,
    port: u16,
    password: String,
    version: String,
    server: Process,
}

impl PrivatePostgres {
    /// Makes a cluster in the folder and starts it. Cancelled in between, it leaves no process.
    pub(crate) async fn start(folder: &Folder) -> anyhow::Result<Self> {
        let installed = default_paths::find(".runtime/postgres", "/usr/lib/overheard/postgres")
            .map_err(|problem| anyhow::anyhow!("Postgres is {problem}; `make demo` fetches it"))?;
        let folder = folder.path();
        let account = account()?;
        let programs = reachable_programs(&installed, folder, account.as_ref()).await?;
        let password = random_hex(8)?;
        let port = free_port()?;
        initialise(&programs, folder, &password, account.as_ref()).await?;
        let log = folder.join("server.log");
        let mut command = command(&programs, "postgres", account.as_ref());
        command
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", &format!("port={port}"), "-c", "shared_buffers=64MB", "-c", "fsync=off"])
            .current_dir(folder)
            .stderr(File::create(&log)?);
        let server = Process::start(&mut command, &STOP_SIGNALS).context("Postgres can't be started")?;
        let mut postgres = Self { log, programs, port, password, version: String::new(), server };
        postgres.until_it_answers().await?;
        Ok(postgres)
    }

    async fn until_it_answers(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < START_LIMIT {
            if let Some(status) = self.server.has_ended()? {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
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
        let settings =
            Settings::over_defaults("the demo", &format!("[postgres]\nurl = \"{}\"\n", self.url()), [])?;
        Ok(Store::connect_lazy(settings.store)?.server_version().await?)
    }

    /// The address, with its password.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    /// What to type to look inside.
    pub(crate) fn psql(&self) -> String {
        let program = self.programs.join("bin/psql");
        let here = std::env::current_dir().unwrap_or_default();
        format!("{} {}", program.strip_prefix(here).unwrap_or(&program).display(), self.url())
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The server's version.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }
}

/// The user that runs Postgres where the demo runs as root.
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

/// The installed programs, or a copy of them in the demo's folder where the user that runs Postgres
/// can't reach them: a checkout below /root is closed to everybody else.
async fn reachable_programs(
    installed: &Path,
    folder: &Path,
    account: Option<&User>,
) -> anyhow::Result<PathBuf> {
    let log = folder.join("programs.log");
    let succeeds = async |command: &mut Command| -> anyhow::Result<bool> {
        match Process::start(command.stderr(File::create(&log)?), &[]) {
            Ok(process) => Ok(process.end().await?.success()),
            Err(_) => Ok(false),
        }
    };
    let run = |programs: &Path| {
        let mut probe = command(programs, "postgres", account);
        probe.arg("--version").current_dir("/");
        probe
    };
    if succeeds(&mut run(installed)).await? {
        return Ok(installed.to_owned());
    }
    let copy = folder.join("programs");
    let copied = succeeds(Command::new("cp").arg("-r").arg(installed).arg(&copy)).await?;
    if copied && succeeds(&mut run(&copy)).await? {
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
    let data = folder.join("data");
    let secret = folder.join("password");
    let log = folder.join("initdb.log");
    std::fs::create_dir(&data)?;
    File::options().write(true).create_new(true).mode(0o600).open(&secret)?.write_all(password.as_bytes())?;
    if let Some(account) = account {
        for path in [&data, &secret] {
            chown(path, Some(account.uid.as_raw()), Some(account.gid.as_raw()))?;
        }
    }
    let mut command = command(programs, "initdb", account);
    command
        .arg("-D")
        .arg(&data)
        .args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync"])
        .args(["--locale", "C", "--no-instructions"])
        .arg("--pwfile")
        .arg(&secret)
        .current_dir(folder)
        .stderr(File::create(&log)?);
    let made = Process::start(&mut command, &[]).context("initdb can't be run")?.end().await?;
    std::fs::remove_file(&secret)?;
    if !made.success() {
        bail!("initdb failed:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
    }
    Ok(())
}

fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
