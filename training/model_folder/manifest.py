"""The manifest of a model folder: what the daemon checks before it loads the files beside it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def described(path: Path, folder: Path) -> dict:
    """Path within the folder, SHA-256 and size of a file."""
    content = path.read_bytes()
    return {"path": path.relative_to(folder).as_posix(), "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of Python and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for name in packages:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def read_manifest(folder: Path) -> dict:
    """The manifest of a model folder."""
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def write_manifest(folder: Path, manifest: dict) -> None:
    """Writes the manifest in one step, so that a reader never sees half of it."""
    partial = folder / "manifest.json.partial"
    partial.write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / "manifest.json")
