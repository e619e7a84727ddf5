"""Builds the ONNX graph of the network from its trained weights, including the bigram and trigram tables.

Large tensors are stored in 8 bits: word vectors with a scale per word, LSTM matrices with a scale per unit, and the
tables. The graph dequantizes them to 32 bits before use, so it matches PyTorch with rounded weights. Lengths are an input of
the LSTM and pooling is masked, so padding never changes a row.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from ...text.corpora import LABELS
from ...text.onnx_graph import (
    GATE_ORDER,
    IR_VERSION,
    OPSET,
    Graph,
    mask,
    pooled,
    quantized,
)
from .ngrams import MARKS, Table


def rounded(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights after quantization, as in the exported file."""
    result = {}
    for name, value in weights.items():
        if name == "embedding.weight" or name.startswith("lstm.weight_"):
            numbers, scales = quantized(value, 1)
            value = numbers.astype(np.float32) * scales
        result[name] = value
    return result


def build_model(weights: dict[str, np.ndarray], tables: tuple[Table, Table], temperature: float) -> onnx.ModelProto:
    """The model of `weights` (keys of FilmNetwork's state_dict): input_ids int64 [batch, tokens] and lengths int64 [batch]
    to probabilities float32 [batch, 3]. The neutral column is zero, since the corpus has no neutral reviews."""
    graph = Graph()
    _from_8_bits(graph, "embedding", weights["embedding.weight"], gathered_by="input_ids")
    mask(graph)
    _grams(graph, tables, len(weights["embedding.weight"]))
    graph.node("Concat", ["embedding", "pair", "triple"], "inputs", axis=2)
    graph.node("Transpose", ["inputs"], "time_major", perm=[1, 0, 2])
    graph.node("Cast", ["lengths"], "sequence_lengths", to=TensorProto.INT32)
    _lstm(graph, weights)
    graph.weight("attention_bias", weights["attention_hidden.bias"])
    graph.node("Concat", pooled(graph, weights, "attention_bias"), "features", axis=1)
    graph.weight("output_weight", weights["output.weight"] / np.float32(temperature))
    graph.weight("output_bias", weights["output.bias"] / np.float32(temperature))
    graph.node("Gemm", ["features", "output_weight", "output_bias"], "odds", transB=1)
    graph.node("Sigmoid", ["odds"], "positive")
    graph.weight("one_number", np.array(1, dtype=np.float32))
    graph.node("Sub", ["one_number", "positive"], "negative")
    graph.node("Sub", ["positive", "positive"], "neutral")
    graph.node("Concat", ["negative", "neutral", "positive"], "probabilities", axis=1)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "film-reviews",
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
    # Labels are stored in the file too, so that the manifest of another model is detected.
    helper.set_model_props(model, {"labels": ",".join(LABELS)})
    onnx.checker.check_model(model)
    return model


def _from_8_bits(graph: Graph, name: str, values: np.ndarray, gathered_by: str = "", axis: int = 1) -> str:
    """Adds `name`: the values, or the rows that `gathered_by` selects, stored in 8 bits with one scale per slice along `axis`."""
    numbers, scales = quantized(values, axis)
    kept = [graph.weight(f"{name}_numbers", numbers), graph.weight(f"{name}_scales", scales)]
    if gathered_by:
        kept = [graph.node("Gather", [one, gathered_by], f"{one}_here", axis=0) for one in kept]
    graph.node("Cast", [kept[0]], f"{name}_unscaled", to=TensorProto.FLOAT)
    return graph.node("Mul", [f"{name}_unscaled", kept[1]], name)


