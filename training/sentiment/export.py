"""Writes the network as an ONNX graph, operator by operator, from its trained weights.

The graph is built by hand so that nothing depends on an exporter: the lengths go into the LSTM
operator and masks into the poolings, so padding never changes a row. Word vectors are stored in 8 bits
with a scale for each; the LSTMs' matrices, too, with a scale for each unit, and run in 8 bits
(DynamicQuantizeLSTM, an operator of ONNX Runtime's own). Everything else has 32 bits.

That operator takes the range of its inputs from the whole batch, so a text's score would depend on its
company. Two sentinels hold the range: inputs that are always as large as an input can be, with weights
of zero, and units whose gates stand open, whose state grows as fast as any can. No score changes, and
none depends on other rows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .corpus import LABELS
from .network import BEFORE, BEHIND, DISTANCES, STEPS

OPSET, IR_VERSION = 21, 10
# PyTorch orders an LSTM's gates input, forget, cell, output; ONNX wants input, output, forget, cell.
GATE_ORDER = (0, 3, 1, 2)
_VERY_NEGATIVE = -1e9
# A gate with this bias is open, a candidate with it is 1 or -1, as far as 32 bits can tell.
_OPEN = 30.0
# Processors without VNNI add two products in 16 bits, which 8-bit weights can overflow: 7 bits can't.
_MOST = 63


class Graph:
    """Collects nodes and weights."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: np.ndarray) -> str:
        """Stores a tensor."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=f"{output}_node", domain=domain, **attributes))
        return output


def quantized(values: np.ndarray, axis: int, most: int = 127) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers from -most to most, and the scales that bring them back; `axis` is reduced to its largest."""
    scales = np.maximum(np.abs(values).max(axis=axis, keepdims=True), 1e-8) / most
    return np.round(values / scales).astype(np.int8), scales.astype(np.float32)


