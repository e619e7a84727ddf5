"""Texts as token ids, and batches of texts of one length.

All texts of a batch have the same number of tokens, so training needs no padding and no masks, and the
LSTM takes its fast path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from .targets import NO_TARGET, place_in_text, token_span
from .tokenizer import UNKNOWN_ID


@dataclass
class Encoded:
    """Token ids of many texts, end to end: text i is `ids[starts[i] : starts[i + 1]]`."""

    ids: np.ndarray  # int32 [tokens of all texts]
    starts: np.ndarray  # int64 [texts + 1]
    spans: np.ndarray  # int64 [texts, 2]: token span of the target in each text, half-open; (0, 0) for none

    def __len__(self) -> int:
        return len(self.starts) - 1

    def lengths(self) -> np.ndarray:
        """Tokens of each text, int64 [texts]."""
        return np.diff(self.starts)

    def rows(self, which: np.ndarray) -> np.ndarray:
        """Ids of equally long texts, int64 [len(which), tokens]."""
        length = self.starts[which[0] + 1] - self.starts[which[0]]
        return self.ids[self.starts[which][:, None] + np.arange(length)].astype(np.int64)


def encode(
    tokenizer: Tokenizer, texts: Iterable[str], max_tokens: int, drop: frozenset[int] = frozenset(),
    targets: Sequence[str | None] | None = None,
) -> Encoded:
    """Encodes texts: truncates to `max_tokens` and turns an empty text into the unknown token, as the
    daemon does. `targets`: the target of each text. `drop`: ids to remove, only without `targets`."""
    parts: list[list[int]] = []
    spans: list[tuple[int, int]] = []
    batch: list[str] = []

    def flush() -> None:
        if targets is None:
            for encoding in tokenizer.encode_batch_fast(batch):
                ids = [i for i in encoding.ids if i not in drop] if drop else encoding.ids
                parts.append(ids[:max_tokens] or [UNKNOWN_ID])
                spans.append(NO_TARGET)
        else:
            wanted = targets[len(parts) : len(parts) + len(batch)]
            for text, target, encoding in zip(batch, wanted, tokenizer.encode_batch(batch), strict=True):
                parts.append(encoding.ids[:max_tokens] or [UNKNOWN_ID])
                spans.append(token_span(encoding.offsets, place_in_text(text, target or ""), max_tokens))
        batch.clear()

    for text in texts:
        batch.append(text)
        if len(batch) == 10_000:
            flush()
    flush()
    starts = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in parts], out=starts[1:])
    ids = np.fromiter((i for part in parts for i in part), dtype=np.int32, count=starts[-1])
    return Encoded(ids, starts, np.array(spans, dtype=np.int64).reshape(-1, 2))


def concatenate(parts: list[Encoded]) -> Encoded:
    """Concatenates encoded texts."""
    starts = [np.zeros(1, dtype=np.int64)]
    offset = 0
    for part in parts:
        starts.append(part.starts[1:] + offset)
        offset += part.starts[-1]
    return Encoded(
        np.concatenate([part.ids for part in parts]), np.concatenate(starts), np.concatenate([part.spans for part in parts])
    )


def batches_of_one_length(
    lengths: np.ndarray, chosen: np.ndarray, batch_size: int, generator: np.random.Generator | None
) -> Iterator[np.ndarray]:
    """Yields batches of row numbers from `chosen`, each of texts of equal length; shuffled if a generator is given."""
    if generator is not None:
        chosen = generator.permutation(chosen)
    chosen = chosen[np.argsort(lengths[chosen], kind="stable")]
    borders = np.flatnonzero(np.diff(lengths[chosen])) + 1
    batches = [
        group[at : at + batch_size]
        for group in np.split(chosen, borders)
        for at in range(0, len(group), batch_size)
        if len(group)
    ]
    order = generator.permutation(len(batches)) if generator is not None else range(len(batches))
    for index in order:
        yield batches[index]
