"""A model folder run with ONNX Runtime, with the target where the model takes one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from training.sentiment.runtime import ExportedModel

from .cases import Scores

TARGET_INPUTS = ("target_starts", "target_ends")


def span_of(text: str, target: str | None) -> tuple[int, int]:
    """Characters of the first place that holds the target, in whatever case; (0, 0) if none does."""
    found = re.search(re.escape(target), text, re.IGNORECASE) if target else None
    return found.span() if found else (0, 0)


def tokens_of(offsets: list[tuple[int, int]], span: tuple[int, int]) -> tuple[int, int]:
    """The half-open range of tokens that share a character with the span. If none does, the last token that begins
    before its end, as in the daemon: a token that replaces characters may be known by the last of them alone."""
    inside = [index for index, (start, end) in enumerate(offsets) if start < span[1] and end > span[0]]
    if not inside:
        inside = [index for index, (start, _) in enumerate(offsets) if start < span[1]][-1:]
    return (inside[0], inside[-1] + 1) if inside else (0, 0)


class OnnxModel:
    """Scores texts as `overheard score` does. A model without inputs for the target judges the whole text."""

    def __init__(self, folder: Path):
        self.exported = ExportedModel(folder)
        self.name = f"{self.exported.manifest['name']}@{self.exported.manifest['version']}"
        inputs = {value.name for value in self.exported.session.get_inputs()}
        self.takes_target = inputs.issuperset(TARGET_INPUTS)

    def __call__(self, asked: list[tuple[str, str | None]]) -> list[Scores]:
        rows = [self._encode(text, target) for text, target in asked]
        order = sorted(range(len(rows)), key=lambda index: len(rows[index][0]))
        scores: list[Scores] = [None] * len(rows)
        for at in range(0, len(order), 64):
            batch = order[at : at + 64]
            for index, probabilities in zip(batch, self._run([rows[index] for index in batch]), strict=True):
                scores[index] = tuple(map(float, probabilities))
        return scores

    def _encode(self, text: str, target: str | None) -> tuple[list[int], tuple[int, int]]:
        encoding = self.exported.tokenizer.encode(text)
        start, end = tokens_of(encoding.offsets, span_of(text, target))
        most = self.exported.max_tokens
        return encoding.ids[:most] or [self.exported.empty_id], (start, min(end, most)) if start < most else (0, 0)

    def _run(self, rows: list[tuple[list[int], tuple[int, int]]]) -> np.ndarray:
        lengths = np.array([len(ids) for ids, _ in rows], dtype=np.int64)
        input_ids = np.full((len(rows), lengths.max()), self.exported.pad_id, dtype=np.int64)
        for index, (ids, _) in enumerate(rows):
            input_ids[index, : len(ids)] = ids
        values = {"input_ids": input_ids, "lengths": lengths}
        if self.takes_target:
            spans = np.array([span for _, span in rows], dtype=np.int64)
            values |= dict(zip(TARGET_INPUTS, (spans[:, 0], spans[:, 1]), strict=True))
        return self.exported.session.run(["probabilities"], values)[0]