def _grams(graph: Graph, tables: tuple[Table, Table], vocabulary: int) -> None:
    """Adds `pair` and `triple` float32 [batch, tokens, 1], computed as `ngrams.Table.of(ngrams.keys)`."""
    graph.weight("vocabulary", np.array(vocabulary, dtype=np.int64))
    graph.weight("mark_count", np.array(MARKS, dtype=np.int64))
    graph.weight("nothing", np.array(0, dtype=np.float32))
    # For shifting ids right by one token: pad with 0 in front, drop the last token.
    graph.weight("minus_one", np.array([-1], dtype=np.int64))
    graph.weight("from_first", np.array([0], dtype=np.int64))
    graph.weight("one_before", np.array([0, 1, 0, 0], dtype=np.int64))

    def moved(ids: str, output: str) -> str:
        graph.node("Pad", [ids, "one_before", "zero"], f"{output}_longer")
        return graph.node("Slice", [f"{output}_longer", "from_first", "minus_one", "time_axis"], output)

    moved("input_ids", "word_before")
    moved("word_before", "word_two_before")
    graph.node("Mul", ["word_before", "vocabulary"], "word_before_raised")
    graph.node("Add", ["word_before_raised", "input_ids"], "pair_key")
    graph.node("Mul", ["word_two_before", "vocabulary"], "word_two_before_raised")
    graph.node("Add", ["word_two_before_raised", "word_before"], "pair_before_key")
    graph.node("Mul", ["pair_before_key", "vocabulary"], "pair_before_raised")
    graph.node("Add", ["pair_before_raised", "input_ids"], "triple_key")
    for name, table in zip(("pair", "triple"), tables, strict=True):
        graph.weight(f"{name}_rows", np.array(len(table.weights), dtype=np.int64))
        graph.weight(f"{name}_weights", table.weights)
        graph.weight(f"{name}_marks", table.marks)
        graph.weight(f"{name}_scale", np.array(table.scale, dtype=np.float32))
        graph.node("Mod", [f"{name}_key", f"{name}_rows"], f"{name}_row")
        graph.node("Div", [f"{name}_key", f"{name}_rows"], f"{name}_quotient")
        graph.node("Mod", [f"{name}_quotient", "mark_count"], f"{name}_mark")
        graph.node("Gather", [f"{name}_marks", f"{name}_row"], f"{name}_mark_of_row")
        graph.node("Cast", [f"{name}_mark_of_row"], f"{name}_mark_found", to=TensorProto.INT64)
        graph.node("Equal", [f"{name}_mark", f"{name}_mark_found"], f"{name}_known")
        graph.node("Gather", [f"{name}_weights", f"{name}_row"], f"{name}_number")
        graph.node("Cast", [f"{name}_number"], f"{name}_unscaled", to=TensorProto.FLOAT)
        graph.node("Mul", [f"{name}_unscaled", f"{name}_scale"], f"{name}_weight")
        graph.node("Where", [f"{name}_known", f"{name}_weight", "nothing"], f"{name}_flat")
        graph.node("Unsqueeze", [f"{name}_flat", "last_axis"], name)


def _lstm(graph: Graph, weights: dict[str, np.ndarray]) -> None:
    """Adds `states` [batch, tokens, 2 * hidden]."""
    hidden = weights["lstm.weight_hh_l0"].shape[1]

    def gates(name: str) -> np.ndarray:
        """A parameter of both directions [2, 4 * hidden, ...] in ONNX's gate order."""
        both = (np.split(weights[f"lstm.{name}_l0{suffix}"], 4) for suffix in ("", "_reverse"))
        return np.stack([np.concatenate([blocks[gate] for gate in GATE_ORDER]) for blocks in both])

    _from_8_bits(graph, "matrix_in", gates("weight_ih"), axis=2)
    _from_8_bits(graph, "matrix_back", gates("weight_hh"), axis=2)
    graph.weight("lstm_bias", np.concatenate([gates("bias_ih"), gates("bias_hh")], axis=1))
    graph.node(
        "LSTM", ["time_major", "matrix_in", "matrix_back", "lstm_bias", "sequence_lengths"], "states_by_direction",
        direction="bidirectional", hidden_size=hidden,
    )
    # [tokens, 2, batch, hidden] -> [batch, tokens, 2 * hidden]
    graph.node("Transpose", ["states_by_direction"], "states_by_row", perm=[2, 0, 1, 3])
    graph.weight("states_shape", np.array([0, 0, 2 * hidden], dtype=np.int64))
    graph.node("Reshape", ["states_by_row", "states_shape"], "states")
