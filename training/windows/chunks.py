"""Crops for training in files of fixed content: drawn by a process of their own, ahead of the training.

Chunk number n holds the same crops on every run of one seed, so a training that was killed goes on as if it wasn't.
"""

from __future__ import annotations

import multiprocessing
import os
import random
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from ..logos.crops import KINDS, CropSampler

CHUNK = 2000

_sampler: CropSampler | None = None
_parent = 0


def _set_up(data: Path) -> None:
    global _sampler, _parent  # one sampler a process, since it keeps what it has rendered
    _parent = os.getppid()
    os.nice(10)
    cv2.setNumThreads(1)
    _sampler = CropSampler(data)


def _make(path: Path, seed: int, number: int) -> Path:
    """Draws a chunk and writes it in one step."""
    assert _sampler is not None
    rng = random.Random(seed * 1_000_003 + number)
    crops = []
    while len(crops) < CHUNK:
        crops += _sampler.draw(rng)
        if os.getppid() != _parent:  # the training was killed
            os._exit(1)
    del crops[CHUNK:]
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, pixels=np.stack([c.pixels for c in crops]), kinds=np.array([KINDS.index(c.kind) for c in crops], np.uint8))
    partial.replace(path)
    return path


class Chunks:
    """All chunks of a run, asked for by number."""

    def __init__(self, data: Path, folder: Path, seed: int, workers: int = 1) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.seed = folder, seed
        # Spawned, since a forked process would share the state of the parent's threads.
        self.pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _set_up, (data,))
        self.asked: dict[int, Future] = {}

    def ask(self, numbers: range) -> None:
        """Has chunks drawn in the background, in this order."""
        for number in numbers:
            path = self.folder / f"chunk-{self.seed}-{number:04}.npz"
            if number not in self.asked and not path.exists():
                self.asked[number] = self.pool.submit(_make, path, self.seed, number)

    def read(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels [n, 50, 102, 3] and kinds [n] of a chunk; waits for it."""
        self.ask(range(number, number + 1))
        if number in self.asked:
            self.asked[number].result()
        with np.load(self.folder / f"chunk-{self.seed}-{number:04}.npz") as chunk:
            return chunk["pixels"], chunk["kinds"]

    def close(self) -> None:
        """Stops the drawing."""
        self.pool.shutdown(wait=False, cancel_futures=True)
