"""A domain's baseline: multinomial naive Bayes over unigrams and bigrams, trained on that domain alone.

Wang and Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification" (ACL 2012). A feature counts once
a text, and the class prior is uniform, since recall is macro-averaged. Standard library only.
"""

from __future__ import annotations

import math
import re
from collections import Counter

from ...text.corpora import LABELS
from ...text.labelled import Sentence

_WORD = re.compile(r"\w+(?:'\w+)?|[^\w\s]+")


def features(text: str) -> set[str]:
    """Lower-case unigrams and bigrams."""
    words = _WORD.findall(text.lower())
    return {*words, *(f"{one} {other}" for one, other in zip(words, words[1:], strict=False))}


class NaiveBayes:
    """The constructor trains it, with add-one smoothing."""

    def __init__(self, training: list[Sentence]):
        counts = {label: Counter() for label in LABELS}
        for sentence in training:
            counts[sentence.label].update(features(sentence.text))
        self.known = set().union(*counts.values())
        self.counts = {label: count for label, count in counts.items() if count}
        self.totals = {label: math.log(count.total() + len(self.known)) for label, count in self.counts.items()}

    def label(self, text: str) -> str:
        """The most probable label."""
        found = features(text) & self.known
        return max(
            self.counts,
            key=lambda label: sum(math.log(self.counts[label][word] + 1) for word in found) - len(found) * self.totals[label],
        )
