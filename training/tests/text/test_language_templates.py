"""Generated sentences of the seven languages."""

from __future__ import annotations

import pytest

from training.models.languages.goldens import GOLDEN_TEXTS, PROBES
from training.models.languages.templates.sentences import sentences
from training.models.languages.templates.words import LANGUAGES
from training.text.hold_outs import text_key

MADE = sentences(1_500, seed=1)


def test_each_language_has_as_many_and_none_stands_twice_in_one() -> None:
    assert len(MADE) == 1_500 * len(LANGUAGES)
    for start in range(0, len(MADE), 1_500):
        own = MADE[start : start + 1_500]
        assert len({text for text, _ in own}) == 1_500
        assert {max(range(3), key=label.__getitem__) for _, label in own} == {0, 1, 2}


def test_what_illustrates_weaknesses_does_not_train() -> None:
    shown = {text_key(text) for text in (*GOLDEN_TEXTS, *(sentence for _, _, sentence, _ in PROBES))}
    assert shown.isdisjoint(text_key(text) for text, _ in MADE)


def test_all_fields_are_filled_and_probabilities_sum_to_one() -> None:
    for text, label in MADE:
        assert "{" not in text and sum(label) == pytest.approx(1)


def test_the_same_seed_makes_the_same_sentences() -> None:
    assert sentences(50, seed=3) == sentences(50, seed=3) != sentences(50, seed=4)
