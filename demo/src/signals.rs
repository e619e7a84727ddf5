//! Signals: each of them means "clean up and end", however often it comes.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that the first SIGINT, SIGTERM, SIGHUP or SIGQUIT cancels. Later signals are ignored:
/// cleaning up has its own time limits, and cut short it would leave a server behind.
pub(crate) fn cancel_on_signals() -> anyhow::Result<CancellationToken> {
    let mut interrupt = handle(SignalKind::interrupt())?;
    let mut terminate = handle(SignalKind::terminate())?;
    let mut quit = handle(SignalKind::quit())?;
    let mut hang_up = if ignores_hang_up() { None } else { Some(handle(SignalKind::hangup())?) };
    let token = CancellationToken::new();
    let interrupted = token.clone();
    tokio::spawn(async move {
        let gone = async {
            match &mut hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
            _ = quit.recv() => (),
            _ = gone => (),
        }
        interrupted.cancel();
    });
    Ok(token)
}

/// From here on the signal has no default effect, whether somebody waits for it or not.
fn handle(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("Signals can't be watched")
}

/// Whether whoever started this process made it ignore SIGHUP, as `nohup` does.
fn ignores_hang_up() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignored(&status, nix::libc::SIGHUP))
}

/// Whether a process with this `/proc/PID/status` ignores a signal.
fn ignored(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        let status = "Name:\toverheard\nSigBlk:\t0000000000000003\nSigIgn:\t0000000000001001\n";
        assert!(ignored(status, 1));
        assert!(!ignored(status, 2));
        assert!(ignored(status, 13));
        assert!(!ignored("", 1));
    }
}
