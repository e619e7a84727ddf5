"""The talk's network, all its layers, as a convolution over pictures of any size.

The talk scales a box to 75 x 22 and pads every convolution with zeros. A window in the middle of a picture has neighbours
instead of zeros, so no convolution is padded here: a window is 102 x 50, with 27 columns and 28 rows of real context, and
the layers reduce it to the 18 x 5 x 256 values that the talk's first dense layer reads. Dense layers are convolutions, so a
larger picture gives a map of scores, one every four pixels, each equal to that of its window alone.

| layers | values |
|---|---|
| window | 102 x 50 x 3 |
| conv 4x4 64, conv 4x4 64, pool | 48 x 22 x 64 |
| conv 4x4 96, conv 4x4 96, conv 3x3 128, conv 3x3 128, conv 2x2 256, conv 2x2 256, pool | 18 x 5 x 256 |
| dense 1024 (a convolution of 18 x 5), dropout 0.2, dense 1024, dropout 0.2, softmax 2 | 1 x 1 x 2 |
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ...pictures.crops.window import FILL
from .architecture import (
    DROPOUT,
    DROPOUT_AFTER,
    FIRST_DENSE,
    LAYERS,
    OUTPUT,
    PIXEL_SCALE,
)


class WindowNetwork(nn.Module):
    """Pixels to logits: [batch, 3, height, width] to [batch, 2, rows, columns]."""

    def __init__(self) -> None:
        super().__init__()
        inputs = 3
        for name, outputs, kernel, _ in LAYERS:
            layer = nn.Conv2d(inputs, outputs, kernel)
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
            self.add_module(name, layer)
            inputs = outputs

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """`pixels` are normalised (`normalised`)."""
        values = pixels
        for name, _, _, pooled in LAYERS:
            layer = getattr(self, name)
            if name == FIRST_DENSE and values.shape[2:] == layer.weight.shape[2:]:
                values = _as_dense(values, layer)
            else:
                values = layer(values)
            if name == OUTPUT:
                return values
            if pooled:  # before the rectifier: the same result in a quarter of the time
                values = functional.max_pool2d(values, 2)
            values = torch.relu(values)
            if name in DROPOUT_AFTER:
                values = functional.dropout(values, DROPOUT, self.training)
        raise AssertionError("the last layer is the output")

    def layers(self) -> dict[str, nn.Conv2d]:
        """The layers by name, input first."""
        return {name: getattr(self, name) for name, *_ in LAYERS}


def _as_dense(values: torch.Tensor, layer: nn.Conv2d) -> torch.Tensor:
    """A convolution with a single position, as a matrix product: no copies where channels are last."""
    weight = layer.weight.permute(0, 2, 3, 1).reshape(layer.out_channels, -1)
    found = functional.linear(values.permute(0, 2, 3, 1).reshape(len(values), -1), weight, layer.bias)
    return found[:, :, None, None]


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 [batch, height, width, 3] to float32 [batch, 3, height, width], channels last in memory."""
    values = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.channels_last)
    return (values - FILL) / PIXEL_SCALE
