"""Labelled texts for evaluation; corpora.py describes the file format.

    text/semeval_val.tsv.xz            all rows
    text/tse.tsv.xz, brand_entity, semeval_topic, software_engineering, goemotions, targets, languages
                                       the rows that hold_outs.py holds out
    text/imdb_test.tsv.xz              all rows

Optional columns: `target`, the target of the label; `source` or `language`, the part of the corpus that a row belongs to.
"""

from __future__ import annotations

import lzma
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from .corpora import LABELS, CorpusError, corpus_path
from .hold_outs import VALIDATION, is_held_out, text_key

NOT_LABELS = frozenset({"irrelevant"})
TARGETS = "targets"
# `targets` has no source column, but its rows are sorted by source: the end of each source's rows.
SECTIONS = ((6232, "tweets"), (18750, "restaurants, several targets a sentence"), (21017, "laptops"), (24392, "restaurants"))


@dataclass(frozen=True)
class Sentence:
    """One labelled text. `part`: its language or source, if the file has it."""

    text: str
    label: str
    target: str | None = None
    part: str = ""


@dataclass(frozen=True)
class Corpus:
    """A corpus split by the hash of its texts."""

    training: list[Sentence]
    held_out: list[Sentence]


def read(data: Path, name: str) -> list[Sentence]:
    """All rows of a corpus that have one of the three labels; raises CorpusError if it is missing or malformed."""
    path = corpus_path(data, name)
    sentences = []
    try:
        with lzma.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            columns = next(lines, "").rstrip("\n").split("\t")
            if not {"label", "text"} <= set(columns):
                raise CorpusError(f"{path.name}: the header has no label and text columns: {columns}")
            for number, line in enumerate(lines, start=2):
                fields = line.rstrip("\n").split("\t")
                if len(fields) != len(columns):
                    raise CorpusError(f"{path.name}, line {number}: {len(fields)} fields instead of {len(columns)}")
                row = dict(zip(columns, fields, strict=True))
                if row["label"] in NOT_LABELS:
                    continue
                if row["label"] not in LABELS:
                    raise CorpusError(f"{path.name}, line {number}: unknown label {row['label']!r}")
                part = row.get("source") or row.get("language") or ""
                sentences.append(Sentence(row["text"], row["label"], row.get("target") or None, part))
    except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path.name} can't be read: {error}") from error
    if not sentences:
        raise CorpusError(f"{path.name} has no rows")
    return _with_sections(sentences) if name == TARGETS else sentences


def _with_sections(sentences: list[Sentence]) -> list[Sentence]:
    if len(sentences) != SECTIONS[-1][0] or any(sentence.part for sentence in sentences):
        return sentences
    return [
        replace(sentence, part=next(part for end, part in SECTIONS if index < end))
        for index, sentence in enumerate(sentences)
    ]


def validation_keys(data: Path) -> set[str]:
    """Keys of the validation corpus. Other hold-outs leave these texts out."""
    return {text_key(sentence.text) for sentence in read(data, VALIDATION)}


def cut(sentences: list[Sentence], elsewhere: set[str]) -> Corpus:
    """Splits sentences into hold-out and training; those whose key is in `elsewhere` are in neither."""
    keyed = [(key, sentence) for sentence in sentences if (key := text_key(sentence.text)) not in elsewhere]
    return Corpus(
        [sentence for key, sentence in keyed if not is_held_out(key)],
        [sentence for key, sentence in keyed if is_held_out(key)],
    )


def by_part(sentences: list[Sentence]) -> dict[str, list[Sentence]]:
    """The sentences of each part, sorted by its name."""
    parts: dict[str, list[Sentence]] = defaultdict(list)
    for sentence in sentences:
        if sentence.part:
            parts[sentence.part].append(sentence)
    return dict(sorted(parts.items()))


def with_different_labels(sentences: list[Sentence]) -> list[Sentence]:
    """The rows of texts with at least two labels, which no label of the whole text can all match."""
    labels: dict[str, set[str]] = defaultdict(set)
    for sentence in sentences:
        labels[sentence.text].add(sentence.label)
    return [sentence for sentence in sentences if len(labels[sentence.text]) > 1]
