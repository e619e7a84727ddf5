"""Training crops in files, drawn ahead of the training by a process of their own.

Chunk number n holds the same crops on every run with the same seed, so a resumed training sees the same as an unbroken one.
"""

from __future__ import annotations

import multiprocessing
import os
import random
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from ...pictures.crops.sampler import CATEGORIES, CropSampler

_sampler: CropSampler | None = None
_parent = 0


def _set_up(data: Path) -> None:
    global _sampler, _parent  # one sampler a process, since it caches rendered logos
    _parent = os.getppid()
    os.nice(10)
    cv2.setNumThreads(1)
    _sampler = CropSampler(data)


def _draw(path: Path, seed: int, number: int, size: int) -> Path:
    """Draws a chunk and writes it in one step."""
    assert _sampler is not None
    rng = random.Random(seed * 1_000_003 + number)
    crops = []
    while len(crops) < size:
        crops += _sampler.draw(rng)
        if os.getppid() != _parent:  # the training was killed
            os._exit(1)
    del crops[size:]
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, pixels=np.stack([c.pixels for c in crops]), categories=np.array([CATEGORIES.index(c.category) for c in crops], np.uint8))
    partial.replace(path)
    return path


class CropChunks:
    """All chunks of a run by number, `size` crops each."""

    def __init__(self, data: Path, folder: Path, seed: int, size: int, workers: int = 1) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.seed, self.size = folder, seed, size
        # Spawned: a forked process would share the state of the parent's threads.
        self.pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _set_up, (data,))
        self.requested: dict[int, Future] = {}

    def request(self, numbers: range) -> None:
        """Draws chunks in the background, in this order."""
        for number in numbers:
            path = self.folder / f"chunk-{self.seed}-{number:04}.npz"
            if number not in self.requested and not path.exists():
                self.requested[number] = self.pool.submit(_draw, path, self.seed, number, self.size)

    def read(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels [n, 50, 102, 3] and categories [n] of a chunk; waits until it is drawn."""
        self.request(range(number, number + 1))
        if number in self.requested:
            self.requested[number].result()
        with np.load(self.folder / f"chunk-{self.seed}-{number:04}.npz") as chunk:
            return chunk["pixels"], chunk["categories"]

    def close(self) -> None:
        """Stops the process."""
        self.pool.shutdown(wait=False, cancel_futures=True)
