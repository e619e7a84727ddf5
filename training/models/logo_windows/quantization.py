"""Weights in 8 bits, those of the first dense layer in 4.

Both are symmetric, with one scale for each output of a layer (8 bits) or for each output and kernel position (4 bits: 256
weights share one). The first dense layer has 23.6 of the 25.6 million weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .architecture import FIRST_DENSE


@dataclass(frozen=True)
class Quantized:
    """Whole numbers and the scale that broadcasts over them; `bits` is 8 or 4."""

    values: np.ndarray
    scale: np.ndarray
    bits: int

    def restored(self) -> np.ndarray:
        """The float32 weights that the model computes with."""
        return self.values.astype(np.float32) * self.scale


def quantize(weights: np.ndarray, bits: int) -> Quantized:
    """Rounds weights [outputs, inputs, height, width]. In 4 bits the scale is the one of ten with the smallest square error,
    which clips the largest weights."""
    if bits == 8:
        scale = np.abs(weights).max(axis=(1, 2, 3), keepdims=True) / 127
        return _rounded(weights, scale, 127, 8)
    largest = np.abs(weights).max(axis=1, keepdims=True)
    best, least = None, None
    for share in np.linspace(0.4, 1.0, 10):
        candidate = _rounded(weights, largest * share / 7, 7, 4)
        error = ((candidate.restored() - weights) ** 2).sum(axis=1, keepdims=True)
        if best is None:
            best, least = candidate, error
        else:
            better = error < least
            best = Quantized(np.where(better, candidate.values, best.values), np.where(better, candidate.scale, best.scale), 4)
            least = np.minimum(error, least)
    return best


def bits_of(layer: str) -> int:
    """4 for the first dense layer, else 8."""
    return 4 if layer == FIRST_DENSE else 8


def pack(values: np.ndarray) -> np.ndarray:
    """Numbers from -8 to 7, two in a byte: the first half of the inputs in the low bits, the second half in the high ones."""
    shifted = (values + 8).astype(np.uint8)
    low, high = np.split(shifted, 2, axis=1)
    return low | (high << 4)


def _rounded(weights: np.ndarray, scale: np.ndarray, most: int, bits: int) -> Quantized:
    # 4-bit scales are stored as 16-bit floats, so they are rounded before they are used.
    kept = np.maximum(scale, 1e-6).astype(np.float16 if bits == 4 else np.float32).astype(np.float32)
    values = np.clip(np.rint(weights / kept), -most, most).astype(np.int8)
    return Quantized(values, kept, bits)
