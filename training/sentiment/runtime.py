"""Runs an exported model the way the daemon does. Needs NumPy, tokenizers and ONNX Runtime only."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer


class ExportedModel:
    """A model folder: `manifest.json` and the files that it names."""

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
        """Opens both files; one thread, so that results don't depend on the machine."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.pad_id, self.empty_id, self.max_tokens = pad_id, empty_id, max_tokens

    def ids(self, text: str) -> list[int]:
        """Token ids of a text: at least one, at most `max_tokens`."""
        return self.tokenizer.encode(text).ids[: self.max_tokens] or [self.empty_id]

    def run(self, rows: list[list[int]], pad_to: int = 0) -> np.ndarray:
        """Probabilities float32 [rows, 3] of one padded batch of token ids."""
        width = max(pad_to, max(map(len, rows)))
        input_ids = np.full((len(rows), width), self.pad_id, dtype=np.int64)
        for index, row in enumerate(rows):
            input_ids[index, : len(row)] = row
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        return self.session.run(["probabilities"], {"input_ids": input_ids, "lengths": lengths})[0]

    def probabilities(self, texts: list[str], batch_size: int = 64) -> np.ndarray:
        """Probabilities float32 [texts, 3], in the order of the texts."""
        rows = [self.ids(text) for text in texts]
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        result = np.zeros((len(rows), 3), dtype=np.float32)
        for at in range(0, len(order), batch_size):
            batch = order[at : at + batch_size]
            result[batch] = self.run([rows[index] for index in batch])
        return result
