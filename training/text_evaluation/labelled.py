"""Labelled texts, from the layout that the figures are taken on; training/sentiment/corpus.py says the form of the files.

    text/semeval_val.tsv.xz            all rows
    text/tse.tsv.xz, brand_entity, semeval_topic, software_engineering, goemotions, targets, languages
                                       the rows that training/sentiment/splits.py keeps away
    text/imdb_test.tsv.xz              all rows

A column `target` says what the label is about. `source` or `language` says which part of its set a row belongs to.
"""

from __future__ import annotations

import lzma
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from training.sentiment.corpus import LABELS, CorpusError, corpus_path
from training.sentiment.splits import VALIDATION, is_held_out, text_key

NOT_LABELS = frozenset({"irrelevant"})
TARGETS = "targets"
# `targets` as it was handed out names no source, but its rows stand one source behind the other: where each ends.
SECTIONS = ((6232, "tweets"), (18750, "restaurants, several targets a sentence"), (21017, "laptops"), (24392, "restaurants"))


@dataclass(frozen=True)
class Sentence:
    """One labelled text. `part`: its language or source, if the file says it."""

    text: str
    label: str
    target: str | None = None
    part: str = ""


@dataclass(frozen=True)
class Corpus:
    """A corpus cut in two by the hash of its texts."""

    training: list[Sentence]
    held_out: list[Sentence]


def read(data: Path, name: str) -> list[Sentence]:
    """All rows of a corpus that have one of the three labels; raises CorpusError where it lacks or isn't in the form."""
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
    """Keys of the validation corpus, whose texts are in no other hold-out."""
    return {text_key(sentence.text) for sentence in read(data, VALIDATION)}


def cut(sentences: list[Sentence], elsewhere: set[str]) -> Corpus:
    """What is kept away, and the rest of it; texts whose key stands in `elsewhere` are in neither."""
    keyed = [(key, sentence) for sentence in sentences if (key := text_key(sentence.text)) not in elsewhere]
    return Corpus(
        [sentence for key, sentence in keyed if not is_held_out(key)],
        [sentence for key, sentence in keyed if is_held_out(key)],
    )


def by_part(sentences: list[Sentence]) -> dict[str, list[Sentence]]:
    """The sentences of each part, in order of its name."""
    parts: dict[str, list[Sentence]] = defaultdict(list)
    for sentence in sentences:
        if sentence.part:
            parts[sentence.part].append(sentence)
    return dict(sorted(parts.items()))


def with_different_labels(sentences: list[Sentence]) -> list[Sentence]:
    """The rows of texts that have at least two labels: whoever judges the whole text errs on one of them."""
    labels: dict[str, set[str]] = defaultdict(set)
    for sentence in sentences:
        labels[sentence.text].add(sentence.label)
    return [sentence for sentence in sentences if len(labels[sentence.text]) > 1]
