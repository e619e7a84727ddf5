"""Generated sentences that train must not stand in the tests of capabilities, nor their frames."""

from __future__ import annotations

import re

import pytest

from training.measure.capabilities import lexicon, suite
from training.models.sentiment.templates import words
from training.models.sentiment.templates.sentences import generate

GENERATED = generate(30_000, seed=1)
# Words that fill fields, in either; longer ones first, so that "customer service" is one.
FILLINGS = sorted(
    {word.lower() for module in (lexicon, words) for name, list_ in vars(module).items() if name.isupper() for word in list_}, key=len, reverse=True
)
_FILLING = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, FILLINGS))})(?!\w)")
_SMALL = re.compile(r"\b(?:the|this|that|a|an|my|their|new|all|at)\b|'s\b|[^\w#@'_ ]|https?\S+|@\w+")


def frame_of(text: str) -> str:
    """What of a sentence stays when its fields, its articles and its stops are gone."""
    plain = _FILLING.sub("_", text.lower().replace("’", "'"))
    return " ".join(_SMALL.sub(" ", plain).split())


def test_frames_are_others_than_those_of_the_tests() -> None:
    tested = {frame_of(case.text) for test in suite.all_tests() for case in test.cases}
    shared = {frame_of(sentence.text) for sentence in GENERATED} & tested
    # "_ is _" alone is no frame that one could own.
    assert not [frame for frame in shared if len(set(frame.split()) - {"_"}) > 1]


def test_things_and_brands_are_others_than_those_of_the_tests() -> None:
    tested = {word.lower() for word in (*lexicon.THING, *lexicon.DEVICE, *lexicon.PART, *lexicon.BRAND)}
    assert tested.isdisjoint(word.lower() for word in (*words.PART, *words.NAME))


def test_a_target_stands_in_its_sentence_and_probabilities_sum_to_one() -> None:
    for sentence in GENERATED:
        assert sentence.target is None or sentence.target.lower() in sentence.text.lower(), sentence
        assert sum(sentence.probabilities) == pytest.approx(1)
        assert "{" not in sentence.text


def test_the_same_seed_makes_the_same_sentences() -> None:
    assert generate(500, seed=3) == generate(500, seed=3) != generate(500, seed=4)
