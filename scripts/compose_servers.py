"""The same two servers from docker-compose.yml, where a Docker engine answers."""

import os
import secrets
import shutil
import subprocess

import fetch
from processes import free_port

FILE = fetch.ROOT / "docker-compose.yml"


class ComposeFailed(Exception):
    """Docker Compose did not bring the servers up; the message holds what it said."""


def engine_answers() -> bool:
    """Whether both the engine and the compose plugin are there: the client alone is not enough."""
    if not shutil.which("docker"):
        return False
    for command in (["docker", "info", "--format", "{{.ServerVersion}}"], ["docker", "compose", "version"]):
        try:
            said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
        except subprocess.TimeoutExpired:
            return False
        if said.returncode != 0:
            return False
    return True


def compose(project: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["docker", "compose", "--project-name", project, "--file", str(FILE), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        check=False,
    )


def up() -> list:
    """Starts both on free ports under a project name of their own and waits until both are healthy."""
    project = f"overheard-test-{secrets.token_hex(4)}"
    kafka, postgres, password = free_port(), free_port(), secrets.token_hex(12)
    server = {"name": "compose", "project": project}
    try:
        done = compose(
            project,
            *("up", "--detach", "--wait", "kafka", "postgres"),
            OVERHEARD_KAFKA_PORT=str(kafka),
            OVERHEARD_POSTGRES_PORT=str(postgres),
            OVERHEARD_POSTGRES_ADMIN_PASSWORD=password,
        )
        if done.returncode != 0:
            logs = compose(project, "logs", "--tail", "25").stdout
            raise ComposeFailed(f"docker compose up failed:\n{done.stderr}{logs}")
    except BaseException:
        down(server)
        raise
    return [
        server,
        {"name": "kafka", "address": f"127.0.0.1:{kafka}", "project": project},
        {
            "name": "postgres",
            "url": f"postgres://postgres:{password}@127.0.0.1:{postgres}/postgres",
            "project": project,
        },
    ]


def is_up(server: dict) -> bool:
    running = compose(server["project"], "ps", "--quiet", "--status", "running").stdout.split()
    return len(running) >= 2


def down(server: dict) -> None:
    compose(server["project"], "down", "--volumes", "--timeout", "10")
