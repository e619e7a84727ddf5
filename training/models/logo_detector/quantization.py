"""Static 8-bit quantization by ONNX Runtime, calibrated on training samples.

Weights have seven bits and activations are unsigned: processors without VNNI add two products in 16 bits, where full 8-bit
weights can overflow (ONNX Runtime's page on quantization, "reduce_range"). The last convolutions of the heads and all after
them keep 32 bits, since a box needs more than 256 steps. So do the first fourteen convolutions, on which everything else
depends, and the additions, whose two sides differ in range. What each of these brings is in training/EXPERIMENTS.md.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from .labels import LABELS
from .samples import Sampler

SIDE = 384
FIRST_IN_32_BITS = 14


class Calibration(CalibrationDataReader):
    """Training samples, one at a time."""

    def __init__(self, data: Path, samples: int, seed: int = 7) -> None:
        rng, sampler = random.Random(seed), Sampler(data)
        self.rest = [sampler.draw(rng, SIDE).picture[None] for _ in range(samples)]

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next sample."""
        return {"pixels": self.rest.pop()} if self.rest else None


def quantize(model: Path, out: Path, data: Path, samples: int) -> None:
    """Writes an 8-bit version of an exported network, calibrated on so many samples."""
    prepared = out.with_suffix(".prepared")
    quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    graph = onnx.load(str(prepared)).graph
    quantize_static(
        str(prepared), str(out), Calibration(data, samples), quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
        op_types_to_quantize=["Conv", "Clip"], nodes_to_exclude=_in_32_bits(graph),
        extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
    )
    prepared.unlink()
    written = onnx.load(str(out))
    onnx.helper.set_model_props(written, {prop.key: prop.value for prop in onnx.load(str(model)).metadata_props if prop.key == "labels"})
    onnx.save(written, str(out))


def _in_32_bits(graph: onnx.GraphProto) -> list[str]:
    """The convolutions that keep 32 bits: the first ones, and the last ones, which have few channels."""
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    last = [node for node in convolutions if shapes.get(node.input[1], [0])[0] in (4, len(LABELS))]
    return [node.name for node in (*convolutions[:FIRST_IN_32_BITS], *last)]
