"""Runs an exported model the way the daemon does. Needs NumPy and ONNX Runtime only."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime


class ExportedWindows:
    """A model folder (`manifest.json` and the file that it names), or a model file alone."""

    def __init__(self, path: Path) -> None:
        self.manifest: dict = {}
        if path.is_dir():
            self.manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
            path = path / self.manifest["files"]["model"]["path"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # so that results don't depend on the machine
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(self, pixels: np.ndarray) -> np.ndarray:
        """Maps of probabilities float32 [batch, rows, columns] of pictures uint8 [batch, height, width, 3]."""
        return self.session.run(["probabilities"], {"pixels": pixels})[0]

    def dense(self, picture: np.ndarray) -> np.ndarray:
        """The map [rows, columns] of one picture uint8 [height, width, 3]."""
        return self.run(picture[None])[0]

    def windows(self, pixels: np.ndarray, batch: int = 32) -> np.ndarray:
        """One probability a window, for windows uint8 [n, 50, 102, 3]."""
        return np.concatenate([self.run(pixels[at : at + batch])[:, 0, 0] for at in range(0, len(pixels), batch)])
