"""Builds the ONNX graph of the network from its trained weights, operator by operator.

onnx_graph.py says why no exporter is used. Word vectors are stored in 8 bits with a scale per vector,
the LSTM matrices in 8 bits with a scale per unit. The LSTMs run in 8 bits (DynamicQuantizeLSTM, an ONNX
Runtime operator). Everything else is float32.

That operator takes the quantization range of its inputs from the whole batch, so a text's score would
depend on the other rows. Sentinels in each layer fix the range: constant inputs at the largest possible
magnitude, with zero weights, and hidden units with saturated gates, whose state grows at the maximum
rate. Zero weights and a Slice keep them out of the results.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from .corpora import LABELS
from .network import BEFORE, BEHIND, DISTANCES, STEPS
from .onnx_graph import GATE_ORDER, IR_VERSION, OPSET, Graph, mask, pooled, quantized

# Bias that saturates a gate at 1 and a candidate at 1 or -1 in float32.
_OPEN = 30.0
# CPUs without VNNI add two products in 16 bits. 8-bit weights can overflow them; 7-bit weights can't.
_MOST = 63


def rounded(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights after quantization, as in the exported file."""
    result = {}
    for name, value in weights.items():
        if name == "embedding.weight" or ".weight_" in name:
            numbers, scales = quantized(value, 1, 127 if name == "embedding.weight" else _MOST)
            value = numbers.astype(np.float32) * scales
        result[name] = value
    return result


def build_model(weights: dict[str, np.ndarray], temperature: float, target_temperature: float = 1.0) -> onnx.ModelProto:
    """The model of `weights` (keys of SentimentNetwork's state_dict): input_ids int64 [batch, tokens], lengths,
    target_starts and target_ends int64 [batch] to probabilities float32 [batch, 3]. `temperature` is for rows without a target,
    `target_temperature` for rows with one."""
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
    # Labels are stored in the file too, so that the manifest of another model is detected.
    helper.set_model_props(model, {"labels": ",".join(LABELS)})
    onnx.checker.check_model(model)
    return model


def _lstm(graph: Graph, weights: dict[str, np.ndarray], layer: str, inputs: str, largest: float) -> str:
    """A bidirectional layer: [tokens, batch, features] to [tokens, batch, 2 * hidden]. `largest` bounds the inputs' magnitude."""
    hidden = weights[f"{layer}.weight_hh_l0"].shape[1]

    def gates(name: str, further_columns: int = 0) -> np.ndarray:
        """A parameter of both directions [2, 4 * (hidden + 2), ...], zero-padded for the sentinel units."""
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


def _distance(graph: Graph, weights: dict[str, np.ndarray]) -> None:
    """Adds `distance_vectors` [batch, tokens, dimensions] and `inside` float32 [batch, tokens, 1], the mask of the target."""
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
    """Adds `features` [batch, 8 * hidden]: attention, maximum and mean over the unpadded tokens, mean over the target."""
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
