"""Writes the network as an ONNX file: pixels in, the surest boxes out."""

from __future__ import annotations

import copy
from pathlib import Path

import onnx
import torch
from torch import nn

from .labels import LABELS
from .network import Detector, Separable

OPSET = 21
# The surest places that leave the network; suppression of doubles comes after.
DETECTIONS = 300


class Exported(nn.Module):
    """From pixels (batch, height, width, 3; uint8; whole multiples of 64) to boxes, scores and classes, surest first."""

    def __init__(self, network: Detector) -> None:
        super().__init__()
        self.network = folded(network)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Boxes (batch, 300, 4; x1 y1 x2 y2 in pixels), scores (batch, 300) and classes (batch, 300)."""
        logits, boxes, _, _ = self.network(pixels.permute(0, 3, 1, 2).float())
        best, classes = logits.max(-1)
        best, places = best.topk(DETECTIONS, dim=1)
        return (
            boxes.gather(1, places[..., None].expand(-1, -1, 4)),
            best.sigmoid(),
            classes.gather(1, places),
        )


def folded(network: Detector) -> Detector:
    """The same network without batch normalisation: folded into the convolution before it."""
    network = copy.deepcopy(network).eval().float()
    for part in network.modules():
        if isinstance(part, Separable):
            norm = part.norm
            factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            part.pointwise.weight.data *= factor[:, None, None, None]
            part.pointwise.bias.data = (part.pointwise.bias.data - norm.running_mean) * factor + norm.bias
            part.norm = nn.Identity()
    return network


def export(network: Detector, path: Path) -> None:
    """Writes the ONNX file and names its labels in it."""
    batch, height, width = (torch.export.Dim.DYNAMIC,) * 3
    program = torch.onnx.export(
        Exported(network).eval(), (torch.full((2, 256, 320, 3), 114, dtype=torch.uint8),), dynamo=True, opset_version=OPSET,
        input_names=["pixels"], output_names=["boxes", "scores", "classes"],
        dynamic_shapes=({0: batch, 1: height, 2: width},), optimize=True, verbose=False,
    )
    model = program.model_proto
    for value, names in ((model.graph.input[0], ["batch", "height", "width", None]), *((out, ["batch"]) for out in model.graph.output)):
        for dimension, name in zip(value.type.tensor_type.shape.dim, names, strict=False):
            if name:
                dimension.dim_param = name
    onnx.helper.set_model_props(model, {"labels": ",".join(LABELS)})
    onnx.checker.check_model(model, full_check=False)
    onnx.save(model, str(path))
