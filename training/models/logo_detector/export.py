"""Exports the network as an ONNX file: pixels in, the boxes with the highest scores out."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ...model_folder import onnx_export
from .labels import LABELS
from .network import Detector, Separable
from .views import GREY

# The locations with the highest scores that leave the network; non-maximum suppression comes after.
DETECTIONS = 300


class Exported(nn.Module):
    """From pixels (batch, height, width, 3; uint8; whole multiples of 64) to boxes, scores and classes, highest score first."""

    def __init__(self, network: Detector) -> None:
        super().__init__()
        self.network = fused(network)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Boxes (batch, 300, 4; x1 y1 x2 y2 in pixels), scores (batch, 300) and classes (batch, 300)."""
        logits, boxes, _, _ = self.network(pixels.permute(0, 3, 1, 2).float())
        best, classes = logits.max(-1)
        best, locations = best.topk(DETECTIONS, dim=1)
        return (
            boxes.gather(1, locations[..., None].expand(-1, -1, 4)),
            best.sigmoid(),
            classes.gather(1, locations),
        )


def fused(network: Detector) -> Detector:
    """The same network with batch normalisation folded into the convolutions. Heads share theirs, so each gets a copy."""
    network = copy.deepcopy(network).eval().float()
    for part in network.modules():
        if isinstance(part, Separable):
            part.pointwise, part.norm = fuse_conv_bn_eval(part.pointwise, part.norm), nn.Identity()
    return network


def export(network: Detector, path: Path) -> None:
    """Writes the ONNX file."""
    onnx_export.export(
        Exported(network),
        torch.full((2, 256, 320, 3), GREY[0], dtype=torch.uint8),
        path,
        inputs={"pixels": ["batch", "height", "width", None]},
        outputs={"boxes": ["batch", None, None], "scores": ["batch", None], "classes": ["batch", None]},
        labels=LABELS,
    )
