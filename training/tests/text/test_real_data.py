"""The split of the real corpora. Runs where OVERHEARD_TRAINING_DATA names a data folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from training.text.corpora import read_labelled
from training.text.hold_outs import (
    FURTHER_SOURCES,
    HELD_OUT_SOURCES,
    VALIDATION,
    Split,
    text_key,
)

SOURCES = (*HELD_OUT_SOURCES, *FURTHER_SOURCES)


@pytest.fixture(scope="module")
def split() -> Split:
    folder = os.environ.get("OVERHEARD_TRAINING_DATA")
    if not folder:
        pytest.skip("OVERHEARD_TRAINING_DATA names no data folder: the split of the real corpora is not tested")
    names = ["semeval", VALIDATION, *SOURCES]
    return Split({name: read_labelled(Path(folder), name) for name in names}, SOURCES)


def test_training_and_hold_outs_share_no_text(split: Split) -> None:
    held_out = {text_key(row.text) for rows in split.held_out.values() for row in rows}
    for name, rows in split.training.items():
        assert held_out.isdisjoint(text_key(row.text) for row in rows), name


def test_hold_outs_have_about_their_share(split: Split) -> None:
    for source in SOURCES:
        kept_away = len(split.held_out[f"{source}_held_out"])
        assert 0.03 < kept_away / (kept_away + len(split.training[source])) < 0.07, source
    assert len(split.held_out[VALIDATION]) == 1999
