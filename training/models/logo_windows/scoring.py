"""Scores of the PyTorch network for windows and for whole pictures."""

from __future__ import annotations

import numpy as np
import torch

from ...engine.precision import mixed_precision
from .network import WindowNetwork, normalised


@torch.no_grad()
def window_scores(network: WindowNetwork, pixels: np.ndarray, batch: int = 64, bfloat16: bool = True) -> np.ndarray:
    """Probability of a logo for windows uint8 [n, 50, 102, 3]."""
    network.eval()
    found = []
    for start in range(0, len(pixels), batch):
        with mixed_precision(bfloat16):
            logits = network(normalised(torch.from_numpy(pixels[start : start + batch])))
        found.append(logits.float().flatten(1).softmax(1)[:, 1].numpy())
    return np.concatenate(found)


@torch.no_grad()
def score_map(network: WindowNetwork, pixels: np.ndarray, bfloat16: bool = True) -> np.ndarray:
    """Probability of a logo, [rows, columns], for a picture uint8 [height, width, 3]."""
    network.eval()
    with mixed_precision(bfloat16):
        logits = network(normalised(torch.from_numpy(pixels)[None]))
    return logits.float().softmax(1)[0, 1].numpy()
