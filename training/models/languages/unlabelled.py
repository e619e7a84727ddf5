"""Finds unlabelled posts in the model's languages among mostly English posts.

Naive Bayes over words (McCallum and Nigam, 1998), trained on the labelled texts. Only confident results are used.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from ...text.hold_outs import text_key
from .corpus import LEAST_KEY_LENGTH, Text

_WORD = re.compile(r"(?<![@#\w/.])[^\W\d_]+(?!\w)")
SURE = 8.0  # minimum log-likelihood difference of the two best languages
LEAST_WORDS = 4


class LanguageFinder:
    """Classifies texts by language, including English."""

    def __init__(self, texts: Iterable[Text]):
        counts: dict[str, Counter] = {}
        for text in texts:
            counts.setdefault(text.language, Counter()).update(words(text.text))
        known = set().union(*counts.values())
        # Smoothing by half a count, since a word seen once in a single language may be a name.
        self.unknown = {code: math.log(0.5 / (count.total() + len(known) / 2)) for code, count in counts.items()}
        self.logs = {
            code: {word: math.log((number + 0.5) / (count.total() + len(known) / 2)) for word, number in count.items()}
            for code, count in counts.items()
        }
        self.known = known

    def find(self, text: str) -> str | None:
        """The code of the text's language; None if it is uncertain."""
        found = [word for word in words(text) if word in self.known]
        if len(found) < LEAST_WORDS:
            return None
        sums = sorted(
            ((sum(logs.get(word, self.unknown[code]) for word in found), code) for code, logs in self.logs.items()), reverse=True
        )
        return sums[0][1] if sums[0][0] - sums[1][0] > SURE else None


def words(text: str) -> list[str]:
    """Lower-case words without user names, hashtags and links."""
    return _WORD.findall(text.lower())


def pool(lines: Iterable[str], finder: LanguageFinder, kept_away: frozenset[str]) -> Iterator[tuple[str, str]]:
    """(language, text) of the lines that are confidently not English, without duplicates, short lines and `kept_away` keys."""
    seen: set[str] = set()
    for line in lines:
        language = finder.find(line)
        if language is None or language == "en":
            continue
        key = text_key(line)
        if len(key) >= LEAST_KEY_LENGTH and key not in seen and key not in kept_away:
            seen.add(key)
            yield language, line
