"""Exports the network as an ONNX file with its weights in 8 and 4 bits.

The file converts its weights to floats by Cast and Mul, which ONNX Runtime computes once, when it loads the model. It would
run DequantizeLinear for every picture.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ...model_folder import onnx_export
from ...pictures.crops.window import FILL, HEIGHT, STRIDE, WIDTH
from .architecture import LABELS, LAYERS, OUTPUT, PIXEL_SCALE
from .quantization import Quantized, pack


class Exported(nn.Module):
    """From pixels uint8 [batch, height, width, 3] to probabilities of a logo float32 [batch, rows, columns]."""

    def __init__(self, weights: dict[str, Quantized], biases: dict[str, np.ndarray]) -> None:
        super().__init__()
        for name, stored in weights.items():
            values, scale = (stored.values, stored.scale) if stored.bits == 8 else (pack(stored.values), stored.scale.astype(np.float16))
            self.register_buffer(f"{name}_values", torch.from_numpy(values))
            self.register_buffer(f"{name}_scale", torch.from_numpy(scale))
            self.register_buffer(f"{name}_bias", torch.from_numpy(biases[name]))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Runs the layers."""
        x = ((pixels.float() - FILL) * (1 / PIXEL_SCALE)).permute(0, 3, 1, 2)
        for name, _, _, pooled in LAYERS:
            x = functional.conv2d(x, self._weight(name), getattr(self, f"{name}_bias"))
            if name != OUTPUT:
                x = x.relu()
            if pooled:
                x = functional.max_pool2d(x, 2)
        return x.softmax(1)[:, LABELS.index("vmware")]

    def _weight(self, name: str) -> torch.Tensor:
        values, scale = getattr(self, f"{name}_values"), getattr(self, f"{name}_scale")
        if values.dtype == torch.uint8:  # two 4-bit numbers in a byte
            low = (values & 15).float()
            values = torch.cat((low, (values.float() - low) / 16), 1) - 8
        return values.float() * scale.float()


def export(weights: dict[str, Quantized], biases: dict[str, np.ndarray], path: Path) -> None:
    """Writes the ONNX file."""
    onnx_export.export(
        Exported(weights, biases),
        torch.zeros((2, HEIGHT + 3 * STRIDE, WIDTH + 4 * STRIDE, 3), dtype=torch.uint8),
        path,
        inputs={"pixels": ["batch", "height", "width", None]},
        outputs={"probabilities": ["batch", "rows", "columns"]},
        labels=LABELS,
        optimize=False,  # it would store the weights as floats
    )
