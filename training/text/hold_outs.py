"""Splits the corpora into training texts and hold-outs by a hash of the text.

A text is held out if it is in the validation corpus, or if it is in one of HELD_OUT_SOURCES and the hash
of its key falls below HELD_OUT_PERCENT. The key does not depend on the tokenizer, so the split is stable
across versions. It ignores case, user names, links and punctuation, so that no retweet of a held-out
text is used for training.

FURTHER_SOURCES are split by the same hash. Code that trains on one of them must pass it to Split.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from .corpora import Row

VALIDATION = "semeval_val"
HELD_OUT_SOURCES = ("tse", "brand_entity", "semeval_topic", "software_engineering", "goemotions")
# Labels towards a target, and languages other than English.
FURTHER_SOURCES = ("targets", "languages")
HELD_OUT_PERCENT = 5

_LINK_OR_USER = re.compile(r"https?\S*|www\.\S+|@\w+|&\w+;|^rt\b")
_NOT_A_WORD = re.compile(r"[\W_]+")


def text_key(text: str) -> str:
    """The key that duplicate texts share: their letters and digits, in order."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NOT_A_WORD.sub("", _LINK_OR_USER.sub(" ", folded)) or text.strip()


def is_held_out(key: str, percent: int = HELD_OUT_PERCENT) -> bool:
    """Whether a key is held out. The hash must not change, or texts change sides."""
    digest = hashlib.sha256(f"overheard hold-out 1\n{key}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < percent


def held_out_name(source: str) -> str:
    """The name of a source's hold-out in reports."""
    return f"{source}_held_out"


class Split:
    """Splits labelled corpora into training rows and hold-outs that share no key."""

    def __init__(self, corpora: dict[str, list[Row]], sources: Iterable[str] = HELD_OUT_SOURCES):
        """`corpora`: all labelled corpora by name, the validation corpus among them. `sources`: those with a
        hold-out."""
        self.held_out: dict[str, list[Row]] = {VALIDATION: list(corpora[VALIDATION])}
        validation_keys = {text_key(row.text) for row in corpora[VALIDATION]}
        self.held_out_keys = set(validation_keys)
        for source in sources:
            kept_away = []
            for row in corpora.get(source, []):
                key = text_key(row.text)
                if key not in validation_keys and is_held_out(key):
                    kept_away.append(row)
                    self.held_out_keys.add(key)
            if kept_away:
                self.held_out[held_out_name(source)] = kept_away
        self.training = {
            name: [row for row in rows if text_key(row.text) not in self.held_out_keys]
            for name, rows in corpora.items()
            if name != VALIDATION
        }

    def without_held_out(self, texts: Iterable[str]) -> Iterable[str]:
        """The texts that are in no hold-out."""
        return (text for text in texts if text_key(text) not in self.held_out_keys)
