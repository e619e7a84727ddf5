"""Frequent words of each language, to extend the student's vocabulary beyond its few training texts.

From wordfreq (Speer 2022; the code is Apache-2.0, the lists are CC BY-SA 4.0) and from the training texts, since wordfreq lacks
Hindi in Latin letters. The words with the strongest polarity by the teacher become pieces of their own.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from .corpus import CODES, Text
from .tokenizer import normalizer

_WORD = re.compile(r"[^\W\d_][\w\u0900-\u097F]{2,}")


def frequent_words(training: Iterable[Text], count: int) -> dict[str, dict[str, float]]:
    """By language: words after the tokenizer's normalization, with the natural logarithm of their frequency."""
    from wordfreq import top_n_list, zipf_frequency

    prepare = normalizer().normalize_str
    own: dict[str, Counter] = {code: Counter() for code in CODES.values()}
    for text in training:
        own[text.language].update(_WORD.findall(prepare(text.text)))
    found = {}
    for code in sorted(own):
        words = {}
        for word in top_n_list(code, count):
            prepared = prepare(word)
            if _WORD.fullmatch(prepared):
                # A Zipf frequency is the decimal logarithm of occurrences per billion words.
                words.setdefault(prepared, (zipf_frequency(word, code) - 9) * math.log(10))
        for word, count in own[code].items():
            words.setdefault(word, math.log(count / own[code].total()))
        found[code] = words
    return found


def charged_words(words: dict[str, dict[str, float]], judge: Callable[[list[str]], np.ndarray], count: int) -> dict[str, float]:
    """The `count` words of each language with the strongest polarity, with their log frequencies; `judge` gives
    probabilities [words, 3]."""
    chosen: dict[str, float] = {}
    for logarithms in words.values():
        listed = list(logarithms)
        probabilities = judge(listed)
        charge = np.abs(probabilities[:, 2] - probabilities[:, 0])
        for index in np.argsort(-charge, kind="stable")[:count]:
            chosen.setdefault(listed[index], logarithms[listed[index]])
    return chosen
