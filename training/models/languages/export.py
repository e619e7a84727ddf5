"""The ONNX graph of a network without targets."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from ...text.network_export import build_model

TARGETS = ("target_starts", "target_ends")


def build_untargeted(weights: dict[str, np.ndarray], temperature: float) -> onnx.ModelProto:
    """The graph of text/network_export.py with the target inputs fixed to none: input_ids int64 [batch, tokens] and
    lengths int64 [batch] to probabilities float32 [batch, 3]."""
    model = build_model(weights, temperature)
    kept = [value for value in model.graph.input if value.name not in TARGETS]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    for name in TARGETS:
        model.graph.node.insert(0, helper.make_node("Sub", ["lengths", "lengths"], [name], name=f"{name}_node"))
    onnx.checker.check_model(model)
    return model
