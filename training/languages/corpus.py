"""Which texts train, which choose, which judge.

The held-out part of `languages` is cut by the hash that cuts all corpora (`sentiment/splits.py`); it judges and nothing else.
A further part of the rest, by another hash, chooses among runs and sets the temperature. English tweets lend what they know.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from training.sentiment.corpus import LABELS, read_labelled
from training.sentiment.splits import HELD_OUT_SOURCES, VALIDATION, Split, text_key
from training.text_evaluation.labelled import Sentence, cut, read, validation_keys

NAME = "languages"
ENGLISH = "semeval"
CODES = {"arabic": "ar", "french": "fr", "german": "de", "hindi": "hi", "italian": "it", "portuguese": "pt", "spanish": "es"}
CHOOSING_PERCENT = 6
# Shorter posts say too little for a label that is worth learning from.
LEAST_KEY_LENGTH = 12


@dataclass(frozen=True)
class Text:
    """A labelled text: `label` indexes LABELS, `language` is a code of ISO 639."""

    text: str
    label: int
    language: str


@dataclass(frozen=True)
class Texts:
    """All labelled texts by what they are for."""

    training: list[Text]
    choosing: list[Text]
    held_out: list[Text]
    english: list[Text]
    # Keys that no unlabelled text may have, since it would be one of a hold-out.
    kept_away: frozenset[str]


def chooses(key: str) -> bool:
    """Whether a text of the training part is kept for choosing."""
    digest = hashlib.sha256(f"overheard languages, choosing 1\n{key}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < CHOOSING_PERCENT


def read_texts(data: Path) -> Texts:
    """Reads and divides; raises CorpusError where a corpus is missing."""
    names = (NAME, ENGLISH, VALIDATION, *HELD_OUT_SOURCES)
    split = Split({name: read_labelled(data, name) for name in names}, (*HELD_OUT_SOURCES, NAME))
    parts = cut(read(data, NAME), validation_keys(data))
    kept = [_text(sentence) for sentence in parts.training if text_key(sentence.text) not in split.held_out_keys]
    choosing = [text for text in kept if chooses(text_key(text.text))]
    chosen_keys = {text_key(text.text) for text in choosing}
    return Texts(
        [text for text in kept if text_key(text.text) not in chosen_keys],
        choosing,
        [_text(sentence) for sentence in parts.held_out],
        [Text(row.text, row.label, "en") for row in split.training[ENGLISH] if text_key(row.text) not in chosen_keys],
        frozenset(split.held_out_keys | chosen_keys),
    )


def _text(sentence: Sentence) -> Text:
    return Text(sentence.text, LABELS.index(sentence.label), CODES[sentence.part])
