"""Server processes: started in process groups of their own, identified by process id and start time,
stopped with a deadline."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path


class Stopped(BaseException):
    """A signal asked this program to stop. Not an `Exception`: only cleanup may intercept it."""

    def __init__(self, signum: int):
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        self.signum = signum
        self.exit_code = 128 + signum


STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def raise_on_signals() -> None:
    """Turns the first stop signal into `Stopped` and ignores later ones."""

    def stop(signum, _frame):
        ignore_signals()
        raise Stopped(signum)

    for each in STOP_SIGNALS:
        signal.signal(each, stop)


def ignore_signals() -> None:
    """Cleaning up has deadlines of its own and must not be cut short."""
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)


def start_time(pid: int) -> "str | None":
    """When `pid` began, in clock ticks since boot; None when it does not run (any more)."""
    try:
        # The name in parentheses may hold spaces, so count from the last one.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, started = fields[0], fields[19]
    return None if state in "ZX" else started


def identity(pid: int) -> dict:
    """Process id and start time: a later process with the same id has another start time."""
    return {"pid": pid, "started": start_time(pid)}


def is_alive(process: dict) -> bool:
    return process["started"] is not None and start_time(process["pid"]) == process["started"]


def spawn(command: list, log: Path, **options) -> dict:
    """Starts a server that outlives this program, in a session of its own, its output in `log`."""
    with log.open("ab") as sink:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True, **options
        )
    # Popen must not warn that it is still running; `gone` reaps it after its end.
    child.returncode = 0
    return identity(child.pid)


def gone(process: dict) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process["pid"], os.WNOHANG)
    return not is_alive(process)


def stop(process: dict, with_signal: int = signal.SIGTERM, deadline: float = 15.0) -> None:
    """Asks a server's group to stop, and kills it after `deadline` seconds."""
    if not is_alive(process):
        return
    for signum, seconds in ((with_signal, deadline), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process["pid"], signum)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if gone(process):
                break
            time.sleep(0.05)
    # A child of the server may have outlived it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process["pid"], signal.SIGKILL)


def run_in_group(command: list, grace: float = 30.0, **options) -> int:
    """Runs a command in a group of its own and returns its exit code as a shell would.

    A stop signal is passed on once, to the whole group (a terminal's Ctrl-C does not reach it by
    itself), then the group has `grace` seconds. Nothing of the group is left afterwards.
    """
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        code = child.wait()
        return code if code >= 0 else 128 - code
    except Stopped as stopped:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, stopped.signum)
            # For all of them: the first may end while another still stops servers of its own.
            until = time.monotonic() + grace
            while time.monotonic() < until:
                child.poll()
                os.killpg(child.pid, 0)
                time.sleep(0.05)
        raise
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on.

    Below the range that outgoing connections take theirs from, so that none of those takes it
    before the server does.
    """
    for _ in range(200):
        port = random.randint(15000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("found no free port on 127.0.0.1 between 15000 and 32000")


def tail(log: Path, lines: int = 25) -> str:
    """The end of a server's log, for an error message."""
    if not log.is_file():
        return "  (no log)"
    return "\n".join("  " + line for line in log.read_text(errors="replace").splitlines()[-lines:])
