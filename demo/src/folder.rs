//! The demo's folder: removed at its end, or, if the demo was killed, by the next one.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

const PREFIX: &str = "overheard-demo-";
/// Locked for as long as the demo runs: the kernel releases it however the process ends.
const LOCK: &str = "lock";
const SERVER_LIMIT: Duration = Duration::from_secs(5);

/// A new folder, removed when dropped.
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes and locks a folder that others may enter, since the server may run as another user.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let name = random_hex(4)?;
        // Renamed only when it is locked, so that no other demo takes it for abandoned.
        let unlocked = std::env::temp_dir().join(format!("overheard-new-demo-{name}"));
        let path = std::env::temp_dir().join(format!("{PREFIX}{name}"));
        std::fs::create_dir(&unlocked).with_context(|| format!("{} can't be made", unlocked.display()))?;
        let locked = (|| {
            std::fs::set_permissions(&unlocked, PermissionsExt::from_mode(0o755))?;
            let lock = File::create_new(unlocked.join(LOCK))?;
            lock.lock()?;
            std::fs::rename(&unlocked, &path)?;
            std::io::Result::Ok(lock)
        })();
        let lock = locked.inspect_err(|_| remove(&unlocked)).context("The demo's folder can't be made")?;
        Ok(Self { path, _lock: lock })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes the folders of this user's demos that were killed, and stops the servers in them. Returns
/// what it removed.
pub(crate) fn remove_abandoned() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return Vec::new() };
    let folders = entries.filter_map(Result::ok).filter(|entry| {
        entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|about| about.is_dir() && about.uid() == geteuid().as_raw())
    });
    folders.map(|entry| entry.path()).filter(|folder| remove_if_abandoned(folder)).collect()
}

fn remove_if_abandoned(folder: &Path) -> bool {
    let Ok(lock) = File::open(folder.join(LOCK)) else { return false };
    if let Err(TryLockError::WouldBlock | TryLockError::Error(_)) = lock.try_lock() {
        return false;
    }
    stop_servers(folder);
    remove(folder);
    true
}

/// Kills the servers that work in a folder. One that can't be found (another user's, in a container
/// without the right to look) ends by itself within a minute after its folder is gone.
fn stop_servers(folder: &Path) {
    for signal in [Signal::SIGQUIT, Signal::SIGKILL] {
        let began = Instant::now();
        for process in servers(folder) {
            let _ = kill(process, signal);
        }
        while !servers(folder).is_empty() && began.elapsed() < SERVER_LIMIT {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Processes of Postgres that work in this folder.
fn servers(folder: &Path) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let processes = processes.filter_map(Result::ok).filter_map(|entry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let program = std::fs::read_link(entry.path().join("exe")).ok()?;
        let inside = std::fs::read_link(entry.path().join("cwd")).ok()?.starts_with(folder);
        let name = program.file_name()?.to_str()?;
        (inside && ["postgres", "initdb"].contains(&name)).then_some(Pid::from_raw(id))
    });
    processes.collect()
}

/// Removes a folder, trying again while a process that was just killed still writes to it.
fn remove(folder: &Path) {
    for attempt in 1.. {
        match std::fs::remove_dir_all(folder) {
            Ok(()) => return,
            Err(error) if error.kind() == ErrorKind::NotFound && !folder.exists() => return,
            Err(_) if attempt < 50 => std::thread::sleep(Duration::from_millis(40)),
            Err(error) => {
                // Not eprintln: it panics when the terminal is gone.
                let _ = writeln!(std::io::stderr(), "{} can't be removed: {error}", folder.display());
                return;
            }
        }
    }
}

/// Random bytes in hexadecimal.
pub(crate) fn random_hex(bytes: usize) -> anyhow::Result<String> {
    let mut random = vec![0u8; bytes];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(hex::encode(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_without_its_demo_is_abandoned() {
        let folder = Folder::new().unwrap();
        let path = folder.path().to_owned();
        assert!(!remove_if_abandoned(&path), "its demo runs");
        assert!(path.exists());
        drop(folder);
        assert!(!path.exists());

        std::fs::create_dir(&path).unwrap();
        assert!(!remove_if_abandoned(&path), "without a lock it may be anybody's");
        File::create(path.join(LOCK)).unwrap();
        assert!(remove_if_abandoned(&path));
        assert!(!path.exists());
    }
}
