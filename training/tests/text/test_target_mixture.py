"""What trains towards a target. Needs torch and the shipped tokenizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.models.sentiment.recipe import FULL
from training.models.sentiment.student import Labelled
from training.models.sentiment.target_mixture import (
    OTHERS,
    TOWARDS,
    rows_used,
    target_mixture,
)
from training.text.corpora import NEGATIVE, POSITIVE, Row
from training.text.hold_outs import VALIDATION, Split
from training.text.tokenizer import load_tokenizer


def test_the_mixture_has_every_source_of_the_stage_and_keeps_the_teachers_labels(model_folder: Path) -> None:
    rows = [Row("the screen is great but support never answers", POSITIVE, "screen"), Row("no answer yet", NEGATIVE)]
    split = Split(dict.fromkeys((*TOWARDS, *OTHERS), rows) | {VALIDATION: [Row("held out", NEGATIVE)]})
    opinions = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]], dtype=np.float32)
    mixed = target_mixture(split, Labelled(["a post", "another one"], opinions), load_tokenizer(model_folder / "tokenizer.json"), 32, 50, seed=1)
    assert set(mixed.sources) == set(FULL.targets[0].shares)
    taught = mixed.source == mixed.sources.index("teachers")
    assert mixed.soft_labels[taught].tolist() == opinions.tolist()
    assert (mixed.source == mixed.sources.index("templates")).sum() == 50
    # Whole posts, targets and drills train what is exported, the others a correction of their own.
    exported = {name for name, output in zip(mixed.sources, mixed.output_of, strict=True) if output == 0}
    assert exported == {*TOWARDS, "teachers", "templates"}
    used = {row["file"]: row for row in rows_used(mixed, FULL.targets)}
    assert used["targets.tsv.xz"] == {"file": "targets.tsv.xz", "rows": 2, "share": 3.0, "labels": "the corpus's"}
    # A target is marked where there is one.
    marked = mixed.encoded.spans[mixed.source == mixed.sources.index("targets")]
    assert marked[0].tolist() != [0, 0]
    assert marked[1].tolist() == [0, 0]
