"""The talk's network, all its layers, as a convolution over pictures of any size.

The talk pads its convolutions with zeros, which a window in the middle of a picture would not see. Here none is
padded: a window brings 27 columns and 28 rows of real context, and the layers shrink it to the 18 x 5 x 256 values
that the talk's first dense layer reads. Dense layers are convolutions, so a larger picture gives a map of scores,
one every four pixels, each of which is that of its window alone.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ..logos.window import FILL
from .architecture import DROPOUT, DROPOUT_AFTER, FIRST_DENSE, LAYERS, OUTPUT, PIXEL_SCALE


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
            if pooled:  # before the rectifier, which gives the same and takes a quarter of the time
                values = functional.max_pool2d(values, 2)
            values = torch.relu(values)
            if name in DROPOUT_AFTER:
                values = functional.dropout(values, DROPOUT, self.training)
        raise AssertionError("the last layer is the output")

    def layers(self) -> dict[str, nn.Conv2d]:
        """The layers with weights, by name, from the pixels up."""
        return {name: getattr(self, name) for name, *_ in LAYERS}


def _as_dense(values: torch.Tensor, layer: nn.Conv2d) -> torch.Tensor:
    """A convolution that has one place only, as the product of two matrices: no copies where channels are last."""
    weight = layer.weight.permute(0, 2, 3, 1).reshape(layer.out_channels, -1)
    found = functional.linear(values.permute(0, 2, 3, 1).reshape(len(values), -1), weight, layer.bias)
    return found[:, :, None, None]


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 [batch, height, width, 3] to float32 [batch, 3, height, width], channels last in memory."""
    values = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.channels_last)
    return (values - FILL) / PIXEL_SCALE
