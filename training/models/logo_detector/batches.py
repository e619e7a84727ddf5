"""Batches of samples, each drawn from the seed and its own number: a resumed run sees the same as an unbroken one."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from .samples import Sampler


@dataclass
class Batch:
    """Pixels (batch, 3, side, side; uint8), and for each picture its boxes with labels, ignored regions, and the labels that
    it was checked for."""

    pixels: torch.Tensor
    truths: list[tuple[torch.Tensor, torch.Tensor]]
    ignored: list[torch.Tensor]
    checked: torch.Tensor


class Batches(Dataset):
    """Batches number `first` to `last` - 1. `shapes`: sides of the samples, and how many make a batch."""

    def __init__(self, data: Path, shapes: tuple[tuple[int, int], ...], seed: int, first: int, last: int) -> None:
        self.data, self.shapes, self.seed, self.first, self.last = data, shapes, seed, first, last
        self.sampler: Sampler | None = None

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> Batch:
        if self.sampler is None:  # created in the worker's process
            cv2.setNumThreads(1)
            self.sampler = Sampler(self.data)
        rng = random.Random(f"{self.seed} {self.first + index}")
        size, count = rng.choice(self.shapes)
        samples = [self.sampler.draw(rng, size) for _ in range(count)]
        return Batch(
            torch.from_numpy(np.stack([sample.picture for sample in samples])).permute(0, 3, 1, 2),
            [(torch.from_numpy(sample.boxes), torch.from_numpy(sample.labels)) for sample in samples],
            [torch.from_numpy(sample.ignored) for sample in samples],
            torch.from_numpy(np.stack([sample.checked for sample in samples])),
        )
