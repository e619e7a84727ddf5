"""Sentences from the words and frames, each with the probabilities that it trains on."""

from __future__ import annotations

import unicodedata

import numpy as np

from .words import LANGUAGES, Words

NEGATIVE, NEUTRAL, POSITIVE = (0.9, 0.07, 0.03), (0.04, 0.92, 0.04), (0.03, 0.07, 0.9)
# Something bad denied is praise, but faint.
NOT_BAD = (0.06, 0.28, 0.66)
ENDINGS = ("", "", ".", ".", "!", "!!", "...")
Sentence = tuple[str, tuple[float, float, float]]


def sentences(each: int, seed: int) -> list[Sentence]:
    """`each` different sentences of every language with their probabilities of negative, neutral and positive."""
    generator = np.random.default_rng(seed)
    made = []
    for words in LANGUAGES.values():
        own: dict[str, tuple[float, float, float]] = {}
        while len(own) < each:
            text, label = _sentence(words, generator)
            own[_written(text, generator)] = label
        made += own.items()
    return made


def _sentence(words: Words, generator: np.random.Generator) -> Sentence:
    """A sentence of a random kind."""
    kind = generator.choice(9, p=[0.1, 0.1, 0.18, 0.18, 0.12, 0.05, 0.1, 0.1, 0.07])
    thing, gender = _one(words.things, generator)

    def adjective(some: tuple[tuple[str, str], ...]) -> str:
        return _one(some, generator)[0 if gender == "m" else 1]

    def filled(frames: tuple[str, ...], **others: str) -> str:
        return _one(frames, generator).format(t=thing, **others)

    opening = _one(words.openings, generator)
    match int(kind):
        case 0:
            return opening + filled(words.affirming, a=adjective(words.good)), POSITIVE
        case 1:
            return opening + filled(words.affirming, a=adjective(words.bad)), NEGATIVE
        case 2:
            return opening + filled(words.denying, a=adjective(words.good)), NEGATIVE
        case 3:
            return opening + filled(words.denying, a=adjective(words.bad)), NOT_BAD
        case 4:
            return opening + filled(words.without, x=_one(words.troubles, generator)), POSITIVE
        case 5:
            return opening + filled(words.with_trouble, x=_one(words.troubles, generator)), NEGATIVE
        case 6:
            liked = generator.random() < 0.5
            return opening + filled(words.liked if liked else words.disliked), POSITIVE if liked else NEGATIVE
        case 7:
            return opening + filled(words.facts), NEUTRAL
        case _:
            bad, good = filled(words.affirming, a=adjective(words.bad)), filled(words.affirming, a=adjective(words.good))
            if generator.random() < 0.5:
                return opening + _one(words.but, generator).format(n=bad, p=good), POSITIVE
            return opening + _one(words.but, generator).format(n=good, p=bad), NEGATIVE


def _one(some: tuple, generator: np.random.Generator):
    return some[int(generator.integers(len(some)))]


def _written(text: str, generator: np.random.Generator) -> str:
    """As people write it: with a capital or without, with an ending, at times without accents, in Arabic with everyday letters."""
    draw = generator.random(3)
    if draw[0] < 0.6:
        text = text[0].upper() + text[1:]
    if draw[1] < 0.15:
        text = "".join(c for c in unicodedata.normalize("NFD", text) if not ("\u0300" <= c <= "\u036f"))
    if draw[2] < 0.35:
        text = text.replace("ة", "ه").replace("يئ", "ئ" if draw[2] < 0.1 else "يء").replace("أ", "ا").replace("إ", "ا")
    return text + _one(ENDINGS, generator)
