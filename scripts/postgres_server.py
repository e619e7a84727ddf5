"""A real Postgres for development and tests, in a data folder of its own."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import fetch
from processes import free_port, gone, is_alive, spawn, stop, tail

USER = "overheard"
# Postgres refuses to run as root, so root runs it as the first of these that exists.
UNPRIVILEGED = ("postgres", "nobody")

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # No socket file: its folder would have to be writable, and its path short.
    "unix_socket_directories": "",
    # Tests run in parallel, each with pools of its own.
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %d ",
}


class PostgresFailed(Exception):
    """The server did not come up; the message holds the end of its log."""


def unprivileged() -> dict:
    """The options for `subprocess` that make a command run as somebody Postgres accepts."""
    if os.geteuid() != 0:
        return {}
    for name in UNPRIVILEGED:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise PostgresFailed(f"Postgres can't run as root, and there is no user {' or '.join(UNPRIVILEGED)}")


def reachable(program: Path, account: dict) -> bool:
    """Whether that user can run it: a checkout below /root, say, is closed to everybody else."""
    try:
        return subprocess.run([program, "--version"], capture_output=True, cwd="/", **account).returncode == 0
    except OSError:
        return False


def up(folder: Path, deadline: float = 30.0, settings: "dict | None" = None) -> dict:
    """Starts a server with its data below `folder`; returns its URL, process and folders.

    `settings` are laid over those that suit tests.
    """
    install = fetch.fetch("postgres")
    account = unprivileged()
    folder.mkdir(parents=True, exist_ok=True)
    home, outside = folder, None
    if not reachable(install / "bin" / "postgres", account):
        outside = Path(tempfile.mkdtemp(prefix="overheard-postgres-"))
        home, install = outside, shutil.copytree(install, outside / "install")
        outside.chmod(0o755)
    try:
        return start(install, home, folder, account, deadline, outside, {**SETTINGS, **(settings or {})})
    except BaseException:
        if outside:
            shutil.rmtree(outside, ignore_errors=True)
        raise


def start(install: Path, home: Path, folder: Path, account: dict, deadline: float, outside, chosen: dict) -> dict:
    data, log, password = home / "data", folder / "server.log", secrets.token_hex(12)
    data.mkdir(mode=0o700)
    if account:
        os.chown(data, account["user"], account["group"])
    initialise(install, data, password, account)
    for _attempt in range(3):
        port = free_port()
        settings = [f"--{name}={value}" for name, value in {**chosen, "port": str(port)}.items()]
        process = spawn([str(install / "bin" / "postgres"), "-D", str(data), *settings], log, cwd=str(data), **account)
        server = {
            "name": "postgres",
            "url": f"postgres://{USER}:{password}@127.0.0.1:{port}/postgres",
            "process": process,
            "log": str(log),
            "outside": str(outside) if outside else None,
        }
        try:
            until = time.monotonic() + deadline
            while time.monotonic() < until and not gone(process):
                if answers(server):
                    return server
                time.sleep(0.1)
        except BaseException:
            down(server)
            raise
        stop(process, signal.SIGQUIT, 5.0)
        if "Address already in use" not in log.read_text(errors="replace"):
            break
    raise PostgresFailed(f"Postgres did not start; the end of {log}:\n{tail(log)}")


def initialise(install: Path, data: Path, password: str, account: dict) -> None:
    """Makes an empty cluster whose superuser needs a password: the port is open to every local user."""
    file = data.with_name("password")
    file.touch(mode=0o600)
    file.write_text(password + "\n")
    if account:
        os.chown(file, account["user"], account["group"])
    made = subprocess.run(
        [install / "bin" / "initdb", "-D", data, "--username", USER, "--auth", "scram-sha-256"]
        + ["--pwfile", file, "--encoding", "UTF8", "--no-instructions"]
        + ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=data,
        check=False,
        **account,
    )
    file.unlink()
    if made.returncode != 0:
        raise PostgresFailed(f"Postgres' data folder could not be made:\n{made.stdout}{made.stderr}")


def answers(server: dict) -> bool:
    """Whether a query gets its answer."""
    psql = fetch.RUNTIME / "postgres" / "bin" / "psql"
    asked = subprocess.run(
        [psql, "--no-psqlrc", "-qAt", "-c", "SELECT 1", server["url"]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "PGCONNECT_TIMEOUT": "2"},
        check=False,
    )
    return asked.stdout.strip() == "1"


def is_up(server: dict) -> bool:
    return is_alive(server["process"]) and answers(server)


def down(server: dict) -> None:
    # SIGINT is Postgres' fast shutdown: it ends open sessions instead of waiting for them.
    stop(server["process"], signal.SIGINT, deadline=10.0)
    if server.get("outside"):
        shutil.rmtree(server["outside"], ignore_errors=True)
