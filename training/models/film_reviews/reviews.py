"""The reviews of the Large Movie Review set, split into training, validation and test.

Maas et al., "Learning Word Vectors for Sentiment Analysis" (ACL 2011): two halves that share no film. A hash of
the text takes one in ten of the training half for validation and assigns the rest to folds. Evaluate on `imdb_test`
only once, after all decisions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from ...text.batches import Encoded, encode
from ...text.corpora import POSITIVE, Row, read_labelled
from ...text.hold_outs import text_key

TRAINING, TEST = "imdb_train", "imdb_test"
VALIDATION_PERCENT = 10
FOLDS = 5
# Most reviews fit: the longest has some 3,000 pieces. Verdicts are often at the end.
MAX_TOKENS = 2048


def drawn(text: str, purpose: str) -> int:
    """A hash of a text and a purpose, 0 to 2^32 - 1. It must not change, or texts change sides."""
    return int.from_bytes(hashlib.sha256(f"overheard films {purpose} 1\n{text_key(text)}".encode()).digest()[:4], "big")


def validates(text: str) -> bool:
    """Whether a review of the training half is used for validation."""
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
    """Training and validation rows. They share no text, since the split is by a hash of the text. Texts that are also in
    the test half (123) are left out."""
    tested = {text_key(row.text) for row in read_labelled(data, TEST)}
    rows = [row for row in read_labelled(data, TRAINING) if text_key(row.text) not in tested]
    return [row for row in rows if not validates(row.text)], [row for row in rows if validates(row.text)]


def encoded_reviews(rows: list[Row], tokenizer: Tokenizer) -> Reviews:
    """Encodes reviews, truncated to MAX_TOKENS."""
    return Reviews(
        encode(tokenizer, [row.text for row in rows], MAX_TOKENS),
        np.array([row.label == POSITIVE for row in rows], dtype=np.float32),
        np.array([drawn(row.text, "fold") % FOLDS for row in rows], dtype=np.int64),
    )
