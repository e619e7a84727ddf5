"""Weights to begin with: those of a distilled model, as a checkpoint or as its exported file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

# ONNX orders an LSTM's gates input, output, forget, cell; PyTorch wants input, forget, cell, output.
_GATE_ORDER = (0, 2, 3, 1)


class StartError(Exception):
    """The file holds no weights that this network could begin with; the message says why."""


def start_weights(path: Path) -> dict[str, torch.Tensor]:
    """Names and tensors of a network without targets: its `checkpoint.pt`, or `model.onnx` as versions 1 and 2 have it."""
    if path.suffix == ".onnx":
        return {name: torch.from_numpy(value) for name, value in _exported(path).items()}
    weights = torch.load(path, weights_only=True)["average"]
    return {name: tensor for name, tensor in weights.items() if not name.startswith("source_output")}


def widened(weights: dict[str, torch.Tensor], own: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights for a network that has one pooling more: what is new begins at nothing, so that its answers are the same."""
    output = own["output.weight"].clone().zero_()
    output[:, : weights["output.weight"].shape[1]] = weights["output.weight"]
    return own | weights | {"output.weight": output}


def _exported(path: Path) -> dict[str, np.ndarray]:
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    if "embedding_half" not in stored:
        raise StartError(f"{path} doesn't keep its weights as versions 1 and 2 did; begin with a checkpoint.pt")
    weights = {
        "embedding.weight": stored["embedding_half"],
        "attention_hidden.weight": stored["attention_matrix"].T,
        "attention_hidden.bias": stored["attention_bias"],
        "attention_score.weight": stored["attention_vector"].T,
        "output.weight": stored["output_weight"],
        "output.bias": stored["output_bias"],
    }
    for layer in ("layer_1", "layer_2"):
        both_biases = np.split(stored[f"{layer}_bias"], 2, axis=1)
        for direction, suffix in enumerate(("", "_reverse")):
            for name, value in (
                ("weight_ih", stored[f"{layer}_input_half"]), ("weight_hh", stored[f"{layer}_recurrent_half"]),
                ("bias_ih", both_biases[0]), ("bias_hh", both_biases[1]),
            ):
                gates = np.split(value[direction], 4)
                weights[f"{layer}.{name}_l0{suffix}"] = np.concatenate([gates[gate] for gate in _GATE_ORDER])
    return {name: np.array(value, dtype=np.float32, order="C") for name, value in weights.items()}
