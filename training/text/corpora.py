"""Reads the corpora of a data folder: `<data>/text/<name>.tsv.xz` (labelled) and `.txt.xz` (plain).

A labelled file is xz-compressed UTF-8, tab-separated, with a header that names at least `label` and
`text`; quotes are not special. A plain file has one text per line.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LABELS = ["negative", "neutral", "positive"]
NEGATIVE, NEUTRAL, POSITIVE = range(3)


class CorpusError(Exception):
    """A corpus is missing or malformed; the message names the file and line."""


@dataclass(frozen=True)
class Row:
    """One labelled text. `label` indexes LABELS; `target` is the target of the label, if given."""

    text: str
    label: int
    target: str | None = None


def text_folder(data: Path) -> Path:
    """The folder with the text corpora; raises CorpusError if it is missing."""
    folder = data / "text"
    if not folder.is_dir():
        raise CorpusError(f"No text corpora in {data}: the folder {folder} does not exist")
    return folder


def corpus_path(data: Path, name: str) -> Path:
    """The file of a corpus, labelled or plain; raises CorpusError if it is missing."""
    folder = text_folder(data)
    for suffix in (".tsv.xz", ".txt.xz"):
        if (path := folder / f"{name}{suffix}").is_file():
            return path
    raise CorpusError(f"Corpus {name} is missing: {folder} has neither {name}.tsv.xz nor {name}.txt.xz")


def read_labelled(data: Path, name: str, skip_labels: frozenset[str] = frozenset({"irrelevant"})) -> list[Row]:
    """All rows of a labelled corpus, in file order, without those whose label is in `skip_labels`."""
    path = corpus_path(data, name)
    with lzma.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        columns = next(lines, "").rstrip("\n").split("\t")
        if not {"label", "text"} <= set(columns):
            raise CorpusError(f"{path.name}: the header has no label and text columns: {columns}")
        label_at, text_at = columns.index("label"), columns.index("text")
        target_at = columns.index("target") if "target" in columns else None
        rows = []
        for number, line in enumerate(lines, start=2):
            fields = line.rstrip("\n").split("\t")
            if len(fields) != len(columns):
                raise CorpusError(f"{path.name}, line {number}: {len(fields)} fields instead of {len(columns)}")
            if fields[label_at] in skip_labels:
                continue
            if fields[label_at] not in LABELS:
                raise CorpusError(f"{path.name}, line {number}: unknown label {fields[label_at]!r}")
            target = fields[target_at] if target_at is not None else None
            rows.append(Row(fields[text_at], LABELS.index(fields[label_at]), target))
    return rows


def read_plain(data: Path, name: str, every: int = 1) -> Iterator[str]:
    """The lines of a plain corpus; `every` = n keeps every n-th line."""
    with lzma.open(corpus_path(data, name), "rt", encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines):
            if number % every == 0 and (text := line.rstrip("\n")):
                yield text
