"""Unlabelled posts in the languages that are taught, found among many in English.

Naive Bayes over words (McCallum and Nigam, 1998), from the labelled texts whose language is known. Only sure finds count.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from training.sentiment.splits import text_key

from .corpus import LEAST_KEY_LENGTH, Text

_WORD = re.compile(r"(?<![@#\w/.])[^\W\d_]+(?!\w)")
SURE = 8.0  # difference of the logarithms of two languages' likelihoods
LEAST_WORDS = 4


class LanguageFinder:
    """Tells languages apart by their words; English is one of them."""

    def __init__(self, texts: Iterable[Text]):
        counts: dict[str, Counter] = {}
        for text in texts:
            counts.setdefault(text.language, Counter()).update(words(text.text))
        known = set().union(*counts.values())
        # A word of one language alone that was seen once may be a name: half a count for every language.
        self.unknown = {code: math.log(0.5 / (count.total() + len(known) / 2)) for code, count in counts.items()}
        self.logs = {
            code: {word: math.log((number + 0.5) / (count.total() + len(known) / 2)) for word, number in count.items()}
            for code, count in counts.items()
        }
        self.known = known

    def find(self, text: str) -> str | None:
        """The code of the text's language, None where it isn't sure."""
        found = [word for word in words(text) if word in self.known]
        if len(found) < LEAST_WORDS:
            return None
        sums = sorted(
            ((sum(logs.get(word, self.unknown[code]) for word in found), code) for code, logs in self.logs.items()), reverse=True
        )
        return sums[0][1] if sums[0][0] - sums[1][0] > SURE else None


def words(text: str) -> list[str]:
    """Words without case; no user names, hashtags or links."""
    return _WORD.findall(text.lower())


def pool(lines: Iterable[str], finder: LanguageFinder, kept_away: frozenset[str]) -> Iterator[tuple[str, str]]:
    """(language, text) of the lines that are surely in another language than English, each text once."""
    seen: set[str] = set()
    for line in lines:
        language = finder.find(line)
        if language is None or language == "en":
            continue
        key = text_key(line)
        if len(key) >= LEAST_KEY_LENGTH and key not in seen and key not in kept_away:
            seen.add(key)
            yield language, line
