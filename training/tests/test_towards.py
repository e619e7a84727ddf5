"""What trains towards a target. Needs torch and the shipped tokenizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch (training/requirements.txt): training towards targets is not tested here")

from training.distillation.student import Labelled
from training.sentiment.corpus import NEGATIVE, POSITIVE, Row
from training.sentiment.splits import VALIDATION, Split
from training.sentiment.tokenizer import load_tokenizer
from training.towards.mixture import OTHERS, STAGE, TOWARDS, mixture


def test_the_mixture_has_every_source_of_the_stage_and_keeps_the_teachers_labels(model_folder: Path) -> None:
    rows = [Row("the screen is great but support never answers", POSITIVE, "screen"), Row("no answer yet", NEGATIVE)]
    split = Split({name: rows for name in (*TOWARDS, *OTHERS)} | {VALIDATION: [Row("held out", NEGATIVE)]})
    opinions = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]], dtype=np.float32)
    mixed = mixture(split, Labelled(["a post", "another one"], opinions), load_tokenizer(model_folder / "tokenizer.json"), 32, 50, seed=1)
    assert set(mixed.sources) == set(STAGE.shares)
    taught = mixed.source == mixed.sources.index("taught")
    assert mixed.soft_labels[taught].tolist() == opinions.tolist()
    assert (mixed.source == mixed.sources.index("drills")).sum() == 50
    # Whole posts, targets and drills train what is exported, the others a correction of their own.
    exported = {name for name, output in zip(mixed.sources, mixed.output_of, strict=True) if output == 0}
    assert exported == {*TOWARDS, "taught", "drills"}
    # A target is marked where there is one.
    marked = mixed.encoded.spans[mixed.source == mixed.sources.index("targets")]
    assert marked[0].tolist() != [0, 0]
    assert marked[1].tolist() == [0, 0]
