"""The steps of `make test`, in the order they run: quick ones first."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fetch
import pins
import services
from prerequisites import need
from processes import run_in_group

ROOT = fetch.ROOT
TOOLS = fetch.RUNTIME / "tools" / "bin"
UNITS = [ROOT / "deploy" / name for name in ("overheard.service", "overheard-ingest@.service")]
TRAINING_PROJECT = ROOT / "training" / "pyproject.toml"
SCRIPT_REQUIREMENTS = ROOT / "scripts" / "tests" / "requirements.txt"
# What `cargo test` builds and the tests start.
TEST_BINARY = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "overheard"


class Failed(Exception):
    """The step found something wrong; its output is above."""


class Skipped(Exception):
    """The step cannot run on this machine; the message says what is missing."""


@dataclass(frozen=True)
class Step:
    """`run` returns a remark for the table or nothing, and raises `Failed` or `Skipped`."""

    name: str
    group: str
    title: str
    run: Callable[[], "str | None"]


def call(*command: object, **environment: str) -> None:
    """Runs a command in the checkout, its output as it comes."""
    words = [str(word) for word in command]
    print("$", " ".join([f"{name}={value}" for name, value in environment.items()] + words), flush=True)
    code = run_in_group(words, cwd=ROOT, env={**os.environ, **environment})
    if code != 0:
        raise Failed(f"exit code {code}")


def succeeds(*command: object, seconds: float = 120) -> bool:
    """Whether a probing command works; its output is of no interest."""
    try:
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.run([str(word) for word in command], cwd=ROOT, timeout=seconds, **quiet).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def installed(program: str) -> "str | None":
    """A program of the machine's own, or one that a step built before."""
    return shutil.which(program) or shutil.which(program, path=str(TOOLS))


def formatting() -> None:
    call("cargo", "fmt", "--all", "--check")


def clippy() -> None:
    call("cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings")


def documentation() -> None:
    call("cargo", "doc", "--workspace", "--no-deps", "--locked", RUSTDOCFLAGS="-D warnings")


def dependencies() -> "str | None":
    """Licences, bans and sources always; advisories where their database can be had."""
    if not installed("cargo-deny"):
        if os.environ.get("OVERHEARD_DENY") == "skip":
            raise Skipped("cargo-deny is not installed, and OVERHEARD_DENY=skip says not to")
        # Unoptimised: it runs once, and building it is what takes the time.
        how = ("--quiet", "--locked", "--debug", "--root", TOOLS.parent)
        call("cargo", "install", *how, "--version", pins.CARGO_DENY, "cargo-deny")
    deny = installed("cargo-deny")
    if succeeds(deny, "--locked", "fetch", "db"):
        call(deny, "--locked", "--workspace", "check", "--disable-fetch")
        return None
    call(deny, "--locked", "--workspace", "check", "bans", "licenses", "sources")
    return "ADVISORIES NOT CHECKED: their database can't be fetched from here"


def rust_tests() -> None:
    """On real servers; the demo's tests start a Postgres of their own from the same folder."""
    fetch.fetch("onnxruntime")
    fetch.fetch("postgres")
    # Built before the servers start, so that a build failure is seen first and nothing idles.
    call("cargo", "test", "--workspace", "--locked", "--no-run")
    with services.running() as addresses:
        call("cargo", "test", "--workspace", "--locked", "--no-fail-fast", **addresses)


def python(requirements: Path, extra: str = "") -> Path:
    """A Python with `requirements`, a list of them or a pyproject.toml with an `extra`, in an environment made anew when they change."""
    need("venv")
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    name = "-".join(requirements.parent.relative_to(ROOT).parts)
    folder = fetch.RUNTIME / "python" / (f"{name}-{extra}" if extra else name)
    stamp, program = folder / "overheard-requirements", folder / "bin" / "python"
    if not stamp.is_file() or stamp.read_text() != wanted:
        call(sys.executable, "-m", "venv", "--clear", folder)
        quiet = ("--quiet", "--disable-pip-version-check")
        wanted_packages = (f"{requirements.parent}[{extra}]",) if extra else ("--requirement", requirements)
        call(program, "-m", "pip", "install", *quiet, *wanted_packages)
        stamp.write_text(wanted)
    return program


def training_lint() -> None:
    call(python(TRAINING_PROJECT, "lint").with_name("ruff"), "check", "--config", TRAINING_PROJECT, "training")


