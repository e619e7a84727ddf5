"""Splits the labelled texts into training, model selection and test.

The hold-out of `languages` is split by the hash of all corpora (text/hold_outs.py) and used only for the final metrics. Another
hash takes a part of the rest for model selection and temperature scaling. English tweets are additional training data.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ...text.corpora import LABELS, read_labelled
from ...text.hold_outs import HELD_OUT_SOURCES, VALIDATION, Split, text_key
from ...text.labelled import Sentence, cut, read, validation_keys

NAME = "languages"
ENGLISH = "semeval"
CODES = {"arabic": "ar", "french": "fr", "german": "de", "hindi": "hi", "italian": "it", "portuguese": "pt", "spanish": "es"}
CHOOSING_PERCENT = 6
# Minimum key length: shorter posts are too short for a useful label.
LEAST_KEY_LENGTH = 12


@dataclass(frozen=True)
class Text:
    """A labelled text: `label` indexes LABELS, `language` is an ISO 639 code."""

    text: str
    label: int
    language: str


@dataclass(frozen=True)
class Texts:
    """All labelled texts by purpose."""

    training: list[Text]
    choosing: list[Text]
    held_out: list[Text]
    english: list[Text]
    # Keys of `choosing` and of all hold-outs; unlabelled texts with these keys are left out.
    kept_away: frozenset[str]


def chooses(key: str) -> bool:
    """Whether a text of the training part is used for model selection."""
    digest = hashlib.sha256(f"overheard languages, choosing 1\n{key}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < CHOOSING_PERCENT


def read_texts(data: Path) -> Texts:
    """Reads and splits the corpora; raises CorpusError if one is missing."""
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
