"""The exported file as ONNX Runtime runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...model_folder.onnx_file import open_session


class ExportedWindows:
    """Runs an exported file on windows or on whole pictures."""

    def __init__(self, path: Path) -> None:
        self.session = open_session(path)

    def run(self, pixels: np.ndarray) -> np.ndarray:
        """Maps of probabilities float32 [batch, rows, columns] of pictures uint8 [batch, height, width, 3]."""
        return self.session.run(["probabilities"], {"pixels": pixels})[0]

    def score_map(self, picture: np.ndarray) -> np.ndarray:
        """The map [rows, columns] of one picture uint8 [height, width, 3]."""
        return self.run(picture[None])[0]

    def window_scores(self, pixels: np.ndarray, batch: int = 32) -> np.ndarray:
        """One probability a window, for windows uint8 [n, 50, 102, 3]."""
        return np.concatenate([self.run(pixels[start : start + batch])[:, 0, 0] for start in range(0, len(pixels), batch)])
