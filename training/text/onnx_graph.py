"""Shared parts of the text models' ONNX graphs, which are built operator by operator.

Exporters don't preserve what the graphs need: lengths as an input of the LSTM operator and masks in the pooling, so that
padding never changes a row, and 8-bit storage of large weights.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 21, 10
# PyTorch orders LSTM gates as input, forget, cell, output; ONNX as input, output, forget, cell.
GATE_ORDER = (0, 3, 1, 2)
_VERY_NEGATIVE = -1e9


class Graph:
    """Collects nodes and weights."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: np.ndarray) -> str:
        """Adds an initializer; returns its name."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=f"{output}_node", domain=domain, **attributes))
        return output


def quantized(values: np.ndarray, axis: int, most: int = 127) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric quantization: int8 values from -most to most, and float32 scales, one per slice along `axis`."""
    scales = np.maximum(np.abs(values).max(axis=axis, keepdims=True), 1e-8) / most
    return np.round(values / scales).astype(np.int8), scales.astype(np.float32)


def mask(graph: Graph) -> None:
    """Adds `real` bool [batch, tokens, 1], the mask of unpadded tokens."""
    graph.node("Shape", ["input_ids"], "token_count", start=1, end=2)
    graph.weight("zero", np.array(0, dtype=np.int64))
    graph.weight("one", np.array(1, dtype=np.int64))
    graph.weight("first_axis", np.array([0], dtype=np.int64))
    graph.weight("last_axis", np.array([2], dtype=np.int64))
    graph.weight("time_axis", np.array([1], dtype=np.int64))
    graph.node("Squeeze", ["token_count", "first_axis"], "token_limit")
    graph.node("Range", ["zero", "token_limit", "one"], "positions")
    graph.node("Unsqueeze", ["lengths", "time_axis"], "lengths_column")
    graph.node("Less", ["positions", "lengths_column"], "real_flat")
    graph.node("Unsqueeze", ["real_flat", "last_axis"], "real")
    graph.weight("very_negative", np.array(_VERY_NEGATIVE, dtype=np.float32))


def pooled(graph: Graph, weights: dict[str, np.ndarray], question: str) -> tuple[str, str, str]:
    """Attention, maximum and mean [batch, 2 * hidden] of `states` over the unpadded tokens; `question` is the
    attention's bias, added before its tanh."""
    graph.weight("attention_matrix", weights["attention_hidden.weight"].T)
    graph.weight("attention_vector", weights["attention_score.weight"].T)
    graph.node("MatMul", ["states", "attention_matrix"], "attention_product")
    graph.node("Add", ["attention_product", question], "attention_sum")
    graph.node("Tanh", ["attention_sum"], "attention_hidden")
    graph.node("MatMul", ["attention_hidden", "attention_vector"], "attention_scores")
    graph.node("Where", ["real", "attention_scores", "very_negative"], "attention_masked")
    graph.node("Softmax", ["attention_masked"], "attention", axis=1)
    graph.node("Mul", ["attention", "states"], "attention_weighted")
    graph.node("ReduceSum", ["attention_weighted", "time_axis"], "attended", keepdims=0)
    graph.node("Where", ["real", "states", "very_negative"], "states_for_maximum")
    graph.node("ReduceMax", ["states_for_maximum", "time_axis"], "maximum", keepdims=0)
    graph.node("Cast", ["real"], "real_number", to=TensorProto.FLOAT)
    graph.node("Mul", ["states", "real_number"], "states_for_mean")
    graph.node("ReduceSum", ["states_for_mean", "time_axis"], "sum_of_states", keepdims=0)
    graph.node("Cast", ["lengths_column"], "lengths_number", to=TensorProto.FLOAT)
    graph.node("Div", ["sum_of_states", "lengths_number"], "mean")
    return "attended", "maximum", "mean"
