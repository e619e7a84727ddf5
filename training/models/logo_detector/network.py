"""The detector's network: backbone, top-down pyramid, and a small head at each of four strides.

Anchor-free, as in FCOS (Tian et al. 2019): each location of a feature map gives the distances from its centre to the four
sides of a box, and a score for each brand.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from .backbone import Backbone, Padded
from .labels import LABELS

STRIDES = (8, 16, 32, 64)
WIDTH = 96
PRIOR = 0.01


class Separable(nn.Module):
    """A depthwise 5x5 convolution and a pointwise one, normalised over the batch.

    With `like` it shares the convolutions of another one and has its own statistics.
    """

    def __init__(self, channels: int, stride: int = 1, like: Separable | None = None) -> None:
        super().__init__()
        self.depthwise = like.depthwise if like else Padded(channels, channels, 5, stride, groups=channels)
        self.pointwise = like.pointwise if like else nn.Conv2d(channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels, momentum=0.03)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Applies it."""
        return functional.relu6(self.norm(self.pointwise(self.depthwise(x))))


class Head(nn.Module):
    """Scores and boxes of one stride. All heads share their convolutions, so that a brand is learned at all sizes at once."""

    def __init__(self, labels: int, like: Head | None = None) -> None:
        super().__init__()
        self.trunk = Separable(WIDTH, like=like and like.trunk)
        self.score_tower = Separable(WIDTH, like=like and like.score_tower)
        self.box_tower = Separable(WIDTH, like=like and like.box_tower)
        self.scores = like.scores if like else nn.Conv2d(WIDTH, labels, 1)
        self.sides = like.sides if like else nn.Conv2d(WIDTH, 4, 1)
        if not like:
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
    """From pixels to logits and boxes at every location of every stride."""

    def __init__(self, backbone: Backbone, labels: int = len(LABELS)) -> None:
        super().__init__()
        self.backbone = backbone
        self.lateral = nn.ModuleList(nn.Conv2d(channels, WIDTH, 1) for channels in backbone.channels)
        self.coarsest = Separable(WIDTH, stride=2)
        self.merge = nn.ModuleList(Separable(WIDTH) for _ in backbone.channels)
        first = Head(labels)
        self.heads = nn.ModuleList([first, *(Head(labels, like=first) for _ in STRIDES[1:])])

    def features(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """The pyramid, finest first."""
        maps = [lateral(x) for lateral, x in zip(self.lateral, self.backbone(pixels), strict=True)]
        pyramid = [self.coarsest(maps[-1])]
        for lateral, merge in zip(reversed(maps), reversed(self.merge), strict=True):
            above = functional.interpolate(pyramid[0], scale_factor=2.0, mode="nearest")
            pyramid.insert(0, merge(lateral + above))
        return pyramid

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits (batch, locations, labels), boxes x1 y1 x2 y2 in pixels (batch, locations, 4), centres and strides."""
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
    """The centres of the locations of a map in pixels, row by row (locations, 2)."""
    y, x = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij")
    return torch.stack((x, y), -1).reshape(-1, 2).float().add(0.5).mul(stride)
