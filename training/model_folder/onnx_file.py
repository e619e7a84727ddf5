"""Runs an exported file and checks it against the trained network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime


class ExportError(Exception):
    """The exported file gives other results than the trained network."""


def open_session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """A session on the CPU. With one thread results don't depend on the machine's cores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def check_distance(expected: np.ndarray, exported: np.ndarray, tolerance: float) -> float:
    """The largest difference between the results; raises ExportError if it is not below `tolerance`."""
    distance = float(np.abs(expected - exported).max())
    if not distance < tolerance:
        raise ExportError(f"the exported file is {distance:.2g} away from the trained network, {tolerance:g} are accepted")
    return distance
