"""The pool of texts for distillation, which the teachers label: unlabelled posts and training texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...text.corpora import read_plain
from ...text.hold_outs import Split, text_key

# Corpora whose training texts are added to the unlabelled posts.
POOL_LABELLED = ["semeval", "semeval_topic", "tse", "brand_entity"]
# Minimum key length: shorter posts are too short for a useful label.
LEAST_KEY_LENGTH = 12


def pool(data: Path, split: Split, plain: dict[str, int], labelled: list[str]) -> Iterator[tuple[str, str]]:
    """(corpus, text) pairs in a fixed order, without duplicates and held-out texts.

    `plain`: unlabelled corpora, n keeps every n-th line; `labelled`: corpora whose training texts are added.
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