def training_tests() -> None:
    call(python(TRAINING_PROJECT, "test"), "-m", "pytest", "-q", "training/tests")


def script_tests() -> None:
    call(python(SCRIPT_REQUIREMENTS), "-m", "pytest", "-q", "scripts/tests")


def compose_file() -> "str | None":
    """With the plugin of the machine's own, else with the same program built from source."""
    file = ROOT / "docker-compose.yml"
    if succeeds("docker", "compose", "version"):
        call("docker", "compose", "--file", file, "config", "--quiet")
        return None
    program, (package, version) = TOOLS / "docker-compose", pins.COMPOSE
    if not program.is_file():
        if not shutil.which("go"):
            raise Skipped("neither the docker compose plugin nor go is installed")
        with tempfile.TemporaryDirectory() as scratch:
            call("go", "install", f"{package}@{version}", GOBIN=scratch)
            TOOLS.mkdir(parents=True, exist_ok=True)
            shutil.move(str(Path(scratch, "cmd")), str(program))
    call(program, "--file", file, "config", "--quiet")
    return f"checked by Docker Compose {version} built from source: the plugin is not installed"


def dockerfile() -> None:
    """Only linted: a build needs an engine."""
    linter = installed("hadolint") or python(SCRIPT_REQUIREMENTS).with_name("hadolint")
    if not Path(linter).is_file():
        raise Skipped("hadolint is not installed, and there is no wheel of it for this machine")
    # DL3008 wants versions of Debian's packages pinned, which would keep security fixes out.
    call(linter, "--ignore", "DL3008", ROOT / "deploy" / "Dockerfile")


def monitoring() -> "str | None":
    """What Prometheus and Alertmanager are given, as their own tools read it."""
    promtool, amtool = shutil.which("promtool"), shutil.which("amtool")
    if not promtool:
        raise Skipped("promtool is not installed: THE RULES IN deploy/prometheus WERE NOT TESTED (apt install prometheus)")
    folder = ROOT / "deploy" / "prometheus"
    call(promtool, "check", "config", folder / "prometheus.yml")
    call(promtool, "test", "rules", folder / "rules_test.yml")
    if not amtool:
        return "ALERTMANAGER'S FILE NOT CHECKED: amtool is not installed (apt install prometheus-alertmanager)"
    call(amtool, "check-config", ROOT / "deploy" / "alertmanager" / "alertmanager.yml")
    return None


def unit_file() -> "str | None":
    """Verifies copies of the units that start the binary built here: `verify` looks for the program."""
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        raise Skipped("systemd-analyze is not installed")
    if not TEST_BINARY.is_file():
        raise Skipped(f"there is no {TEST_BINARY}: run the step rust-tests first")
    with tempfile.TemporaryDirectory() as scratch:
        for unit in UNITS:
            copy = Path(scratch, unit.name.replace("@.", "@bluesky."))
            lines = unit.read_text().splitlines(keepends=True)
            starts = [line for line in lines if line.startswith("ExecStart=")]
            if not starts:
                raise Failed(f"{unit.name} has no ExecStart=")
            installed_binary = starts[0].removeprefix("ExecStart=").split()[0]
            copy.write_text("".join(lines).replace(installed_binary, str(TEST_BINARY)))
            call(analyze, "verify", "--man=no", copy)
    return None


STEPS = [
    Step("formatting", "lint", "Formatting (cargo fmt)", formatting),
    Step("script-tests", "scripts", "Tests of scripts/", script_tests),
    Step("compose-file", "deploy", "docker-compose.yml", compose_file),
    Step("dockerfile", "deploy", "deploy/Dockerfile", dockerfile),
    Step("monitoring", "deploy", "Rules for Prometheus, and its and Alertmanager's files", monitoring),
    Step("training-lint", "lint", "Lints of training/ (ruff)", training_lint),
    Step("clippy", "lint", "Lints (cargo clippy)", clippy),
    Step("documentation", "lint", "Documentation (cargo doc)", documentation),
    Step("dependencies", "lint", "Dependencies (cargo deny)", dependencies),
    Step("training-tests", "python", "Tests of training/", training_tests),
    Step("rust-tests", "rust", "Rust tests, on a real Kafka and a real Postgres", rust_tests),
    Step("unit-file", "deploy", "systemd units", unit_file),
]
