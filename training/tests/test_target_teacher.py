"""The split of target corpora: no text on both sides. Needs torch for the import alone."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch (training/requirements.txt): the split of target corpora is not tested here")

from training.distillation.target_teacher import SOURCES, pairs, target_split
from training.distillation.teaching import teacher_corpora
from training.sentiment.corpus import POSITIVE, Row
from training.sentiment.splits import HELD_OUT_SOURCES, VALIDATION, text_key


def test_no_text_is_on_both_sides_and_targets_of_a_text_stay_together(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    for corpus in {*teacher_corpora(), *HELD_OUT_SOURCES, *SOURCES, VALIDATION}:
        # Half of the texts are every corpus's, half its own; each stands with two targets.
        texts = [f"shared text {n}" for n in range(300)] + [f"{corpus} text {n}" for n in range(300)]
        if corpus == VALIDATION:
            texts = texts[:5]
        lines = [f"positive\t{text}\t{target}" for text in texts for target in ("screen", "battery")]
        content = "\n".join(["label\ttext\ttarget", *lines, ""])
        (tmp_path / "text" / f"{corpus}.tsv.xz").write_bytes(lzma.compress(content.encode(), preset=0))
    training, held_out = target_split(tmp_path)
    trained = {text_key(row.text) for rows in training.values() for row in rows}
    assert set(held_out) == set(SOURCES)
    for name, rows in held_out.items():
        assert rows, name
        assert trained.isdisjoint(text_key(row.text) for row in rows), name
        for text in {row.text for row in rows}:
            assert {row.target for row in rows if row.text == text} == {"screen", "battery"}


def test_the_target_comes_first() -> None:
    assert pairs([Row("great", POSITIVE, "screen"), Row("fine", POSITIVE)]) == [("screen", "great"), ("", "fine")]
