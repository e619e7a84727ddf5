"""The detector's network: backbone, top-down pyramid, and a small head at each of five strides.

Anchor-free, as in FCOS (Tian et al. 2019): each place of a feature map tells the distances from its centre to the four
sides of a box, and a score for each brand.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from .backbone import Backbone, Padded
from .labels import LABELS

STRIDES = (4, 8, 16, 32, 64)
# The finest map is large, so its head is narrow.
WIDTHS = (48, 96, 96, 96, 96)
PRIOR = 0.01


class Separable(nn.Module):
    """A depthwise 5x5 convolution and a pointwise one, normalised over the batch."""

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.depthwise = Padded(channels, channels, 5, stride, groups=channels)
        self.pointwise = nn.Conv2d(channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels, momentum=0.03)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Applies it."""
        return functional.relu6(self.norm(self.pointwise(self.depthwise(x))))


class Head(nn.Module):
    """Scores and boxes of one stride. The finest map is large, so there both come from one tower."""

    def __init__(self, channels: int, labels: int, *, towers: bool) -> None:
        super().__init__()
        self.trunk = Separable(channels)
        self.score_tower = Separable(channels) if towers else nn.Identity()
        self.box_tower = Separable(channels) if towers else nn.Identity()
        self.scores = nn.Conv2d(channels, labels, 1)
        self.sides = nn.Conv2d(channels, 4, 1)
        nn.init.constant_(self.scores.bias, math.log(PRIOR / (1 - PRIOR)))
        nn.init.normal_(self.scores.weight, std=0.01)
        nn.init.constant_(self.sides.bias, 1.0)
        nn.init.normal_(self.sides.weight, std=0.01)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (batch, labels, height, width) and sides in strides (batch, 4, height, width)."""
        x = self.trunk(x)
        sides = functional.softplus(self.sides(self.box_tower(x)).float())
        return self.scores(self.score_tower(x)), sides * sides


class Detector(nn.Module):
    """From pixels to logits and boxes at every place of every stride."""

    def __init__(self, backbone: Backbone, labels: int = len(LABELS)) -> None:
        super().__init__()
        self.backbone = backbone
        self.lateral = nn.ModuleList(nn.Conv2d(c, w, 1) for c, w in zip(backbone.channels, WIDTHS[:4], strict=True))
        self.coarsest = Separable(WIDTHS[4], stride=2)
        self.narrow = nn.Conv2d(WIDTHS[1], WIDTHS[0], 1)
        self.merge = nn.ModuleList(Separable(width) for width in WIDTHS[:4])
        self.heads = nn.ModuleList(
            Head(width, labels, towers=stride > STRIDES[0]) for stride, width in zip(STRIDES, WIDTHS, strict=True)
        )

    def features(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """The pyramid, finest first."""
        maps = [lateral(x) for lateral, x in zip(self.lateral, self.backbone(pixels), strict=True)]
        coarsest = self.coarsest(maps[3])
        above = coarsest
        merged = []
        for index in (3, 2, 1, 0):
            down = self.narrow(above) if index == 0 else above
            above = self.merge[index](maps[index] + functional.interpolate(down, scale_factor=2.0, mode="nearest"))
            merged.insert(0, above)
        return [*merged, coarsest]

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits (batch, places, labels), boxes x1 y1 x2 y2 in pixels (batch, places, 4), centres and strides."""
        logits, boxes, centres, strides = [], [], [], []
        for stride, head, x in zip(STRIDES, self.heads, self.features(pixels), strict=True):
            scores, sides = head(x)
            centre = grid(x.shape[2], x.shape[3], stride, x.device)
            sides = sides.flatten(2).transpose(1, 2) * stride
            boxes.append(torch.cat((centre - sides[..., :2], centre + sides[..., 2:]), -1))
            logits.append(scores.flatten(2).transpose(1, 2).float())
            centres.append(centre)
            strides.append(torch.full((centre.shape[0],), float(stride), device=x.device))
        return torch.cat(logits, 1), torch.cat(boxes, 1), torch.cat(centres), torch.cat(strides)


def grid(height: int, width: int, stride: int, device: torch.device) -> torch.Tensor:
    """The centres of the places of a map in pixels, row by row (places, 2)."""
    y, x = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij")
    return torch.stack((x, y), -1).reshape(-1, 2).float().add(0.5).mul(stride)
