"""Sentences from frames and lexicons, identical on every machine.

A frame is a text with fields: "The {thing} is {good}." A hash of the frame chooses the words for its fields, so
the sentences depend on no random generator and on no other frame.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from string import Formatter

from . import lexicon

# "a" before a vowel sound.
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeio]|un(?!i))")
_BEGINNING = re.compile(r"(?:^|(?<=[.?!] )|(?<=[.?!]\" ))[a-z]")
# Draws for each filling wanted; bounds the search where a frame has too few distinct fillings.
_DRAWS = 30


def draw(key: str, count: int) -> int:
    """A number from 0 to count - 1, determined by the key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % count


def fields_of(frame: str) -> list[str]:
    """The names of a frame's fields, each once, in order."""
    return list(dict.fromkeys(name for _, name, _, _ in Formatter().parse(frame) if name))


def fillings(frame: str, count: int, **words: Sequence[str]) -> Iterator[dict[str, str]]:
    """At most `count` different ways to fill a frame. Words come from `words`, else from the lexicon's list named
    like the field in capitals. `thing` and `thing2` share a list and get different words."""
    names = fields_of(frame)
    lists = {name: words[name] if name in words else getattr(lexicon, name.rstrip("2").upper()) for name in names}
    seen = set()
    for number in range(count * _DRAWS):
        filled = {name: list_[draw(f"{frame} {name} {number}", len(list_))] for name, list_ in lists.items()}
        chosen = tuple(filled.values())
        if chosen not in seen and all(filled[name] != filled.get(f"{name}2") for name in names):
            seen.add(chosen)
            yield filled
            if len(seen) == count:
                return


def write(frame: str, filled: dict[str, str]) -> str:
    """The filled frame, with "a" or "an" and capitals corrected."""
    text = _ARTICLE.sub(r"\1n ", frame.format(**filled))
    return _BEGINNING.sub(lambda letter: letter.group().upper(), text)


def sentences(count: int, frames: Sequence[str], **words: Sequence[str]) -> list[str]:
    """About `count` sentences, equally many from each frame that has enough fillings."""
    each = -(-count // len(frames))
    return [write(frame, filled) for frame in frames for filled in fillings(frame, each, **words)]
