"""The way through Docker Compose, with a stand-in for `docker` that writes down what it is asked.

What the containers then do is not tested here: that needs an engine.
"""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

SERVICES = Path(__file__).resolve().parent.parent / "services.py"

DOCKER = """#!/bin/sh
echo "$* KAFKA=$OVERHEARD_KAFKA_PORT POSTGRES=$OVERHEARD_POSTGRES_PORT" >> "{log}"
case "$*" in
  *" up "*) echo "no such image" >&2; exit {up} ;;
  *" ps "*) echo one; echo two ;;
esac
"""


@pytest.fixture
def run(tmp_path):
    """Runs `services.py run -- CMD` with the stand-in; gives the outcome and what docker was asked."""

    def run(up: int, *command: str):
        log, docker = tmp_path / "log", tmp_path / "docker"
        docker.write_text(DOCKER.format(log=log, up=up))
        docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
        environment = {
            **os.environ,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "OVERHEARD_SERVICES": "auto",
            "OVERHEARD_SERVICES_OWN": "1",
        }
        words = [sys.executable, SERVICES, "run", "--", *command]
        outcome = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
        return outcome, log.read_text().splitlines()

    return run


def test_an_engine_that_answers_is_used_and_its_project_removed(run):
    outcome, asked = run(0, "sh", "-c", 'echo "$OVERHEARD_TEST_KAFKA $OVERHEARD_TEST_POSTGRES"; exit 4')
    assert outcome.returncode == 4, outcome.stderr
    kafka, postgres = outcome.stdout.split()
    (up,) = [line for line in asked if " up " in line]
    assert "up --detach --wait kafka postgres" in up
    assert f"KAFKA={kafka.rpartition(':')[2]}" in up
    assert f"POSTGRES={postgres.rpartition(':')[2].partition('/')[0]}" in up
    project = up.split("--project-name ")[1].split()[0]
    assert f"--project-name {project} " in asked[-1]
    assert " down --volumes" in asked[-1]


def test_a_failed_start_says_why_and_removes_what_came_up(run):
    outcome, asked = run(1, "true")
    assert outcome.returncode == 1
    assert "docker compose up failed:\nno such image" in outcome.stderr
    assert " down --volumes" in asked[-1]