def rounded(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights as the exported file keeps them."""
    result = {}
    for name, value in weights.items():
        if name == "embedding.weight" or ".weight_" in name:
            numbers, scales = quantized(value, 1, 127 if name == "embedding.weight" else _MOST)
            value = numbers.astype(np.float32) * scales
        result[name] = value
    return result


def build_model(weights: dict[str, np.ndarray], temperature: float, target_temperature: float = 1.0) -> onnx.ModelProto:
    """The model of `weights` (the names of SentimentNetwork's state): input_ids int64 [batch, tokens], lengths,
    target_starts and target_ends int64 [batch] to probabilities float32 [batch, 3]. `temperature` is that of whole texts,
    `target_temperature` that of rows with a target."""
    graph = Graph()
    numbers, scales = quantized(weights["embedding.weight"], 1)
    graph.weight("embedding_numbers", numbers)
    graph.weight("embedding_scales", scales)
    graph.node("Gather", ["embedding_numbers", "input_ids"], "vectors_numbers", axis=0)
    graph.node("Gather", ["embedding_scales", "input_ids"], "vectors_scales", axis=0)
    graph.node("Cast", ["vectors_numbers"], "vectors_unscaled", to=TensorProto.FLOAT)
    graph.node("Mul", ["vectors_unscaled", "vectors_scales"], "words")
    mask(graph)
    _distance(graph, weights)
    graph.node("Add", ["words", "distance_vectors"], "vectors")
    graph.node("Transpose", ["vectors"], "time_major", perm=[1, 0, 2])
    graph.node("Cast", ["lengths"], "sequence_lengths", to=TensorProto.INT32)
    largest = np.abs(weights["embedding.weight"]).max() + np.abs(weights["distance.weight"]).max()
    states = _lstm(graph, weights, "layer_1", "time_major", float(largest))
    states = _lstm(graph, weights, "layer_2", states, 1.0)
    graph.node("Transpose", [states], "states", perm=[1, 0, 2])
    _pool(graph, weights)
    graph.weight("output_weight", weights["output.weight"])
    graph.weight("output_bias", weights["output.bias"])
    graph.node("Gemm", ["features", "output_weight", "output_bias"], "logits", transB=1)
    graph.weight("sharpnesses", np.float32([1 / temperature, 1 / target_temperature]))
    graph.node("Gather", ["sharpnesses", "has_target_number"], "sharpness", axis=0)
    graph.node("Mul", ["logits", "sharpness"], "calibrated")
    graph.node("Softmax", ["calibrated"], "probabilities", axis=1)
    numbers_of = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch"]) for name in ("lengths", "target_starts", "target_ends")]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "sentiment",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"]), *numbers_of],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 3])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)],
        ir_version=IR_VERSION,
        producer_name="overheard-training",
    )
    # The file itself names its labels, so that a manifest of another model does not fit it.
    helper.set_model_props(model, {"labels": ",".join(LABELS)})
    onnx.checker.check_model(model)
    return model


def _lstm(graph: Graph, weights: dict[str, np.ndarray], layer: str, inputs: str, largest: float) -> str:
    """A bidirectional layer: [tokens, batch, features] to [tokens, batch, 2 * hidden]. No input is above `largest`."""
    hidden = weights[f"{layer}.weight_hh_l0"].shape[1]

    def gates(name: str, further_columns: int = 0) -> np.ndarray:
        """A parameter of both directions [2, 4 * (hidden + 2), ...], with rows of zeros for the sentinel units."""
        directions = []
        for suffix in ("", "_reverse"):
            blocks = np.split(weights[f"{layer}.{name}_l0{suffix}"], 4)
            room = [(0, 2)] + [(0, further_columns)] * (blocks[0].ndim - 1)
            directions.append(np.concatenate([np.pad(blocks[gate], room) for gate in GATE_ORDER]))
        return np.stack(directions)

    bias = gates("bias_ih").reshape(2, 4, hidden + 2)
    bias[:, :, hidden:] = _OPEN
    bias[:, 3, hidden + 1] = -_OPEN  # the candidate of the second sentinel
    graph.weight(f"{layer}_sentinels", np.tile(np.float32([largest, -largest]), (DISTANCES, 1)))
    graph.node("Gather", [f"{layer}_sentinels", "distance"], f"{layer}_sentinel_rows", axis=0)
    graph.node("Transpose", [f"{layer}_sentinel_rows"], f"{layer}_sentinel_inputs", perm=[1, 0, 2])
    inputs = graph.node("Concat", [inputs, f"{layer}_sentinel_inputs"], f"{layer}_inputs", axis=2)
    names = []
    for part, name in (("input", "weight_ih"), ("recurrent", "weight_hh")):
        numbers, scales = quantized(gates(name, 2), 2, _MOST)
        names.append(graph.weight(f"{layer}_{part}", numbers.transpose(0, 2, 1)))
        names.append(graph.weight(f"{layer}_{part}_scales", scales[..., 0]))
        names.append(graph.weight(f"{layer}_{part}_zeros", np.zeros(scales.shape[:2], dtype=np.int8)))
    graph.weight(f"{layer}_bias", np.concatenate([bias.reshape(2, -1), gates("bias_hh")], axis=1))
    matrix_in, scales_in, zeros_in, matrix_back, scales_back, zeros_back = names
    graph.node(
        "DynamicQuantizeLSTM",
        [
            inputs, matrix_in, matrix_back, f"{layer}_bias", "sequence_lengths", "", "", "",
            scales_in, zeros_in, scales_back, zeros_back,
        ],
        f"{layer}_by_direction",
        domain="com.microsoft",
        direction="bidirectional",
        hidden_size=hidden + 2,
    )
    graph.weight(f"{layer}_first", np.array([0], dtype=np.int64))
    graph.weight(f"{layer}_hidden", np.array([hidden], dtype=np.int64))
    graph.weight(f"{layer}_hidden_axis", np.array([3], dtype=np.int64))
    graph.node(
        "Slice", [f"{layer}_by_direction", f"{layer}_first", f"{layer}_hidden", f"{layer}_hidden_axis"], f"{layer}_own_states"
    )
    # [tokens, 2, batch, hidden] -> [tokens, batch, 2 * hidden]
    graph.node("Transpose", [f"{layer}_own_states"], f"{layer}_directions_last", perm=[0, 2, 1, 3])
    graph.weight(f"{layer}_shape", np.array([0, 0, 2 * hidden], dtype=np.int64))
    return graph.node("Reshape", [f"{layer}_directions_last", f"{layer}_shape"], f"{layer}_states")


def mask(graph: Graph) -> None:
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


def _distance(graph: Graph, weights: dict[str, np.ndarray]) -> None:
    """`distance_vectors` [batch, tokens, dimensions], and `inside` float32 [batch, tokens, 1]: the target's tokens."""
    graph.node("Unsqueeze", ["target_starts", "time_axis"], "starts_column")
    graph.node("Unsqueeze", ["target_ends", "time_axis"], "ends_column")
    graph.weight("farthest", np.array(STEPS[-1], dtype=np.int64))
    graph.weight("before_numbers", BEFORE)
    graph.weight("behind_numbers", BEHIND)
    graph.node("Sub", ["starts_column", "positions"], "before_signed")
    graph.node("Clip", ["before_signed", "zero", "farthest"], "before")
    graph.node("Gather", ["before_numbers", "before"], "before_number", axis=0)
    graph.node("Sub", ["positions", "ends_column"], "behind_less_one")
    graph.node("Add", ["behind_less_one", "one"], "behind_signed")
    graph.node("Clip", ["behind_signed", "zero", "farthest"], "behind")
    graph.node("Gather", ["behind_numbers", "behind"], "behind_number", axis=0)
    graph.node("Add", ["before_number", "behind_number"], "outside_number")
    graph.node("Add", ["outside_number", "one"], "target_number")
    graph.node("Greater", ["ends_column", "starts_column"], "has_target")
    graph.node("Cast", ["has_target"], "has_target_number", to=TensorProto.INT64)
    graph.node("Mul", ["target_number", "has_target_number"], "distance")
    graph.weight("distance_matrix", weights["distance.weight"])
    graph.node("Gather", ["distance_matrix", "distance"], "distance_vectors", axis=0)
    graph.node("Equal", ["distance", "one"], "inside_flat")
    graph.node("Unsqueeze", ["inside_flat", "last_axis"], "inside_truth")
    graph.node("Cast", ["inside_truth"], "inside", to=TensorProto.FLOAT)


def _pool(graph: Graph, weights: dict[str, np.ndarray]) -> None:
    """`features` [batch, 8 * hidden]: attention, maximum and mean over the real tokens, mean over the target."""
    graph.node("Mul", ["states", "inside"], "states_of_target")
    graph.node("ReduceSum", ["states_of_target", "time_axis"], "sum_of_target", keepdims=0)
    graph.node("ReduceSum", ["inside", "time_axis"], "inside_count", keepdims=0)
    graph.weight("one_token", np.array(1, dtype=np.float32))
    graph.node("Max", ["inside_count", "one_token"], "target_tokens")
    graph.node("Div", ["sum_of_target", "target_tokens"], "target")
    graph.weight("attention_target_matrix", weights["attention_target.weight"].T)
    graph.weight("attention_bias", weights["attention_hidden.bias"])
    graph.node("MatMul", ["target", "attention_target_matrix"], "target_question")
    graph.node("Add", ["target_question", "attention_bias"], "question_flat")
    graph.node("Unsqueeze", ["question_flat", "time_axis"], "question")
    graph.node("Concat", [*pooled(graph, weights, "question"), "target"], "features", axis=1)


def pooled(graph: Graph, weights: dict[str, np.ndarray], question: str) -> tuple[str, str, str]:
    """Attention, maximum and mean [batch, 2 * hidden] of `states` over the real tokens; `question` is added before the
    attention's nonlinearity."""
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


def save_model(model: onnx.ModelProto, path: Path) -> None:
    """Writes the file in one step, so a reader never sees half of it."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(model.SerializeToString(deterministic=True))
    partial.replace(path)
