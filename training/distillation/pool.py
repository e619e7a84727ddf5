"""The pool of texts that the teacher labels for the student: unlabelled posts and training texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from training.sentiment.corpus import read_plain
from training.sentiment.splits import Split, text_key

# Whose training texts join the unlabelled posts.
POOL_LABELLED = ["semeval", "semeval_topic", "tse", "brand_entity"]
# Shorter posts say too little for a label that is worth learning from.
LEAST_KEY_LENGTH = 12


def pool(data: Path, split: Split, plain: dict[str, int], labelled: list[str]) -> Iterator[tuple[str, str]]:
    """(name of the corpus, text) pairs: each text once, none from a hold-out, always in the same order.

    `plain`: unlabelled corpora, n keeps each n-th line; `labelled`: corpora whose training texts join.
    """
    seen: set[str] = set()
    for name in labelled:
        for row in split.training[name]:
            if (key := text_key(row.text)) not in seen:
                seen.add(key)
                yield name, row.text
    for name, every in plain.items():
        for text in read_plain(data, name, every):
            key = text_key(text)
            if len(key) >= LEAST_KEY_LENGTH and key not in seen and key not in split.held_out_keys:
                seen.add(key)
                yield name, text
