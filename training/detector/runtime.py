"""The exported file as ONNX Runtime runs it: what the figures of the manifest are measured with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from .boxes import Found
from .looking import Look


def onnx_look(path: Path, threads: int = 2) -> Look:
    """Looks with an exported file on the processor."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def look(pixels: np.ndarray) -> Found:
        boxes, scores, classes = session.run(["boxes", "scores", "classes"], {"pixels": pixels})
        return Found(boxes[0], scores[0], classes[0])

    return look
