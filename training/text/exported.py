"""Runs an exported model as the daemon does. Needs only NumPy, tokenizers and ONNX Runtime."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from .targets import NO_TARGET, place_in_text, token_span


class ExportedModel:
    """A model folder: `manifest.json` and its files."""

    def __init__(self, folder: Path):
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        files = manifest["files"]
        self.set_up(
            folder / files["model"]["path"],
            folder / files["tokenizer"]["path"],
            manifest["pad_id"],
            manifest["empty_id"],
            manifest["max_tokens"],
        )
        self.manifest = manifest

    @classmethod
    def from_files(cls, model: Path, tokenizer: Path, pad_id: int, empty_id: int, max_tokens: int) -> ExportedModel:
        """For a model whose manifest isn't written yet."""
        exported = cls.__new__(cls)
        exported.set_up(model, tokenizer, pad_id, empty_id, max_tokens)
        return exported

    def set_up(self, model: Path, tokenizer: Path, pad_id: int, empty_id: int, max_tokens: int) -> None:
        """Opens both files; uses one thread, so that results don't depend on the machine."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.takes_targets = any(tensor.name == "target_starts" for tensor in self.session.get_inputs())
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.pad_id, self.empty_id, self.max_tokens = pad_id, empty_id, max_tokens

    def ids(self, text: str) -> list[int]:
        """Token ids of a text: at least one, at most `max_tokens`."""
        return self.row(text, None)[0]

    def row(self, text: str, target: str | None) -> tuple[list[int], tuple[int, int]]:
        """Token ids of a text, and the token span of the target's first occurrence, half-open; (0, 0) for none."""
        encoding = self.tokenizer.encode(text)
        span = token_span(encoding.offsets, place_in_text(text, target), self.max_tokens) if target else NO_TARGET
        return encoding.ids[: self.max_tokens] or [self.empty_id], span

    def run(self, rows: list[list[int]], pad_to: int = 0, spans: list[tuple[int, int]] | None = None) -> np.ndarray:
        """Probabilities float32 [rows, 3] of one padded batch of token ids, towards the target spans in `spans`."""
        width = max(pad_to, max(map(len, rows)))
        input_ids = np.full((len(rows), width), self.pad_id, dtype=np.int64)
        for index, row in enumerate(rows):
            input_ids[index, : len(row)] = row
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        inputs = {"input_ids": input_ids, "lengths": lengths}
        if self.takes_targets:
            places = np.array(spans or [NO_TARGET] * len(rows), dtype=np.int64)
            inputs |= {"target_starts": places[:, 0].copy(), "target_ends": places[:, 1].copy()}
        return self.session.run(["probabilities"], inputs)[0]

    def probabilities(self, texts: list[str], batch_size: int = 64, targets: list[str | None] | None = None) -> np.ndarray:
        """Probabilities float32 [texts, 3], in the order of the texts."""
        rows = [self.row(text, target) for text, target in zip(texts, targets or [None] * len(texts), strict=True)]
        order = sorted(range(len(rows)), key=lambda index: len(rows[index][0]))
        result = np.zeros((len(rows), 3), dtype=np.float32)
        for at in range(0, len(order), batch_size):
            batch = order[at : at + batch_size]
            ids, spans = zip(*(rows[index] for index in batch), strict=True)
            result[batch] = self.run(list(ids), spans=list(spans))
        return result
