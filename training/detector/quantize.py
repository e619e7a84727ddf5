"""Eight bits: static quantisation with ONNX Runtime, calibrated on training pictures.

Weights of seven bits and unsigned activations: on processors without VNNI the products of two neighbours are added up
in 16 bits, and full eight-bit weights can overflow there (ONNX Runtime's page on quantisation, "reduce_range").
The last convolutions of the heads and everything after them keep 32 bits: a box needs more than 256 steps.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from .samples import Sampler

SAMPLES, SIDE = 64, 384


class Calibration(CalibrationDataReader):
    """Training samples, one at a time."""

    def __init__(self, data: Path, seed: int = 7) -> None:
        rng, sampler = random.Random(seed), Sampler(data)
        self.rest = [sampler.draw(rng, SIDE).picture[None] for _ in range(SAMPLES)]

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next sample."""
        return {"pixels": self.rest.pop()} if self.rest else None


def quantize(model: Path, out: Path, data: Path) -> None:
    """Writes an 8-bit version of an exported network."""
    prepared = out.with_suffix(".prepared")
    quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    graph = onnx.load(str(prepared)).graph
    quantize_static(
        str(prepared), str(out), Calibration(data), quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
        op_types_to_quantize=["Conv", "Add", "Clip"], nodes_to_exclude=_fine(graph),
        extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
    )
    prepared.unlink()
    written = onnx.load(str(out))
    onnx.helper.set_model_props(written, {prop.key: prop.value for prop in onnx.load(str(model)).metadata_props if prop.key == "labels"})
    onnx.save(written, str(out))


def _fine(graph: onnx.GraphProto) -> list[str]:
    """The stem's normalisation and whatever lies behind the last convolutions: found by their few output channels."""
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    excluded = []
    for node in graph.node:
        if node.op_type == "Conv":
            outputs = shapes.get(node.input[1], [0])[0]
            if outputs in (4, 28):
                excluded.append(node.name)
    return excluded
