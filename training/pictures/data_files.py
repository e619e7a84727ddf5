"""Finding pictures and reading tables in a data folder."""

from __future__ import annotations

import csv
from pathlib import Path

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif"}


class MissingData(FileNotFoundError):
    """A folder or file of the data is not there; the message names it."""


def pictures_in(folder: Path) -> list[Path]:
    """All pictures of a folder and its subfolders, sorted."""
    if not folder.is_dir():
        raise MissingData(f"there is no folder {folder}")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise MissingData(f"there is no picture in {folder}")
    return found


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header."""
    if not path.is_file():
        raise MissingData(f"there is no {path}")
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
