"""Batches of samples, each drawn from the seed and its own number: a resumed run sees what an unbroken one would."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from .samples import Sampler

# Sides of the samples, and how many make a batch: about as many pixels in each.
SIZES = ((320, 8), (384, 6), (448, 4), (512, 3))


@dataclass
class Batch:
    """Pixels (batch, 3, side, side; uint8), and for each picture boxes, labels, regions that don't count, judged labels."""

    pixels: torch.Tensor
    truths: list[tuple[torch.Tensor, torch.Tensor]]
    ignored: list[torch.Tensor]
    judged: torch.Tensor


class Batches(Dataset):
    """Batch number `i`, whoever asks for it."""

    def __init__(self, data: Path, seed: int, first: int, last: int) -> None:
        self.data, self.seed, self.first, self.last = data, seed, first, last
        self.sampler: Sampler | None = None

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> Batch:
        if self.sampler is None:  # in the worker's own process
            cv2.setNumThreads(1)
            self.sampler = Sampler(self.data)
        rng = random.Random(f"{self.seed} {self.first + index}")
        size, count = rng.choice(SIZES)
        samples = [self.sampler.draw(rng, size) for _ in range(count)]
        return Batch(
            torch.from_numpy(np.stack([sample.picture for sample in samples])).permute(0, 3, 1, 2),
            [(torch.from_numpy(sample.boxes), torch.from_numpy(sample.labels)) for sample in samples],
            [torch.from_numpy(sample.ignored) for sample in samples],
            torch.from_numpy(np.stack([sample.judged for sample in samples])),
        )
