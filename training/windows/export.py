"""Writes the network as an ONNX graph, operator by operator, with its weights in 8 and 4 bits.

Weights become floats by Cast and Mul of constants, which ONNX Runtime computes once, when the model is loaded. Its
DequantizeLinear would be left in the graph and run for every picture.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ..logos.window import FILL
from .architecture import LABELS, LAYERS, OUTPUT, PIXEL_SCALE
from .quantised import Quantised, packed

OPSET, IR_VERSION = 21, 10


class _Graph:
    """Collects nodes and constants."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, values: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=f"{output}_node", **attributes))
        return output

    def weights(self, name: str, stored: Quantised) -> str:
        """The float weights of a layer, from what the file stores."""
        if stored.bits == 8:
            whole = self.constant(f"{name}_int8", stored.values)
        else:
            pairs = self.constant(f"{name}_int4_pairs", packed(stored.values))
            low = self.node("BitwiseAnd", [pairs, self.constant(f"{name}_low_mask", np.array(15, np.uint8))], f"{name}_low")
            high = self.node("BitShift", [pairs, self.constant(f"{name}_shift", np.array(4, np.uint8))], f"{name}_high", direction="RIGHT")
            whole = self.node("Concat", [low, high], f"{name}_shifted", axis=1)
        value = self.node("Cast", [whole], f"{name}_whole", to=TensorProto.FLOAT)
        if stored.bits == 4:
            value = self.node("Sub", [value, self.constant(f"{name}_zero", np.array(8, np.float32))], f"{name}_centred")
            half = self.constant(f"{name}_scale_half", stored.scale.astype(np.float16))
            scale = self.node("Cast", [half], f"{name}_scale", to=TensorProto.FLOAT)
        else:
            scale = self.constant(f"{name}_scale", stored.scale.astype(np.float32))
        return self.node("Mul", [value, scale], f"{name}_weight")


def build_model(weights: dict[str, Quantised], biases: dict[str, np.ndarray]) -> onnx.ModelProto:
    """Pixels uint8 [batch, height, width, 3] to probabilities of a logo float32 [batch, rows, columns]."""
    graph = _Graph()
    graph.node("Cast", ["pixels"], "pixels_float", to=TensorProto.FLOAT)
    graph.constant("fill", np.array(FILL, np.float32))
    graph.constant("pixel_scale", np.array(1 / PIXEL_SCALE, np.float32))
    graph.node("Sub", ["pixels_float", "fill"], "centred")
    graph.node("Mul", ["centred", "pixel_scale"], "scaled")
    value = graph.node("Transpose", ["scaled"], "planes", perm=[0, 3, 1, 2])
    for name, _, kernel, pooled in LAYERS:
        weight, bias = graph.weights(name, weights[name]), graph.constant(f"{name}_bias", biases[name].astype(np.float32))
        value = graph.node("Conv", [value, weight, bias], f"{name}_sum", kernel_shape=list(kernel))
        if name == OUTPUT:
            break
        value = graph.node("Relu", [value], f"{name}_values")
        if pooled:
            value = graph.node("MaxPool", [value], f"{name}_pooled", kernel_shape=[2, 2], strides=[2, 2])
    graph.node("Softmax", [value], "both", axis=1)
    graph.constant("logo", np.array(LABELS.index("vmware"), np.int64))
    graph.node("Gather", ["both", "logo"], "probabilities", axis=1)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "logo-windows",
            [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", "height", "width", 3])],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", "rows", "columns"])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="overheard-training",
    )
    # The file itself names its labels, so that a manifest of another model does not fit it.
    helper.set_model_props(model, {"labels": ",".join(LABELS)})
    onnx.checker.check_model(model, full_check=True)
    return model


def save_model(model: onnx.ModelProto, path: Path) -> None:
    """Writes the file in one step, so a reader never sees half of it."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(model.SerializeToString(deterministic=True))
    partial.replace(path)
