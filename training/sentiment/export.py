"""Writes the network as an ONNX graph, operator by operator, from its trained weights.

The graph is built by hand so that nothing depends on an exporter: the lengths go into the LSTM
operator and masks into the poolings, so padding never changes a row. Weights are stored as 16-bit
floats and cast when the model is loaded, except where rounding would show.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .corpus import LABELS

OPSET, IR_VERSION = 21, 10
# PyTorch orders an LSTM's gates input, forget, cell, output; ONNX wants input, output, forget, cell.
_GATE_ORDER = (0, 3, 1, 2)
_VERY_NEGATIVE = -1e9


class _Graph:
    """Collects nodes and weights."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: np.ndarray, half: bool = False) -> str:
        """Stores a tensor; `half` keeps 16 bits in the file and casts to float32."""
        values = np.ascontiguousarray(values)
        if not half:
            self.weights.append(numpy_helper.from_array(values, name))
            return name
        self.weights.append(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        return self.node("Cast", [f"{name}_half"], name, to=TensorProto.FLOAT)

    def node(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=f"{output}_node", **attributes))
        return output


def rounded(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights as the exported file keeps them: vectors and LSTM matrices through 16 bits."""
    return {
        name: value.astype(np.float16).astype(np.float32) if _is_half(name) else value for name, value in weights.items()
    }


def _is_half(name: str) -> bool:
    return name == "embedding.weight" or ".weight_" in name


def build_model(weights: dict[str, np.ndarray], temperature: float) -> onnx.ModelProto:
    """The model of `weights` (the names of SentimentNetwork's state): input_ids int64 [batch, tokens]
    and lengths int64 [batch] to probabilities float32 [batch, 3]."""
    graph = _Graph()
    graph.weight("embedding_half", weights["embedding.weight"].astype(np.float16))
    graph.node("Gather", ["embedding_half", "input_ids"], "vectors_half", axis=0)
    graph.node("Cast", ["vectors_half"], "vectors", to=TensorProto.FLOAT)
    graph.node("Transpose", ["vectors"], "time_major", perm=[1, 0, 2])
    graph.node("Cast", ["lengths"], "sequence_lengths", to=TensorProto.INT32)
    states = _lstm(graph, weights, "layer_1", "time_major")
    states = _lstm(graph, weights, "layer_2", states)
    graph.node("Transpose", [states], "states", perm=[1, 0, 2])
    _mask(graph)
    _pool(graph, weights)
    graph.weight("output_weight", weights["output.weight"] / np.float32(temperature))
    graph.weight("output_bias", weights["output.bias"] / np.float32(temperature))
    graph.node("Gemm", ["features", "output_weight", "output_bias"], "logits", transB=1)
    graph.node("Softmax", ["logits"], "probabilities", axis=1)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "sentiment",
            [
                helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"]),
                helper.make_tensor_value_info("lengths", TensorProto.INT64, ["batch"]),
            ],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 3])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="overheard-training",
    )
    # The file itself names its labels, so that a manifest of another model does not fit it.
    helper.set_model_props(model, {"labels": ",".join(LABELS)})
    onnx.checker.check_model(model, full_check=True)
    return model


def _lstm(graph: _Graph, weights: dict[str, np.ndarray], layer: str, inputs: str) -> str:
    """A bidirectional layer: [tokens, batch, features] to [tokens, batch, 2 * hidden]."""

    def gates(name: str) -> np.ndarray:
        directions = []
        for suffix in ("", "_reverse"):
            blocks = np.split(weights[f"{layer}.{name}_l0{suffix}"], 4)
            directions.append(np.concatenate([blocks[gate] for gate in _GATE_ORDER]))
        return np.stack(directions)

    hidden = weights[f"{layer}.weight_hh_l0"].shape[1]
    graph.weight(f"{layer}_input", gates("weight_ih"), half=True)
    graph.weight(f"{layer}_recurrent", gates("weight_hh"), half=True)
    graph.weight(f"{layer}_bias", np.concatenate([gates("bias_ih"), gates("bias_hh")], axis=1))
    graph.node(
        "LSTM",
        [inputs, f"{layer}_input", f"{layer}_recurrent", f"{layer}_bias", "sequence_lengths"],
        f"{layer}_by_direction",
        direction="bidirectional",
        hidden_size=hidden,
    )
    # [tokens, 2, batch, hidden] -> [tokens, batch, 2 * hidden]
    graph.node("Transpose", [f"{layer}_by_direction"], f"{layer}_directions_last", perm=[0, 2, 1, 3])
    graph.weight(f"{layer}_shape", np.array([0, 0, 2 * hidden], dtype=np.int64))
    return graph.node("Reshape", [f"{layer}_directions_last", f"{layer}_shape"], f"{layer}_states")


def _mask(graph: _Graph) -> None:
    """`real` bool [batch, tokens, 1]: which tokens are text rather than padding."""
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


def _pool(graph: _Graph, weights: dict[str, np.ndarray]) -> None:
    """`features` [batch, 6 * hidden]: attention, maximum and mean over the real tokens."""
    graph.weight("attention_matrix", weights["attention_hidden.weight"].T)
    graph.weight("attention_bias", weights["attention_hidden.bias"])
    graph.weight("attention_vector", weights["attention_score.weight"].T)
    graph.node("MatMul", ["states", "attention_matrix"], "attention_product")
    graph.node("Add", ["attention_product", "attention_bias"], "attention_sum")
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
    graph.node("Concat", ["attended", "maximum", "mean"], "features", axis=1)


def save_model(model: onnx.ModelProto, path: Path) -> None:
    """Writes the file in one step, so a reader never sees half of it."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(model.SerializeToString(deterministic=True))
    partial.replace(path)
