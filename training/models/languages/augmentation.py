"""Data augmentation: more texts for the teacher to label, made from the training texts.

After Tang et al., "Distilling Task-Specific Knowledge from BERT into Simple Neural Networks" (arXiv 1903.12136): words are
dropped or replaced by others of the language, and n-grams are sampled. In addition, halves of two texts of the same language
are spliced.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .corpus import Text

LEFT_OUT, REPLACED = 0.12, 0.08  # probabilities per word
STRETCH_SHARE, SPLICE_SHARE = 0.3, 0.4
LEAST_WORDS = 3


def augment(texts: list[Text], others: dict[str, list[str]], rounds: int, seed: int) -> list[str]:
    """Up to `rounds` new texts for each text, without short ones, duplicates and known texts. `others`: replacement words of
    each language."""
    generator = np.random.default_rng(seed)
    split = [text.text.split() for text in texts]
    alike: dict[str, np.ndarray] = {
        code: np.flatnonzero([text.language == code for text in texts]) for code in {text.language for text in texts}
    }
    made = dict.fromkeys(
        " ".join(words)
        for _ in range(rounds)
        for index in range(len(texts))
        for words in _one(split, index, alike[texts[index].language], others[texts[index].language], generator)
    )
    known = {text.text for text in texts}
    return [text for text in made if text not in known]


def _one(
    split: list[list[str]], index: int, alike: np.ndarray, others: list[str], generator: np.random.Generator
) -> Iterator[list[str]]:
    words, draw = split[index], generator.random()
    if draw < STRETCH_SHARE:
        words = _stretch(words, generator)
    elif draw < STRETCH_SHARE + SPLICE_SHARE:
        other = split[int(generator.choice(alike))]
        words = words[: _border(words, generator)] + other[_border(other, generator) :]
    fates = generator.random(len(words))
    words = [
        others[int(generator.integers(len(others)))] if fate < LEFT_OUT + REPLACED else word
        for word, fate in zip(words, fates, strict=True)
        if fate >= LEFT_OUT
    ]
    if len(words) >= LEAST_WORDS:
        yield words


def _stretch(words: list[str], generator: np.random.Generator) -> list[str]:
    """A random n-gram of LEAST_WORDS to len(words) - 1 words."""
    if len(words) <= LEAST_WORDS:
        return words
    length = int(generator.integers(LEAST_WORDS, len(words)))
    start = int(generator.integers(0, len(words) - length + 1))
    return words[start : start + length]


def _border(words: list[str], generator: np.random.Generator) -> int:
    """A random cut in the middle third of a text."""
    return int(generator.integers(len(words) // 3, 2 * len(words) // 3 + 1))
