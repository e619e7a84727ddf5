#!/usr/bin/env python3
"""Real Kafka and real Postgres for development and tests.

    scripts/services.py up             start both and leave them running
    scripts/services.py status         say what runs
    scripts/services.py down           stop them and remove their data
    scripts/services.py run -- CMD     run CMD with both, then stop them

`up` writes their addresses to `.runtime/services/services.env`; `run` puts the same variables into
CMD's environment. `run` takes the servers that `up` started if there are any, and otherwise starts
its own, which end with CMD, with an error and with Ctrl-C. CMD's standard input is empty.

With Docker Compose where an engine answers, else natively, in the same versions either way.
OVERHEARD_SERVICES=native or =compose decides it; OVERHEARD_SERVICES_OWN=1 makes `run` start its own.
"""

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import sys
import time
from pathlib import Path

import compose_servers
import fetch
import kafka_server
import postgres_server
from prerequisites import Missing
from processes import Stopped, identity, ignore_signals, is_alive, raise_on_signals, run_in_group

FOLDER = fetch.RUNTIME / "services"
SERVERS = {"kafka": kafka_server, "postgres": postgres_server, "compose": compose_servers}
FAILURES = (
    Missing,
    fetch.FetchError,
    kafka_server.KafkaFailed,
    postgres_server.PostgresFailed,
    compose_servers.ComposeFailed,
)


def say(text: str) -> None:
    print(f"services: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def locked():
    """One `up`, `down` or sweep at a time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def load(folder: Path) -> "dict | None":
    try:
        return json.loads((folder / "state.json").read_text())
    except (OSError, ValueError):
        return None


def save(folder: Path, state: dict) -> None:
    fresh = folder / "state.json.new"
    fresh.write_text(json.dumps(state, indent=2) + "\n")
    fresh.chmod(0o600)
    fresh.rename(folder / "state.json")


def module_of(server: dict):
    """The module that checks and stops a server."""
    return compose_servers if "project" in server else SERVERS[server["name"]]


def variables(state: dict) -> dict:
    servers = {server["name"]: server for server in state["servers"]}
    return {
        "OVERHEARD_TEST_KAFKA": servers["kafka"]["address"],
        "OVERHEARD_TEST_POSTGRES": servers["postgres"]["url"],
    }


def is_up(state: "dict | None") -> bool:
    return bool(state) and state["complete"] and all(module_of(server).is_up(server) for server in state["servers"])


def wants_compose() -> bool:
    chosen = os.environ.get("OVERHEARD_SERVICES", "auto")
    return compose_servers.engine_answers() if chosen == "auto" else chosen == "compose"


def start(folder: Path, owner: "dict | None") -> dict:
    """Starts both servers with their data below `folder`.

    The state is written after each one, so that whoever comes next finds what a killed start left.
    """
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    state = {"owner": owner, "servers": [], "complete": False}
    try:
        if wants_compose():
            say("starting Kafka and Postgres with Docker Compose")
            state["servers"] = compose_servers.up()
        else:
            for module in (postgres_server, kafka_server):
                name = module.__name__.partition("_")[0]
                say(f"starting {name} (log in {folder / name / 'server.log'})")
                state["servers"].append(module.up(folder / name))
                save(folder, state)
        state["complete"] = True
        save(folder, state)
        addresses = folder / "services.env"
        addresses.write_text("".join(f"{name}={value}\n" for name, value in variables(state).items()))
        addresses.chmod(0o600)
    except BaseException:
        remove(folder, state)
        raise
    kafka, postgres = variables(state).values()
    say(f"up in {time.monotonic() - began:.1f} s: Kafka at {kafka}, Postgres at {postgres}")
    return state


def remove(folder: Path, state: "dict | None") -> None:
    """Stops what `state` names, last first, and removes its files."""
    for server in reversed(state["servers"] if state else []):
        with contextlib.suppress(OSError):
            module_of(server).down(server)
    for name in ("kafka", "postgres", "state.json", "state.json.new", "services.env"):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if folder != FOLDER:
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Stops servers whose `run` was killed before it could, and forgets dead ones of `up`."""
    for folder in FOLDER.glob("run-*"):
        state = load(folder)
        owner = state["owner"] if state else identity(int(folder.name.partition("-")[2]))
        if not is_alive(owner):
            say(f"removing what a killed run left in {folder}")
            remove(folder, state)
    state = load(FOLDER)
    if state and not is_up(state):
        say("the servers of an earlier `up` are not healthy any more: removing them")
        remove(FOLDER, state)


def up() -> int:
    with locked():
        sweep()
        state = load(FOLDER)
        if state:
            kafka, postgres = variables(state).values()
            say(f"already up: Kafka at {kafka}, Postgres at {postgres}")
        else:
            start(FOLDER, owner=None)
    say(f"addresses are in {FOLDER / 'services.env'}; stop with: make services-down")
    return 0


def down() -> int:
    with locked():
        state = load(FOLDER)
        remove(FOLDER, state)
        sweep()
    say("stopped" if state else "nothing was up")
    return 0


def status() -> int:
    state = load(FOLDER)
    if not state:
        say("down")
        return 3
    for server in state["servers"]:
        at = server.get("address") or server.get("url") or server.get("project")
        say(f"{server['name']}: {'up' if module_of(server).is_up(server) else 'not answering'}, {at}")
    return 0 if is_up(state) else 1


@contextlib.contextmanager
def running():
    """Both servers for the time of a `with` block; gives the variables that name them."""
    folder = FOLDER / f"run-{os.getpid()}"
    with locked():
        sweep()
        theirs = None if os.environ.get("OVERHEARD_SERVICES_OWN") else load(FOLDER)
        state = theirs or start(folder, identity(os.getpid()))
    if theirs:
        say("using the servers that are up")
    try:
        yield variables(state)
    finally:
        ignore_signals()
        if not theirs:
            remove(folder, state)
            say("stopped")


def run(command: list) -> int:
    with running() as addresses:
        return run_in_group(command, env={**os.environ, **addresses})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["up", "down", "status", "run"])
    parser.add_argument("command", nargs=argparse.REMAINDER, help="after --, for run")
    arguments = parser.parse_args()
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if (arguments.action == "run") != bool(command):
        parser.error("`run` needs a command after --, the others take none")
    raise_on_signals()
    try:
        return run(command) if arguments.action == "run" else globals()[arguments.action]()
    except FAILURES as failure:
        say(str(failure))
        return 1
    except FileNotFoundError as missing:
        say(f"no such command or file: {missing.filename}")
        return 127
    except Stopped as stopped:
        return stopped.exit_code


if __name__ == "__main__":
    sys.exit(main())
