"""The pool of texts for the teacher: no hold-out in it, no text twice. Needs the standard library only."""

from __future__ import annotations

import lzma
from pathlib import Path

from training.models.sentiment.pool import pool
from training.text.corpora import NEUTRAL, Row
from training.text.hold_outs import VALIDATION, Split


def test_the_pool_is_free_of_hold_outs_and_repetitions(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    lines = [
        "a post that only the validation set has, nearly",
        "@x A POST that only the validation set HAS! http://t.co/1",
        "the same text as in the training corpus",
        "a text of its own, long enough",
        "A text of its own, LONG enough!!",
        "short",
    ]
    (tmp_path / "text" / "brand_tweets.txt.xz").write_bytes(lzma.compress("\n".join(lines).encode()))
    split = Split(
        {
            VALIDATION: [Row("a post that only the validation set has", NEUTRAL)],
            "semeval": [Row("The same text as in the training corpus.", NEUTRAL)] * 2,
        }
    )
    assert list(pool(tmp_path, split, {"brand_tweets": 1}, ["semeval"])) == [
        ("semeval", "The same text as in the training corpus."),
        ("brand_tweets", lines[0]),
        ("brand_tweets", lines[3]),
    ]
