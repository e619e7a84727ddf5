//! Programs that the demo starts: in process groups of their own, so that Ctrl-C reaches only the
//! demo, and stopped when they are dropped.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

const POLL_EVERY: Duration = Duration::from_millis(20);

/// A running program.
pub(crate) struct Process {
    child: Child,
    /// Signals that ask it to end, each with the time it has for it. SIGKILL comes after them.
    stop_signals: &'static [(Signal, Duration)],
}

impl Process {
    /// Starts it without input, and without output unless `command` says where to write.
    pub(crate) fn start(
        command: &mut Command,
        stop_signals: &'static [(Signal, Duration)],
    ) -> io::Result<Self> {
        let child = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        Ok(Self { child, stop_signals })
    }

    /// Whether it has ended, and how.
    pub(crate) fn has_ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits until it ends by itself.
    pub(crate) async fn end(mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.has_ended()? {
                return Ok(status);
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
    }

    fn ends_within(&mut self, limit: Duration) -> bool {
        let began = Instant::now();
        while let Ok(None) = self.has_ended() {
            if began.elapsed() > limit {
                return false;
            }
            std::thread::sleep(POLL_EVERY);
        }
        true
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Ok(None) = self.has_ended() else { return };
        let Ok(id) = i32::try_from(self.child.id()).map(Pid::from_raw) else { return };
        for (signal, limit) in self.stop_signals {
            // It may just have ended by itself.
            let _ = kill(id, *signal);
            if self.ends_within(*limit) {
                return;
            }
        }
        let _ = killpg(id, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: [(Signal, Duration); 1] = [(Signal::SIGINT, Duration::from_millis(100))];

    #[test]
    fn a_program_that_does_not_listen_is_killed_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let started = folder.path().join("started");
        let script = "trap '' INT; sleep 600 & echo $! > started.new; mv started.new started; wait";
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(folder.path());
        let process = Process::start(&mut command, &SHORT).unwrap();
        while !started.exists() {
            std::thread::sleep(POLL_EVERY);
        }
        let inner: i32 = std::fs::read_to_string(started).unwrap().trim().parse().unwrap();
        drop(process);
        // Nobody may be there to reap it: a zombie is as good as gone.
        let stat = || std::fs::read_to_string(format!("/proc/{inner}/stat")).unwrap_or_default();
        let began = Instant::now();
        while !(stat().is_empty() || stat().contains(") Z ")) {
            assert!(began.elapsed() < Duration::from_secs(5), "{}", stat());
            std::thread::sleep(POLL_EVERY);
        }
    }
}
