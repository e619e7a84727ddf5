"""Real servers come up, answer, and are gone afterwards, whatever happens in between."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import processes
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SERVICES = ROOT / "scripts" / "services.py"


def servers_of(runner: int) -> list:
    """Ids of the server processes whose command line names that runner's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"/run-{runner}/".encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def start(*command: str) -> subprocess.Popen:
    """`services.py run` with servers of its own, whether or not a developer's are up."""
    environment = {**os.environ, "OVERHEARD_SERVICES": "native", "OVERHEARD_SERVICES_OWN": "1"}
    return subprocess.Popen(
        [sys.executable, SERVICES, "run", "--", *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def folder_of(runner: int) -> Path:
    return ROOT / ".runtime" / "services" / f"run-{runner}"


def test_the_command_sees_both_servers_and_its_exit_code_is_ours():
    psql = ROOT / ".runtime" / "postgres" / "bin" / "psql"
    script = (
        f'{psql} -qAt "$OVERHEARD_TEST_POSTGRES" -c "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"; '
        'echo "$OVERHEARD_TEST_KAFKA"; exit 7'
    )
    runner = start("sh", "-c", script)
    output, errors = runner.communicate(timeout=120)
    assert runner.returncode == 7, errors
    superuser, kafka = output.split()
    assert superuser == "t"
    assert kafka.startswith("127.0.0.1:")
    assert servers_of(runner.pid) == []
    assert not folder_of(runner.pid).exists()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_command_and_leaves_no_process(signum, tmp_path):
    ready, seen = tmp_path / "ready", tmp_path / "seen"
    script = f'trap "touch {seen}; exit 0" INT TERM; touch {ready}; while :; do sleep 0.1; done'
    runner = start("sh", "-c", script)
    until = time.monotonic() + 120
    while not ready.exists() and runner.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    assert ready.exists()
    assert len(servers_of(runner.pid)) >= 2
    runner.send_signal(signum)
    runner.communicate(timeout=60)
    assert runner.returncode == 128 + signum
    assert seen.exists()
    assert servers_of(runner.pid) == []
    assert not folder_of(runner.pid).exists()


def test_a_killed_run_is_cleaned_up_by_the_next(tmp_path):
    ready = tmp_path / "ready"
    runner = start("sh", "-c", f"touch {ready}; while kill -0 $PPID 2>/dev/null; do sleep 0.1; done")
    until = time.monotonic() + 120
    while not ready.exists() and runner.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    assert ready.exists()
    left = servers_of(runner.pid)
    runner.kill()
    runner.wait(timeout=60)
    assert left and servers_of(runner.pid) == left
    following = start("true")
    following.communicate(timeout=120)
    assert following.returncode == 0
    assert servers_of(runner.pid) == []
    assert not folder_of(runner.pid).exists()


def test_a_process_id_that_was_used_again_is_not_ours():
    ours = processes.identity(os.getpid())
    assert processes.is_alive(ours)
    assert not processes.is_alive({**ours, "started": "1"})
    assert not processes.is_alive({"pid": 2**22 + 1, "started": None})
