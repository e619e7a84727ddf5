"""The reviews of the Large Movie Review set, and which of them judge.

Maas et al., "Learning Word Vectors for Sentiment Analysis" (ACL 2011): two halves that share no film. One
in ten of the training half validates, cut by the hash of its text; the rest falls into folds by the same hash.
`imdb_test` is for one look, when everything is decided.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from training.sentiment.batches import Encoded, encode
from training.sentiment.corpus import POSITIVE, Row, read_labelled
from training.sentiment.splits import text_key

TRAINING, TEST = "imdb_train", "imdb_test"
VALIDATION_PERCENT = 10
FOLDS = 5
# Reviews are read whole: the longest has some 3,000 pieces, and verdicts stand at the end.
MAX_TOKENS = 2048


def drawn(text: str, purpose: str) -> int:
    """A number from 0 to 2^32 - 1 that a text draws: the same for ever, on every machine."""
    return int.from_bytes(hashlib.sha256(f"overheard films {purpose} 1\n{text_key(text)}".encode()).digest()[:4], "big")


def validates(text: str) -> bool:
    """Whether a review of the training half is kept away to choose by."""
    return drawn(text, "validation") % 100 < VALIDATION_PERCENT


@dataclass(frozen=True)
class Reviews:
    """Encoded reviews."""

    encoded: Encoded
    positive: np.ndarray  # float32 [reviews]: 1 for positive, 0 for negative
    folds: np.ndarray  # int64 [reviews]: from 0 to FOLDS - 1

    def __len__(self) -> int:
        return len(self.positive)


def read_reviews(data: Path) -> tuple[list[Row], list[Row]]:
    """What trains and what validates. No text can stand in both, since the hash is the text's; those that stand in
    the test half too (123 of them do) are in neither."""
    tested = {text_key(row.text) for row in read_labelled(data, TEST)}
    rows = [row for row in read_labelled(data, TRAINING) if text_key(row.text) not in tested]
    return [row for row in rows if not validates(row.text)], [row for row in rows if validates(row.text)]


def encoded_reviews(rows: list[Row], tokenizer: Tokenizer) -> Reviews:
    """Reviews as ids, whole up to MAX_TOKENS."""
    return Reviews(
        encode(tokenizer, [row.text for row in rows], MAX_TOKENS),
        np.array([row.label == POSITIVE for row in rows], dtype=np.float32),
        np.array([drawn(row.text, "fold") % FOLDS for row in rows], dtype=np.int64),
    )
